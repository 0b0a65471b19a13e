"""`sentiflow predict`: sentences in, labels and probabilities out."""

from pathlib import Path

import click

from components.errors import UsageError
from pipeline.commands.options import (
    config_option,
    existing_file,
    set_option,
    workdir_option,
)


@click.command()
@click.argument("sentences", nargs=-1, metavar="[SENTENCE ...]")
@workdir_option
@click.option("--model", "model_dir", metavar="DIR", help="Load this SavedModel instead.")
@click.option("--url", metavar="URL", help="Ask this server: http://host:8501, grpc://host:8500.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=10.0,
    show_default=True,
    metavar="S",
    help="Seconds for each request to --url.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(1),
    default=128,
    show_default=True,
    metavar="N",
    help="Sentences in each request to --url.",
)
@click.option("--token-file", type=existing_file, metavar="F", help="Bearer token for --url.")
@click.option("--ca-cert", type=existing_file, metavar="F", help="PEM certificate to trust.")
@click.option("--input", "input_file", metavar="F", help="File of sentences, as for run --data.")
@click.option("--output", "output_file", metavar="F", help="JSON lines file to write.")
@config_option
@set_option
@click.option("--json", "as_json", is_flag=True, help="Print the answers as JSON lines.")
def predict(
    sentences: tuple[str, ...],
    workdir: Path,
    model_dir: str | None,
    url: str | None,
    timeout: float,
    batch_size: int,
    token_file: Path | None,
    ca_cert: Path | None,
    input_file: str | None,
    output_file: str | None,
    config_file: str | None,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Ask the model: sentences, or a file of them.

    The model is the version that the workdir serves, a SavedModel folder, or one behind a URL.
    """
    from components.serving.client import ClientOptions
    from components.serving.security import read_token
    from pipeline import ask
    from pipeline.config import load_config

    if model_dir and url:
        raise UsageError("--model and --url exclude each other")
    if bool(sentences) == bool(input_file) or bool(input_file) != bool(output_file):
        raise UsageError("give either sentences, or --input and --output")
    config = load_config(config_file, overrides)
    # A server is asked for its classes, unless the caller states them.
    stated = config_file or any(override.startswith("data.labels=") for override in overrides)
    labels = config.data.labels if stated else None
    options = ClientOptions(
        timeout_seconds=timeout,
        batch_size=batch_size,
        token=read_token(token_file) if token_file else None,
        ca_certificate=ca_cert,
    )
    with ask.predictor(config, workdir, model_dir, url, labels, options) as predict_texts:
        if input_file and output_file:
            click.echo(ask.about_file(predict_texts, input_file, output_file, config))
        else:
            click.echo(ask.about_sentences(predict_texts, sentences, as_json))
