"""`sentiflow report`: the page of a run, and the comparison of two."""

from pathlib import Path

import click

from components.errors import UsageError
from pipeline.commands.options import workdir_option
from pipeline.outputs import keep_foreign


@click.command()
@workdir_option
@click.option(
    "--compare",
    nargs=2,
    metavar="A B",
    help="Two runs side by side: their ids, run.json files or workdirs.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="F",
    help="Where to write the page, instead of report/ in the workdir.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the run's record, write no page.")
def report(
    workdir: Path, compare: tuple[str, str] | None, output: Path | None, as_json: bool
) -> None:
    """Write the page of the last run, or of two side by side.

    Prints the path of the page, which needs no network and no other file.
    """
    from pipeline.history import load_record

    if as_json:
        if compare or output:
            raise UsageError("--json prints the record of one run: not with --compare or --output")
        click.echo(load_record(workdir, workdir).to_json(), nl=False)
        return
    # After the records: a wrong name is answered without loading a plotting library.
    if compare:
        a, b = (load_record(name, workdir) for name in compare)
        from pipeline.report.compare import COMPARISON, compare_page

        page, html = output or workdir / COMPARISON, compare_page(a, b)
    else:
        record = load_record(workdir, workdir)
        from pipeline.report.page import PAGE, run_page

        page, html = output or workdir / PAGE, run_page(record)
    _write(page, html)
    click.echo(page)


def _write(page: Path, html: str) -> None:
    keep_foreign(page, lambda line: line.startswith(b"<!doctype html>"), "page")
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(html, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{page}: cannot be written: {error.strerror}") from None
