"""`sentiflow versions`, `promote` and `rollback`: what serving serves."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import click

from pipeline.commands.options import config_option, set_option, workdir_option

model_root_option = click.option(
    "--model-root", metavar="DIR", help="Folder with a folder per model, instead of the workdir's."
)
label_option = click.option(
    "--label", default="stable", show_default=True, metavar="L", help="stable, canary, or your own."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _model_options(command: Callable) -> Callable:
    for option in (set_option, config_option, model_root_option, workdir_option):
        command = option(command)
    return command


def _root_and_name(
    workdir: Path, model_root: str | None, config_file: str | None, overrides: tuple[str, ...]
) -> tuple[Path, str]:
    from pipeline.config import load_config

    name = load_config(config_file, overrides).serving.model_name
    return Path(model_root or workdir / "serving"), name


@click.command()
@_model_options
@json_option
def versions(as_json: bool, **where) -> None:
    """List the pushed versions, their labels, and which are loaded.

    What `models.config` in the model root says, which the server follows: loaded is a version that
    it names, if that loads at all. Ask the server for the state: GET /v1/models/<name>.
    """
    from components.serving.promotion import list_versions

    root, name = _root_and_name(**where)
    known = list_versions(root, name)
    if as_json:
        click.echo(json.dumps([asdict(version) for version in known]))
        return
    if not known:
        click.echo(f"{root / name}: no pushed version", err=True)
    for version in known:
        labels = ", ".join(version.labels)
        loaded = "loaded" if version.loaded else ""
        click.echo(f"{version.version:>7}  {version.pushed}  {loaded:6}  {labels}".rstrip())


@click.command()
@click.argument("version", type=click.IntRange(min=1), required=False)
@label_option
@click.option("--unpin", is_flag=True, help="Serve whatever is newest again, without labels.")
@_model_options
def promote(version: int | None, label: str, unpin: bool, **where) -> None:
    """Make a version the one that is served, or give it another label.

    VERSION is the newest one unless given. Until `--unpin`, later pushes are not served by
    themselves.
    """
    from components.errors import UsageError
    from components.serving import promotion

    root, name = _root_and_name(**where)
    if unpin:
        if version is not None or label != promotion.STABLE:
            raise UsageError("--unpin takes neither a version nor a label")
        promotion.unpin(root, name)
        click.echo(f"{name}: the newest version is served")
        return
    promoted = promotion.promote(root, name, version, label)
    click.echo(f"{name}: version {promoted} is {label}")


@click.command()
@label_option
@_model_options
def rollback(label: str, **where) -> None:
    """Go back to the version that was stable before, or take a canary's label away."""
    from components.serving.promotion import roll_back

    root, name = _root_and_name(**where)
    version = roll_back(root, name, label)
    if version is None:
        click.echo(f"{name}: no version is {label} any more")
    else:
        click.echo(f"{name}: version {version} is {label}")
