"""The one error of the serving process; its codes are gRPC's, and have a counterpart in HTTP."""

import re

import grpc


class ServingError(Exception):
    """A request, or the loading of a version, failed.

    Args:
      code: what kind of failure it is.
      message: what a client may read: one line, no path of this machine.
    """

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def public_message(text: str) -> str:
    """The first line of an exception's text, with the folders of absolute paths cut off."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return re.sub(r"(?<![\w./])(?:/[^\s/'\",;:()<>{}|]+)+/", "", first).strip()
