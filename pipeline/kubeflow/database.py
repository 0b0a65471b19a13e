"""The metadata database of a cluster: MySQL, with its credentials from the environment."""

from collections.abc import Mapping

import tenacity
from ml_metadata import errors
from ml_metadata.proto import metadata_store_pb2

from components.errors import SentiflowError, UsageError
from pipeline.store import RunStore

# Key of the Secret: environment variable of the pod.
CREDENTIALS = {
    key: f"SENTIFLOW_METADATA_{key.upper()}"
    for key in ("host", "port", "database", "user", "password")
}
NOT_REACHED = (errors.StatusError, RuntimeError)  # the latter while connecting
PATIENCE = 90.0  # seconds in which the database must be reached


def mysql_connection(environ: Mapping[str, str]) -> metadata_store_pb2.ConnectionConfig:
    """The connection that the environment variables of `CREDENTIALS` describe.

    Raises:
      UsageError: one is missing, the port is no number, or the host is an SQLite file.
    """
    values = {key: environ.get(name, "") for key, name in CREDENTIALS.items()}
    if "sqlite" in values["host"] or "/" in values["host"] or values["host"] == ":memory:":
        raise UsageError(
            f"{CREDENTIALS['host']}: expected the host of a MySQL server, got a file: nodes run in "
            "pods of their own, which cannot share an SQLite file"
        )
    missing = [CREDENTIALS[key] for key, value in values.items() if not value]
    if missing:
        raise UsageError(
            f"metadata database: {', '.join(missing)} not set; expected the keys "
            f"{', '.join(CREDENTIALS)} of the Secret kubeflow.metadata_secret (there is no SQLite "
            "in a cluster: pods cannot share its file)"
        )
    if not values["port"].isdecimal():
        raise UsageError(f"{CREDENTIALS['port']}: expected a number, got {values['port']!r}")
    connection = metadata_store_pb2.ConnectionConfig()
    connection.mysql.host = values["host"]
    connection.mysql.port = int(values["port"])
    connection.mysql.database = values["database"]
    connection.mysql.user = values["user"]
    connection.mysql.password = values["password"]
    connection.mysql.skip_db_creation = True  # the user needs no right to create databases
    return connection


def open_store(
    connection: metadata_store_pb2.ConnectionConfig, pipeline: str, patience: float = PATIENCE
) -> RunStore:
    """Opens the metadata store, trying again for a while.

    The database may just be starting; and the first nodes of a new installation all find it empty,
    and only one of them can create the tables.

    Args:
      connection: to the database.
      pipeline: name of the pipeline whose runs are read.
      patience: seconds after which no further try is made.

    Raises:
      SentiflowError: the database was not reached.
    """
    tries = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(NOT_REACHED),
        wait=tenacity.wait_random_exponential(max=15),
        stop=tenacity.stop_after_delay(patience),
        reraise=True,
    )
    try:
        return tries(RunStore, connection, pipeline)
    except NOT_REACHED as error:
        database = connection.mysql
        raise SentiflowError(
            f"metadata database {database.database} on {database.host}:{database.port}: not "
            f"reached in {patience:g} s: {' '.join(str(error).split())}"
        ) from None
