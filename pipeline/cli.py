"""The command line, `sentiflow`. Heavy libraries are imported by the command that needs them."""

import sys
from pathlib import Path

import click

from components.errors import SentiflowError, UsageError

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


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="sentiflow")
def cli() -> None:
    """Labelled sentences in, a validated LSTM classifier behind a TensorFlow Serving endpoint out.

    Exit codes: 0 done; 2 the call or the configuration is wrong; 3 the data was refused; 4 the
    model was not blessed or failed its serving check; 1 anything else.
    """


@cli.command()
@config_option
@click.option("--data", metavar="PATH", help="File or folder of labelled sentences (data.path).")
@workdir_option
@set_option
@click.option("--json", "as_json", is_flag=True, help="Print the run's record instead of progress.")
def run(
    config_file: str | None,
    data: str | None,
    workdir: Path,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Run the whole pipeline on this machine."""
    from pipeline.config import load_config
    from pipeline.local_runner import run_pipeline
    from pipeline.record import FILE
    from pipeline.summary import summary

    config = load_config(config_file, overrides)
    data_path = data or config.data.path
    if not data_path:
        raise UsageError("no data: pass --data PATH or set data.path in the configuration")
    if not any(mark in data_path for mark in ("{", "://")) and not Path(data_path).exists():
        raise UsageError(f"{data_path}: no such file or folder")
    record = run_pipeline(config, data_path, workdir, show_progress=not as_json)
    click.echo((workdir / FILE).read_text("utf-8") if as_json else summary(record, workdir))


@cli.command()
@click.argument("sentences", nargs=-1, metavar="[SENTENCE ...]")
@workdir_option
@click.option("--model", "model_dir", metavar="DIR", help="Load this SavedModel instead.")
@click.option("--url", metavar="URL", help="Ask this endpoint instead: http://localhost:8501.")
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
    input_file: str | None,
    output_file: str | None,
    config_file: str | None,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Ask the model: sentences, or a file of them.

    The model is the newest version in the workdir, a SavedModel folder, or a served one.
    """
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
    with ask.predictor(config, workdir, model_dir, url, labels) as predict_texts:
        if input_file and output_file:
            click.echo(ask.about_file(predict_texts, input_file, output_file, config))
        else:
            click.echo(ask.about_sentences(predict_texts, sentences, as_json))


@cli.command()
@workdir_option
@click.option("--model-root", metavar="DIR", help="Folder with a folder per model, instead.")
@click.option("--rest-port", type=click.IntRange(0, 65535), default=8501, show_default=True)
@click.option("--grpc-port", type=click.IntRange(0, 65535), default=8500, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@config_option
@set_option
def serve(
    workdir: Path,
    model_root: str | None,
    rest_port: int,
    grpc_port: int,
    host: str,
    config_file: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Serve the newest version over TensorFlow Serving's REST and gRPC."""
    from components.serving.server import serve as start
    from pipeline.config import load_config

    config = load_config(config_file, overrides)
    start(
        Path(model_root or workdir / "serving"),
        config.serving.model_name,
        host=host,
        rest_port=rest_port,
        grpc_port=grpc_port,
    )


@cli.command()
@config_option
@set_option
def config(config_file: str | None, overrides: tuple[str, ...]) -> None:
    """Print the resolved configuration as YAML."""
    import yaml

    from pipeline.config import load_config

    values = load_config(config_file, overrides).model_dump(mode="json")
    click.echo(yaml.safe_dump(values, sort_keys=False, allow_unicode=True), nl=False)


def main() -> None:
    """Entry point: turns every expected failure into one line on stderr and its exit code."""
    try:
        cli.main(standalone_mode=False)
    except SentiflowError as error:
        _fail(str(error), error.exit_code)
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "sentiflow"
        _fail(f"{error.format_message()} (see {command} --help)", UsageError.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _fail("interrupted", 1)


def _fail(message: str, code: int) -> None:
    click.echo(f"sentiflow: {message}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
