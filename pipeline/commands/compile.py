"""`sentiflow compile`: the package for Kubeflow Pipelines."""

from pathlib import Path

import click

from pipeline.commands.options import config_option, set_option


@click.command(name="compile")
@config_option
@set_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="F",
    help="YAML file to write.",
)
def compile_(config_file: str | None, overrides: tuple[str, ...], output: Path) -> None:
    """Write the pipeline as a package for Kubeflow Pipelines."""
    from pipeline.config import load_config
    from pipeline.console import silent_stderr

    config = load_config(config_file, overrides)
    with silent_stderr():
        from pipeline.kubeflow_runner import compile_package

        compile_package(config, output)
    click.echo(output)
