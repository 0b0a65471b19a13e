"""The card lies beside the report of the run that pushed its version."""

import pytest

from pipeline.config import load_config
from pipeline.model_card import copy_card
from pipeline.record import RunRecord


@pytest.fixture
def workdir(tmp_path):
    for version in ("1", "2"):
        extra = tmp_path / "serving/sentiment" / version / "assets.extra"
        extra.mkdir(parents=True)
        for ending in ("md", "json"):
            (extra / f"model_card.{ending}").write_text(f"{ending} of {version}")
    return tmp_path


def record(version):
    record = RunRecord.start(load_config())
    record.pushed_version = version
    return record


def test_card_is_that_of_the_pushed_version(workdir):
    for version in (1, 2):
        copy_card(record(version), workdir)
        assert (workdir / "report/model_card.md").read_text() == f"md of {version}"
        assert (workdir / "report/model_card.json").read_text() == f"json of {version}"


def test_run_that_pushed_nothing_leaves_no_card_of_another(workdir):
    copy_card(record(1), workdir)
    copy_card(record(None), workdir)
    assert list((workdir / "report").iterdir()) == []


def test_removed_card_is_no_failure(workdir):
    (workdir / "serving/sentiment/2/assets.extra/model_card.md").unlink()
    copy_card(record(2), workdir)
    assert [path.name for path in (workdir / "report").iterdir()] == ["model_card.json"]
