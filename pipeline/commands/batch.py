"""`sentiflow batch`: predictions for many files."""

from pathlib import Path

import click

from pipeline.commands.options import config_option, set_option, workdir_option


@click.command()
@click.option(
    "--input",
    "inputs",
    metavar="FILES",
    multiple=True,
    required=True,
    help="File, folder or glob of the formats of run --data; may be repeated.",
)
@click.option(
    "--output",
    metavar="DIR",
    required=True,
    help="Folder for the predictions, rejects and summary.json; a stopped batch goes on there.",
)
@click.option(
    "--model",
    "model_dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="SavedModel folder, instead of the version that the workdir serves.",
)
@workdir_option
@click.option(
    "--format",
    "format_",
    type=click.Choice(["jsonl", "parquet"]),
    default="jsonl",
    show_default=True,
    help="Of the predictions.",
)
@config_option
@set_option
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def batch(
    inputs: tuple[str, ...],
    output: str,
    model_dir: Path | None,
    workdir: Path,
    format_: str,
    config_file: str | None,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Predict many files of sentences, each into a file of its own.

    What a stopped call with the same model and files has done is not done again.
    """
    from typing import cast

    from components.batch.outputs import Format
    from components.batch.summary import in_words, refuse_unfit
    from pipeline.batch import output_folder, run_batch
    from pipeline.config import load_config
    from pipeline.pushed import find_model

    folder = output_folder(output)
    config = load_config(config_file, overrides)
    model = model_dir or find_model(workdir / "serving", config.serving.model_name).folder
    summary = run_batch(config, inputs, folder, model, cast(Format, format_))
    click.echo(summary.model_dump_json() if as_json else in_words(summary, folder))
    refuse_unfit(summary, folder, config.data.max_reject_fraction)
