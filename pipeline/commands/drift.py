"""`sentiflow drift`: new text against what the served version was evaluated on."""

from pathlib import Path

import click

from components.errors import DataRefused, UsageError
from pipeline.commands.options import config_option, set_option, workdir_option


@click.command()
@click.option(
    "--log",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Request log (serving.request_log), or a folder of them; its answers are used.",
)
@click.option(
    "--data",
    multiple=True,
    metavar="FILES",
    help="File, folder or glob of sentences, which the model is asked; may be repeated.",
)
@workdir_option
@click.option("--version", type=click.IntRange(min=1), metavar="N", help="Default: the served one.")
@click.option(
    "--model",
    "model_dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="SavedModel folder, instead of one of the workdir's versions.",
)
@config_option
@set_option
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder for drift.html.  [default: WORKDIR/report]",
)
@click.option("--json", "as_json", is_flag=True, help="Print all measures as one JSON line.")
def drift(
    log: Path | None,
    data: tuple[str, ...],
    workdir: Path,
    version: int | None,
    model_dir: Path | None,
    config_file: str | None,
    overrides: tuple[str, ...],
    output: Path | None,
    as_json: bool,
) -> None:
    """Compare new sentences with those that the served version was evaluated on.

    Exit code 3: a threshold of the section `drift` is passed. Fewer than drift.min_rows sentences
    are not judged, which is no failure.
    """
    from pipeline.config import load_config
    from pipeline.console import silent_stderr

    if bool(log) == bool(data):
        raise UsageError("give either --log or --data")
    if model_dir and version:
        raise UsageError("--model and --version exclude each other")
    config = load_config(config_file, overrides)
    with silent_stderr():
        from components.serving.lean_tensorflow import import_tensorflow

        import_tensorflow()
        from pipeline import drift as comparison
        from pipeline.pushed import find_model, model_in
        from pipeline.report.drift_page import write_page

        if model_dir:
            model = model_in(model_dir)
        else:
            model = find_model(workdir / "serving", config.serving.model_name, version)
        try:
            if log:
                report = comparison.compare_log(model, log, config.drift)
            else:
                report = comparison.compare_data(model, data, config)
        except DataRefused as error:  # its exit code would say that there is drift
            raise UsageError(str(error)) from error
        page = write_page(report, output or workdir / "report")
    if as_json:
        click.echo(report.to_json())
    else:
        if not report.verdict.drifted:  # else the error says it
            click.echo(report)
        click.echo(f"page  {page}")
    report.raise_if_drifted()
