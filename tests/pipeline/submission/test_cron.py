import pytest

from components.errors import UsageError
from pipeline.submission.cron import six_fields


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        # The scheduler would read these as second, minute, hour: every hour at 3:10 past.
        ("10 3 * * *", "0 10 3 * * *"),
        ("*/15 8-18 * * mon-fri", "0 */15 8-18 * * mon-fri"),
        ("0 0 3 * * *", "0 0 3 * * *"),
        ("  30  0 3,15 1 JAN ?  ", "30 0 3,15 1 JAN ?"),
        ("0 10/20 * * * 0", "0 10/20 * * * 0"),
    ],
)
def test_what_the_scheduler_takes(given, expected):
    assert six_fields(given) == expected


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("", "got 0 fields"),
        ("3 * * *", "got 4 fields"),
        ("0 0 3 * * * 2027", "got 7 fields"),
        ("@daily", "got 1 fields"),
        ("60 3 * * *", "minute '60': expected 0 to 59"),
        ("0 24 * * *", "hour '24': expected 0 to 23"),
        ("0 3 0 * *", "day of month '0': expected 1 to 31"),
        ("0 3 * 13 *", "month '13': expected 1 to 12 or jan to dec"),
        # Sunday is 0 only.
        ("0 3 * * 7", "day of week '7': expected 0 to 6 or sun to sat"),
        ("0 3 * * fri-mon", "day of week 'fri-mon': the range ends before it starts"),
        ("*/0 3 * * *", "minute '*/0': the step is 0"),
        ("0 3, * * *", "hour '3,': '' is not a value, a range or a step"),
        ("0 -3 * * *", "hour '-3': '-3' is not a value"),
        ("0 3 L * *", "day of month 'L': expected 1 to 31"),
        ("0 ٣ * * *", "hour '٣': '٣' is not a value"),
        ("0 *-5 * * *", "hour '*-5': '*-5' is not a value"),
    ],
)
def test_what_it_does_not(given, problem):
    with pytest.raises(UsageError) as refusal:
        six_fields(given)

    assert problem in str(refusal.value)
    assert str(refusal.value).startswith(f"--cron '{given}': ")
