"""`python -m components.serving`: the server as a process, for ServeCheck and the demo."""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from components.errors import SentiflowError
from components.serving.server import ServerOptions, serve
from components.serving.settings import ServingSettings


def main() -> int:
    """Parses the command line and serves; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m components.serving", description=__doc__)
    parser.add_argument("--model-root", type=Path, required=True, help="holds <name>/<version>/")
    parser.add_argument(
        "--settings",
        type=ServingSettings.model_validate_json,
        default=ServingSettings(),
        help="ServingSettings as JSON",
    )
    parser.add_argument("--rest-port", type=int, default=8501, help="0: a free one")
    parser.add_argument("--grpc-port", type=int, default=8500, help="0: a free one")
    parser.add_argument(
        "--port-file", type=Path, help="written as JSON when the model is available"
    )
    parser.add_argument("--ui", action="store_true", help="serve the page to try the model")
    parser.add_argument(
        "--exit-with-parent",
        action="store_true",
        help="stop when standard input ends, as it does when the process that holds it dies",
    )
    options = vars(parser.parse_args())
    if options.pop("exit_with_parent"):
        threading.Thread(target=_stop_when_stdin_ends, daemon=True).start()
    try:
        serve(ServerOptions(**options))
    except SentiflowError as error:
        print(f"sentiflow: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _stop_when_stdin_ends() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # taking TensorFlow apart, module by module, would last another two seconds
