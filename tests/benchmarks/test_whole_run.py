"""What the whole-run benchmark makes of run.json and of Python's import times."""

import pytest

from benchmarks.imdb_example import write_csv
from benchmarks.whole_run import Round, rounds_table, slowest_imports, steps_table

IMPORTS = """\
import time: self [us] | cumulative | imported package
import time:       100 |        100 |   _io
import time:    200000 |     300000 | numpy.core
something that a library prints
import time:    100000 |     400000 | numpy
import time:     50000 |      50000 |     keras.src.layers
"""


def test_imports_are_summed_by_package():
    slowest = slowest_imports(IMPORTS, 2)
    assert [name for _, name in slowest] == ["numpy", "keras"]
    assert [seconds for seconds, _ in slowest] == pytest.approx([0.3, 0.05])


def test_steps_of_two_runs():
    first = {"steps": [{"id": "Trainer", "seconds": 61.25, "state": "run"}]}
    again = {"steps": [{"id": "Trainer", "seconds": 0.5, "state": "cached"}]}
    assert steps_table(first, again)[-1] == "| Trainer | 61.2 | 0.5 | cached |"


def test_the_median_of_the_rounds_counts():
    rounds = [Round(60, 0.84, 100, 0.5), Round(80, 0.85, 100, 0.5), Round(65, 0.84, 100, 0.5)]
    lines = rounds_table(rounds)
    assert lines[3] == "| 2 | 80.0 | 0.850 | 100.0 | 0.500 | 0.80 |"
    assert lines[-1] == "ours / the example's, median: 0.65 (aim: below 0.7, met)"


def test_rows_for_the_example(tmp_path):
    write_csv(tmp_path / "data", ["A, b", 'say "no"'], [1, 0])
    written = (tmp_path / "data" / "rows.csv").read_text(encoding="utf-8").splitlines()
    assert written == ["text,label", '"A, b",1', '"say ""no""",0']
