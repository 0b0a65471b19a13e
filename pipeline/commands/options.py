"""Options that several commands share."""

from pathlib import Path

import click

WORKDIR = Path("sentiflow-workdir")

config_option = click.option(
    "--config", "config_file", metavar="F", help="YAML file or preset (default, book)."
)
set_option = click.option(
    "--set", "overrides", multiple=True, metavar="K=V", help="Override a value: --set train.seed=2."
)
workdir_option = click.option(
    "--workdir",
    type=click.Path(path_type=Path, file_okay=False),
    default=WORKDIR,
    show_default=True,
    help="Folder that holds everything a run leaves.",
)
existing_file = click.Path(path_type=Path, exists=True, dir_okay=False)
