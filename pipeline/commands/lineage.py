"""`sentiflow lineage`: what a pushed version was made of."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from components.errors import UsageError
from pipeline.commands.options import config_option, set_option, workdir_option

if TYPE_CHECKING:
    from pipeline.config import Config
    from pipeline.store import RunStore

METADATA = "metadata.db"
PATIENCE = 20.0  # seconds in which the cluster's database must be reached


@click.command()
@click.option(
    "--version",
    type=click.IntRange(min=1),
    metavar="N",
    help="Default: the served one; with --mysql the newest.",
)
@workdir_option
@click.option(
    "--mysql",
    is_flag=True,
    help="Ask the cluster's database instead, as SENTIFLOW_METADATA_HOST, … name it.",
)
@config_option
@set_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def lineage(
    version: int | None,
    workdir: Path,
    mysql: bool,
    config_file: str | None,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Say what a pushed version was made of, and what else was made of the same."""
    from components.serving.promotion import served_version
    from pipeline.config import load_config
    from pipeline.lineage import trace
    from pipeline.lineage_text import in_words

    config = load_config(config_file, overrides)
    if mysql:
        found = trace(_cluster_store(config), version)
    else:
        served = served_version(workdir / "serving", config.serving.model_name)
        found = trace(_workdir_store(config, workdir), version or served)
    click.echo(json.dumps(asdict(found), ensure_ascii=False) if as_json else in_words(found))


def _cluster_store(config: "Config") -> "RunStore":
    from pipeline.kubeflow.database import mysql_connection, open_store

    return open_store(mysql_connection(os.environ), config.name, patience=PATIENCE)


def _workdir_store(config: "Config", workdir: Path) -> "RunStore":
    from ml_metadata import errors
    from ml_metadata.proto import metadata_store_pb2

    from pipeline.store import RunStore

    path = workdir / METADATA
    if not path.is_file():  # the store would make one
        raise UsageError(f"{path}: no metadata store; is --workdir that of a run?")
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(path)
    connection.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READONLY
    try:
        return RunStore(connection, config.name)
    except (errors.StatusError, RuntimeError) as error:
        cause = " ".join(str(error).split())
        raise UsageError(f"{path}: cannot be read as a metadata store: {cause}") from None
