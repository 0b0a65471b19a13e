"""`sentiflow run`: the whole pipeline on this machine."""

from pathlib import Path

import click

from components.errors import UsageError
from pipeline.commands.options import config_option, data_option, set_option, workdir_option


@click.command()
@config_option
@data_option("File or folder of labelled sentences (data.path).")
@workdir_option
@set_option
@click.option("--json", "as_json", is_flag=True, help="Print the run's record instead of progress.")
@click.option("--verbose", is_flag=True, help="Show what the libraries print, too, on stderr.")
def run(
    config_file: str | None,
    data: str | None,
    workdir: Path,
    overrides: tuple[str, ...],
    as_json: bool,
    verbose: bool,
) -> None:
    """Run the whole pipeline on this machine."""
    from pipeline.config import load_config
    from pipeline.lazy_packages import define_lightly
    from pipeline.local_runner import StepFailed, run_pipeline
    from pipeline.record import FILE
    from pipeline.summary import summary

    config = load_config(config_file, overrides)
    data_path = data or config.data.path
    if not data_path:
        raise UsageError("no data: pass --data PATH or set data.path in the configuration")
    if not any(mark in data_path for mark in ("{", "://")) and not Path(data_path).exists():
        hint = "; give the folder, not a pattern" if set(data_path) & set("*?") else ""
        raise UsageError(f"{data_path}: no such file or folder{hint}")
    define_lightly()
    try:
        record = run_pipeline(config, data_path, workdir, shown=not as_json, verbose=verbose)
    except StepFailed as failure:
        if not verbose:
            _show_log(failure.log_lines)
        raise
    click.echo((workdir / FILE).read_text("utf-8") if as_json else summary(record, workdir))


def _show_log(lines: list[str]) -> None:
    """Shows a part of the log on stderr, each line marked."""
    from pipeline.console import printable

    click.echo("from the log:", err=True)
    for line in lines:
        click.echo(f"  | {printable(line)}", err=True)
