"""Errors that end a run or a command with one line and an exit code, without a traceback."""


class SentiflowError(Exception):
    """An expected failure; its text is the one line that the user reads."""

    exit_code = 1


class UsageError(SentiflowError):
    """The call or the configuration is wrong."""

    exit_code = 2


class DataRefused(SentiflowError):
    """The data cannot be trained on: unreadable, too many bad rows, or anomalies."""

    exit_code = 3


class NotBlessed(SentiflowError):
    """The model missed a bound of the Evaluator or failed its serving check."""

    exit_code = 4
