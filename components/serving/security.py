"""TLS and the bearer token of a server, both read from files when it starts."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc

from components.errors import UsageError


@dataclass(frozen=True)
class Security:
    """What protects a server.

    Attributes:
      certificate: PEM file with the server's certificate chain; None: no TLS.
      key: PEM file with its private key.
      token: that requests must bear; None: none is asked for.
    """

    certificate: Path | None = None
    key: Path | None = None
    token: str | None = None

    def grpc_credentials(self) -> grpc.ServerCredentials | None:
        """TLS for gRPC; None without a certificate."""
        if self.certificate is None or self.key is None:
            return None
        return grpc.ssl_server_credentials([(self.key.read_bytes(), self.certificate.read_bytes())])


def load_security(
    certificate: Path | None = None, key: Path | None = None, token_file: Path | None = None
) -> Security:
    """Checks the files and reads the token.

    Raises:
      UsageError: a file cannot be read, the certificate and the key are not a pair, or the token
        is empty or not ASCII.
    """
    if (certificate is None) != (key is None):
        raise UsageError("--tls-cert and --tls-key belong together, got only one of them")
    if certificate is not None and key is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
        except ssl.SSLError as error:
            raise UsageError(
                f"{certificate}, {key}: expected a PEM certificate and its unencrypted key: "
                f"{error.reason or error}"
            ) from error
        except OSError as error:
            raise UsageError(f"{certificate}, {key}: cannot be read: {error.strerror}") from error
    return Security(certificate, key, None if token_file is None else read_token(token_file))


def read_token(path: Path) -> str:
    """The token in a file; raises UsageError where there is none."""
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
    if not token or not token.isascii() or any(character.isspace() for character in token):
        raise UsageError(f"{path}: expected a token on one line, of ASCII without spaces")
    return token
