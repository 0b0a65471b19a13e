"""A MariaDB server of the tests' own, on loopback."""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from pipeline.kubeflow.database import CREDENTIALS

SERVER = shutil.which("mariadbd", path="/usr/sbin:/usr/bin")
INSTALLER = shutil.which("mariadb-install-db")
CLIENT = shutil.which("mariadb")
PASSWORD = "kept-in-a-secret-7f3a"
START_SECONDS = 60


@contextlib.contextmanager
def mariadb(folder: Path) -> Iterator[dict[str, str]]:
    """Runs a server with an empty database and an unprivileged user of it.

    Yields:
      The environment variables with the credentials, as a node's pod gets them from its Secret.
    """
    port, socket_file = _free_port(), folder / "socket"
    server_options = ["--no-defaults", f"--datadir={folder / 'data'}", "--user=root"]
    subprocess.run(
        [INSTALLER, *server_options, "--auth-root-authentication-method=normal"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    with open(folder / "log", "w") as log:
        server = subprocess.Popen(
            [SERVER, *server_options, "--bind-address=127.0.0.1", f"--port={port}",
             f"--socket={socket_file}", f"--pid-file={folder / 'pid'}"],
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        _execute(
            socket_file,
            # The anonymous users of a new installation would be taken first on loopback.
            "DELETE FROM mysql.global_priv WHERE User=''; FLUSH PRIVILEGES;"
            "CREATE DATABASE sentiflow CHARACTER SET utf8mb4;"
            f"CREATE USER sentiflow@'%' IDENTIFIED BY '{PASSWORD}';"
            "GRANT ALL ON sentiflow.* TO sentiflow@'%'",
        )
        values = ("127.0.0.1", str(port), "sentiflow", "sentiflow", PASSWORD)
        yield dict(zip(CREDENTIALS.values(), values, strict=True))
    finally:
        server.terminate()
        server.wait(timeout=30)


def _execute(socket_file: Path, statements: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        client = [CLIENT, "--no-defaults", f"--socket={socket_file}", "--user=root"]
        result = subprocess.run(
            [*client, "--execute", statements], capture_output=True, text=True, check=False
        )
        if result.returncode == 0:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"MariaDB did not start: {result.stderr}")
        time.sleep(0.5)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
