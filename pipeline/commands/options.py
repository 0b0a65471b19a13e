"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from components.errors import UsageError
from pipeline.packages import PACKAGES
from pipeline.presets import preset_names

WORKDIR = Path("sentiflow-workdir")


class _Folder(click.Path):
    """A folder that is named: an empty text, as of an unset shell variable, is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            name = param.opts[0] if param else "folder"
            raise UsageError(f"{name} is empty: expected a folder, as .")
        return super().convert(value, param, ctx)


def _one_path(
    context: click.Context, option: click.Parameter, given: tuple[str, ...]
) -> str | None:
    """The one --data: click by itself would take the last of several and drop the others."""
    if len(given) > 1:
        raise UsageError("--data was given twice: give a folder with both files")
    if given == ("",):
        raise UsageError("--data is empty: expected a file or folder")
    return given[0] if given else None


def data_option(help_text: str) -> Callable:
    """`--data`, one path at most."""
    return click.option("--data", metavar="PATH", multiple=True, callback=_one_path, help=help_text)


config_option = click.option(
    "--config",
    "config_file",
    metavar="F",
    help=f"YAML file or preset ({', '.join(preset_names())}).",
)
set_option = click.option(
    "--set", "overrides", multiple=True, metavar="K=V", help="Override a value: --set train.seed=2."
)
workdir_option = click.option(
    "--workdir",
    type=_Folder(path_type=Path, file_okay=False),
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
