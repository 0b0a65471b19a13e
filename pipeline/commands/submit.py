"""`sentiflow submit`: a run, or recurring runs, on Kubeflow Pipelines."""

import json
from typing import TYPE_CHECKING, Any

import click

from components.errors import UsageError
from pipeline.commands.options import config_option, data_option, package_option, set_option
from pipeline.packages import Package

if TYPE_CHECKING:
    from pipeline.submission.submit import Submission


@click.command()
@package_option
@config_option
@set_option
@data_option("To train on, as the pods see it (data.path).")
@click.option(
    "--parameter",
    "given",
    multiple=True,
    metavar="K=V",
    help="Of the run: --parameter retrain=true.",
)
@click.option("--host", metavar="URL", help="Of Kubeflow Pipelines; not needed in its cluster.")
@click.option("--experiment", metavar="E", help="An existing one; default: the pipeline's name.")
@click.option("--cron", metavar="EXPR", help="Schedule runs instead of starting one; UTC.")
@click.option("--wait", is_flag=True, help="Show the nodes' states until the run ends.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MINUTES",
    help="Wait no longer; the run goes on.",
)
@click.option("--namespace", metavar="NS", help="Where a multi-user installation runs it.")
@click.option("--service-account", metavar="SA", help="Of the pods; default: the installation's.")
@click.option("--token-file", metavar="F", help="File with a bearer token.")
@click.option("--ca-cert", metavar="F", help="PEM file with the certificates to trust.")
@click.option("--json", "as_json", is_flag=True, help="Print ids and URL as JSON, no states.")
def submit(
    package: Package,
    config_file: str | None,
    overrides: tuple[str, ...],
    data: str | None,
    given: tuple[str, ...],
    host: str | None,
    experiment: str | None,
    cron: str | None,
    wait: bool,
    timeout: float | None,
    namespace: str | None,
    service_account: str | None,
    token_file: str | None,
    ca_cert: str | None,
    as_json: bool,
) -> None:
    """Compile, upload and start a pipeline on Kubeflow Pipelines.

    A package that the server has already is not uploaded again. --cron takes a crontab's five
    fields, or six with seconds first; it replaces the recurring run of the same name in the
    experiment. With --wait, the exit code is the run's.
    """
    from pipeline.config import load_config
    from pipeline.submission.cron import six_fields

    if cron and wait:
        raise UsageError("--cron schedules runs and starts none: there is nothing to --wait for")
    if timeout and not wait:
        raise UsageError("--timeout limits --wait; pass both or neither")
    schedule = six_fields(cron) if cron else None
    config = load_config(config_file, overrides)
    parameters = ({"data_path": data} if data else {}) | _parameters(given)
    trains = package == "train" or parameters.get("retrain")
    if trains and not (parameters.get("data_path") or config.data.path):
        raise UsageError("no data: pass --data PATH or set data.path in the configuration")

    from pipeline.lazy_packages import define_lightly

    define_lightly()
    from pipeline.submission.api import Api
    from pipeline.submission.submit import Target
    from pipeline.submission.submit import submit as submit_pipeline
    from pipeline.submission.watch import wait_for_run

    api = Api(host, token_file, ca_cert)
    target = Target(experiment, namespace, service_account)
    submission = submit_pipeline(api, config, parameters, target, schedule, package)
    click.echo(json.dumps(submission.as_dict()) if as_json else _in_words(submission))
    if wait:
        show = (lambda line: None) if as_json else click.echo
        wait_for_run(api, submission.id, submission.node_names, timeout, show)


def _parameters(given: tuple[str, ...]) -> dict[str, Any]:
    """Run parameters from `name=value` strings, the value being YAML."""
    import yaml

    parameters = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not (name and equals):
            raise UsageError(f"--parameter {item}: expected NAME=VALUE")
        try:
            parameters[name] = yaml.safe_load(value) if value else ""
        except yaml.YAMLError:
            raise UsageError(f"--parameter {item}: the value is no YAML") from None
    return parameters


def _in_words(submission: "Submission") -> str:
    version = submission.version
    lines = [
        ("pipeline", f"{submission.pipeline} ({version.pipeline_id})"),
        ("version", f"{version.name} ({'new' if version.uploaded else 'there already'})"),
        ("experiment", submission.experiment),
        ("recurring" if submission.cron else "run", submission.id),
        ("", submission.url),
    ]
    if submission.cron:
        lines.append(("cron", submission.cron))
    lines += [("replaces", old) for old in submission.replaced]
    return "\n".join(f"{label:<11}{text}" for label, text in lines)
