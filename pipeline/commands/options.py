"""Options that several commands share."""

from pathlib import Path

import click

from pipeline.packages import PACKAGES

WORKDIR = Path("sentiflow-workdir")

config_option = click.option(
    "--config",
    "config_file",
    metavar="F",
    help="YAML file or preset (default, vectors, sst2_phrases, book).",
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
package_option = click.option(
    "--pipeline",
    "package",
    type=click.Choice(PACKAGES),
    default=PACKAGES[0],
    show_default=True,
    help="Which one: training, predictions for files, or the watch for drift.",
)
existing_file = click.Path(path_type=Path, exists=True, dir_okay=False)
