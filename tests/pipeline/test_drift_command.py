"""`sentiflow drift`: films against films and products, from files and from a request log."""

import json
import shutil
import sys

import pytest
from click.testing import CliRunner

from components.errors import UsageError
from components.serving.promotion import promote
from pipeline import cli, drift
from schema import features
from tests.pipeline.drift_sentences import FILMS, PRODUCTS, sentences, write


@pytest.fixture
def workdir(pushed, tmp_path):
    shutil.copytree(pushed, tmp_path / "work" / "serving")
    return tmp_path / "work"


def write_log(path, texts, version=2):
    line = {
        "version": version,
        "sentences": texts,
        "labels": ["positive"] * len(texts),
        "probabilities": [[0.4, 0.6]] * len(texts),
    }
    path.write_text(json.dumps(line) + "\n", "utf-8")
    return str(path)


def call(*options):
    """Runs the command in this process: what it printed, and what it raised."""
    result = CliRunner().invoke(cli.cli, ["drift", *options], standalone_mode=False)
    if result.exception and not isinstance(result.exception, drift.SentiflowError):
        raise result.exception
    return result.output, result.exception


def measured(output):
    return json.loads(output.splitlines()[0])


def test_more_films_pass(workdir, tmp_path):
    data = write(tmp_path / "new.csv", sentences(FILMS, 400, seed=2))
    output, raised = call("--data", data, "--workdir", str(workdir), "--json")
    assert raised is None
    found = measured(output)
    assert (found["drifted"], found["version"], found["rows"]) == (False, 2, 400)
    assert not any(measure["drifted"] for measure in found["measures"].values())


def test_products_do_not(workdir, tmp_path):
    data = write(tmp_path / "new.csv", sentences(PRODUCTS, 400, seed=2))
    output, raised = call("--data", data, "--workdir", str(workdir), "--json")
    assert isinstance(raised, drift.Drifted)
    assert str(raised).startswith("version 2: drift: words 0.")
    found = measured(output)
    assert len(output.splitlines()) == 1
    assert found["drifted"] is True
    assert found["measures"]["words"]["drifted"] is True
    assert {change["word"] for change in found["rose"]} == set(PRODUCTS)
    assert {change["word"] for change in found["fell"]} == set(FILMS)


def test_the_exit_code_is_3(workdir, tmp_path, monkeypatch, capfd):
    data = write(tmp_path / "new.csv", sentences(PRODUCTS, 400, seed=2))
    monkeypatch.setattr(
        sys, "argv", ["sentiflow", "drift", "--data", data, "--workdir", str(workdir)]
    )
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    assert exit_.value.code == 3
    out, err = capfd.readouterr()
    assert err.splitlines()[-1].startswith("sentiflow: version 2: drift: words 0.")
    assert "drift.html" in out


def test_the_request_log_is_compared_by_its_answers(workdir, tmp_path):
    log = write_log(tmp_path / "requests.jsonl", sentences(FILMS, 400, seed=2))
    output, raised = call("--log", log, "--workdir", str(workdir), "--json")
    assert isinstance(raised, drift.Drifted)  # all positive, all 60 percent sure
    assert {n for n, m in measured(output)["measures"].items() if m["drifted"]} == {
        "labels", "confidence",
    }  # fmt: skip


def test_answers_of_other_versions_are_left_out(workdir, tmp_path):
    write_log(tmp_path / "requests.jsonl", sentences(FILMS, 30, seed=2), version=2)
    write_log(tmp_path / "requests.jsonl.1", sentences(PRODUCTS, 400, seed=2), version=1)
    output, raised = call("--log", str(tmp_path), "--workdir", str(workdir), "--json")
    found = measured(output)
    assert raised is None
    assert (found["drifted"], found["rows"]) == (None, 30)
    assert found["left_out"] == {"other versions": 400, "unreadable lines": 0}
    output, _ = call("--log", str(tmp_path), "--workdir", str(workdir))
    assert output.splitlines()[0] == (
        "version 2: not judged: 30 new sentences, drift.min_rows is 200; "
        "left out: other versions 400"
    )


def test_the_stable_version_is_the_served_one(workdir, tmp_path):
    data = write(tmp_path / "new.csv", sentences(FILMS, 300, seed=2))
    promote(workdir / "serving", "sentiment", 1)
    given = ["--data", data, "--workdir", str(workdir), "--json"]
    assert measured(call(*given)[0])["version"] == 1
    assert measured(call(*given, "--version", "2")[0])["version"] == 2


def test_a_copied_model_is_enough(workdir, tmp_path):
    copy = tmp_path / "copied"
    shutil.copytree(workdir / "serving" / "sentiment" / "1", copy)
    data = write(tmp_path / "new.csv", sentences(FILMS, 300, seed=2))
    output, raised = call("--data", data, "--model", str(copy), "--output", str(tmp_path), "--json")
    assert raised is None
    assert measured(output)["version"] is None
    assert (tmp_path / "drift.html").is_file()


def test_the_page_escapes_words_and_needs_nothing_else(workdir, tmp_path):
    data = write(tmp_path / "new.csv", ["<b>good&amp; <script>alert(1)</script>"] * 300)
    call("--data", data, "--workdir", str(workdir))
    page = (workdir / "report" / "drift.html").read_text("utf-8")
    assert "<script" not in page and "<b>good" not in page
    assert "&lt;" in page  # among the words that rose
    assert "src=" not in page and "href=" not in page
    assert "The text has drifted: " in page


@pytest.mark.parametrize(
    "options, message",
    [
        ([], "give either --log or --data"),
        (["--log", "x", "--data", "y"], "give either --log or --data"),
        (["--data", "{new}", "--version", "7"], "no version 7; there are: 1, 2"),
        (["--data", "{new}", "--version", "1", "--model", "m"], "exclude each other"),
        (["--data", "{new}", "--model", "{empty}"], "expected a SavedModel's folder"),
        (["--data", "{empty}/none.csv"], "expected a data file"),
        (["--data", "{header}"], "expected rows, the file has none"),  # 3 would be drift
        (["--data", "{garbled}"], "none of the 1 records could be read"),
        (["--log", "{empty}"], "no request log"),
        (["--log", "{new}"], "expected a request log, none of its 2 lines is"),
        (["--data", "{new}", "--set", "drift.words=2"], "drift.words"),
    ],
)
def test_calls_that_are_refused(workdir, tmp_path, options, message):
    (tmp_path / "empty").mkdir()
    names = {
        "new": write(tmp_path / "new.csv", ["good"]),
        "empty": str(tmp_path / "empty"),
        "header": write(tmp_path / "header.csv", []),
        "garbled": write(tmp_path / "garbled.csv", ["\0"]),
    }
    _, raised = call(*(option.format(**names) for option in options), "--workdir", str(workdir))
    assert isinstance(raised, UsageError)
    assert message in str(raised)


def test_a_model_without_a_reference_is_refused(workdir, tmp_path):
    profile = workdir / "serving" / "sentiment" / "2" / features.REFERENCE_PROFILE
    data = write(tmp_path / "new.csv", ["good"])
    profile.write_text("{}", "utf-8")
    assert "expected a reference profile" in str(call("--data", data, "--workdir", str(workdir))[1])
    profile.unlink()
    assert "to compare with" in str(call("--data", data, "--workdir", str(workdir))[1])
