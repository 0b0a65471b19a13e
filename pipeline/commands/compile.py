"""`sentiflow compile`: the package for Kubeflow Pipelines."""

from pathlib import Path

import click

from pipeline.commands.options import config_option, package_option, set_option
from pipeline.packages import Package


@click.command(name="compile")
@package_option
@config_option
@set_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="F",
    help="YAML file to write.",
)
def compile_(
    package: Package, config_file: str | None, overrides: tuple[str, ...], output: Path
) -> None:
    """Write a pipeline as a package for Kubeflow Pipelines."""
    from pipeline.config import load_config
    from pipeline.console import silent_stderr
    from pipeline.lazy_packages import define_lightly

    config = load_config(config_file, overrides)
    with silent_stderr():
        define_lightly()
        from pipeline.kubeflow_runner import compile_package

        compile_package(config, output, package)
    click.echo(output)
