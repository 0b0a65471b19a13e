"""`sentiflow serve`: the TensorFlow-Serving-compatible endpoint."""

from pathlib import Path

import click

from pipeline.commands.options import (
    config_option,
    existing_file,
    set_option,
    workdir_option,
)


@click.command()
@workdir_option
@click.option("--model-root", metavar="DIR", help="Folder with a folder per model, instead.")
@click.option("--rest-port", type=click.IntRange(0, 65535), default=8501, show_default=True)
@click.option("--grpc-port", type=click.IntRange(0, 65535), default=8500, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--tls-cert", type=existing_file, metavar="F", help="PEM certificate: TLS on both.")
@click.option("--tls-key", type=existing_file, metavar="F", help="PEM key of the certificate.")
@click.option("--token-file", type=existing_file, metavar="F", help="Bearer token to ask for.")
@click.option("--ui", is_flag=True, help="Also serve a page to try the model.")
@config_option
@set_option
def serve(
    workdir: Path,
    model_root: str | None,
    rest_port: int,
    grpc_port: int,
    host: str,
    tls_cert: Path | None,
    tls_key: Path | None,
    token_file: Path | None,
    ui: bool,
    config_file: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Serve the model over TensorFlow Serving's REST and gRPC.

    The newest version, or what `sentiflow promote` and `sentiflow rollback` say.
    """
    from components.serving.lean_tensorflow import import_tensorflow
    from components.serving.security import load_security
    from components.serving.server import ServerOptions
    from components.serving.server import serve as start
    from pipeline.config import load_config
    from pipeline.console import silent_stderr

    config = load_config(config_file, overrides)
    options = ServerOptions(
        Path(model_root or workdir / "serving"),
        config.serving,
        host=host,
        rest_port=rest_port,
        grpc_port=grpc_port,
        security=load_security(tls_cert, tls_key, token_file),
        ui=ui,
    )
    with silent_stderr():
        import_tensorflow()
    start(options)
