"""`sentiflow config`: the resolved configuration."""

import click

from pipeline.commands.options import config_option, set_option


@click.command()
@config_option
@set_option
def config(config_file: str | None, overrides: tuple[str, ...]) -> None:
    """Print the resolved configuration as YAML."""
    import yaml

    from pipeline.config import load_config

    values = load_config(config_file, overrides).model_dump(mode="json")
    click.echo(yaml.safe_dump(values, sort_keys=False, allow_unicode=True), nl=False)
