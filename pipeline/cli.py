"""The command line, `sentiflow`."""

import errno
import sys

import click

from components.errors import SentiflowError, UsageError
from pipeline.commands.batch import batch
from pipeline.commands.compile import compile_
from pipeline.commands.config import config
from pipeline.commands.drift import drift
from pipeline.commands.lineage import lineage
from pipeline.commands.predict import predict
from pipeline.commands.report import report
from pipeline.commands.run import run
from pipeline.commands.serve import serve
from pipeline.commands.submit import submit
from pipeline.commands.versions import promote, rollback, versions
from pipeline.console import printable

USERS_MISTAKES = (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP, errno.EROFS)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="sentiflow")
def cli() -> None:
    """Labelled sentences in, a validated LSTM classifier behind a TensorFlow Serving endpoint out.

    Exit codes: 0 done; 2 the call or the configuration is wrong; 3 the data was refused, or has
    drifted; 4 the model was not blessed or failed its serving check; 1 anything else.
    """


for command in (
    run,
    predict,
    batch,
    drift,
    serve,
    versions,
    promote,
    rollback,
    compile_,
    submit,
    report,
    lineage,
    config,
):
    cli.add_command(command)


def main() -> None:
    """Entry point: turns every expected failure into one line on stderr and its exit code."""
    try:
        cli.main(standalone_mode=False)
    except SentiflowError as error:
        _fail(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(UsageError.exit_code)
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "sentiflow"
        _fail(f"{error.format_message()} (see {command} --help)", UsageError.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _fail("interrupted", 1)
    except OSError as error:  # a disk that is full, a file or folder that may not be used
        path = f"{error.filename}: " if error.filename else ""
        code = UsageError.exit_code if error.errno in USERS_MISTAKES else 1
        _fail(f"{path}{error.strerror or error}", code)


def _fail(message: str, code: int) -> None:
    click.echo(f"sentiflow: {printable(message)}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
