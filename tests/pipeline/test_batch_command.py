"""`sentiflow batch`, with a small model: what it writes, how it goes on, what it refuses."""

import contextlib
import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from click.testing import CliRunner

from components.errors import DataRefused, UsageError
from components.serving.predict import LocalPredictor
from pipeline.cli import cli
from tests.components.serving.tiny_model import save

SENTENCES = ["great", "bad bad", "good, für sich", "awful", "nothing at all", 'a "good" one']


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("serving") / "sentiment" / "3"
    save(folder)
    return folder


def batch(output: Path, model: Path, *options: str) -> dict:
    """Runs the command in this process; returns the summary."""
    command = ["batch", "--output", str(output), "--model", str(model), "--json", *options]
    result = CliRunner().invoke(cli, command, catch_exceptions=False, standalone_mode=False)
    return json.loads(result.output)


def write_jsonl(path: Path, texts: list[str]) -> None:
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def predictions(model: Path, texts: list[str]) -> list[dict]:
    """What `predict` answers."""
    return [vars(prediction) for prediction in LocalPredictor(model)(texts)]


@pytest.fixture
def formats(tmp_path: Path) -> Path:
    """A folder with the sentences in every format."""
    folder = tmp_path / "in"
    folder.mkdir()
    quoted = [sentence.replace('"', '""') for sentence in SENTENCES]
    texts = {
        "a.csv": "label,text\n" + "".join(f'?,"{sentence}"\n' for sentence in quoted),
        "b.tsv": "text\n" + "\n".join(SENTENCES),
        "c.jsonl": "".join(json.dumps({"text": text}) + "\n" for text in SENTENCES),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
        (folder / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
    parquet.write_table(pa.table({"text": SENTENCES}), folder / "d.parquet")
    (folder / "d.parquet.gz").write_bytes(gzip.compress((folder / "d.parquet").read_bytes()))
    return folder


@pytest.mark.parametrize("workers", ["1", "2"])
def test_all_formats_give_what_predict_gives(
    tmp_path: Path, model: Path, formats: Path, workers: str
) -> None:
    out = tmp_path / "out"
    options = ["--set", f"beam.workers={workers}", "--set", "beam.running_mode=multi_threading"]
    summary = batch(out, model, "--input", str(formats), *options)
    assert len(summary["files"]) == 8
    for path in formats.iterdir():
        assert lines(out / f"{path.name}.jsonl") == predictions(model, SENTENCES)
    assert (summary["rows"], summary["predicted"], summary["rejected"]) == (48, 48, {})
    assert summary["model"] == {"path": str(model), "version": 3}
    assert json.loads((out / "summary.json").read_text()) == summary
    again = batch(out, model, "--input", str(formats))
    assert {file["state"] for file in again["files"]} == {"resumed"}
    assert again["predicted"] == 48


def test_parquet_out(tmp_path: Path, model: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", SENTENCES)
    write_jsonl(tmp_path / "none.jsonl", [" "])
    out = tmp_path / "out"
    options = ["--format", "parquet", "--set", "data.max_reject_fraction=1"]
    batch(out, model, "--input", f"{tmp_path}/*.jsonl", *options)
    assert parquet.read_table(out / "a.jsonl.parquet").to_pylist() == predictions(model, SENTENCES)
    empty = parquet.read_table(out / "none.jsonl.parquet")
    assert empty.num_rows == 0
    assert empty.schema == parquet.read_schema(out / "a.jsonl.parquet")


def test_more_rows_than_a_block_keep_their_order(tmp_path: Path, model: Path) -> None:
    texts = [f"{word} {number}" for number in range(6000) for word in ("good", "very bad film")]
    write_jsonl(tmp_path / "a.jsonl", texts)
    summary = batch(tmp_path / "out", model, "--input", str(tmp_path / "a.jsonl"))
    written = lines(tmp_path / "out" / "a.jsonl.jsonl")
    assert [line["text"] for line in written] == texts
    assert [line["label"] for line in written] == ["positive", "negative"] * 6000
    assert summary["predicted"] == 12_000


def test_rejects_are_kept_and_too_many_end_with_3(tmp_path: Path, model: Path) -> None:
    (tmp_path / "a.csv").write_text("text\ngood\n \nbad\n")
    out = tmp_path / "out"
    with pytest.raises(DataRefused, match="1 of 3 rows rejected, data.max_reject_fraction is 0.05"):
        batch(out, model, "--input", str(tmp_path / "a.csv"))
    assert [line["text"] for line in lines(out / "a.csv.jsonl")] == ["good", "bad"]
    (reject,) = lines(out / "rejects" / "a.csv.jsonl")
    assert (reject["record"], reject["reason"], reject["raw"]) == (3, "empty_text", " ")
    assert json.loads((out / "summary.json").read_text())["rejected"] == {"empty_text": 1}


def test_a_file_that_cannot_be_read_does_not_cost_the_others(tmp_path: Path, model: Path) -> None:
    (tmp_path / "empty.csv").touch()
    write_jsonl(tmp_path / "good.jsonl", ["good"])
    out = tmp_path / "out"
    with pytest.raises(DataRefused, match="empty.csv: expected rows, the file has none; the pred"):
        batch(out, model, "--input", f"{tmp_path}/*.*")
    assert lines(out / "good.jsonl.jsonl") == predictions(model, ["good"])
    assert not (out / "empty.csv.jsonl").exists()
    files = json.loads((out / "summary.json").read_text())["files"]
    assert [(file["state"], file["output"]) for file in files] == [
        ("refused", None),
        ("done", "good.jsonl.jsonl"),
    ]


def test_another_model_and_a_changed_file_are_done_again(tmp_path: Path, model: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", ["good"])
    write_jsonl(tmp_path / "b.jsonl", ["bad"])
    inputs = ["--input", f"{tmp_path}/*.jsonl"]
    out = tmp_path / "out"
    batch(out, model, *inputs)
    write_jsonl(tmp_path / "b.jsonl", ["great"])
    states = [file["state"] for file in batch(out, model, *inputs)["files"]]
    assert states == ["resumed", "done"]
    assert lines(out / "b.jsonl.jsonl") == predictions(model, ["great"])
    other = tmp_path / "other" / "model"
    save(other, bias=1.0)
    summary = batch(out, other, *inputs)
    assert [file["state"] for file in summary["files"]] == ["done", "done"]
    assert summary["model"]["version"] is None
    for name, text in (("a", "good"), ("b", "great")):
        assert lines(out / f"{name}.jsonl.jsonl") == predictions(other, [text])


def process(output: Path, model: Path, inputs: Path, *options: str) -> list[str]:
    command = [sys.executable, "-m", "pipeline.cli", "batch", "--input", str(inputs)]
    return [*command, "--output", str(output), "--model", str(model), *options]


def predicted_blocks(output: Path) -> list[Path]:
    """The blocks of 10,000 sentences that are done, of a file that is not."""
    found = []
    for path in output.glob(".batch/blocks/*/*.predictions"):
        with contextlib.suppress(FileNotFoundError):  # the last block is done: the folder goes
            if path.stat().st_size > 100_000:
                found.append(path)
    return found


def test_killed_in_the_middle_and_finished(tmp_path: Path, model: Path) -> None:
    """A call in a process of its own is killed as soon as a block is predicted."""
    inputs = tmp_path / "in"
    inputs.mkdir()
    write_jsonl(inputs / "large.jsonl", [f"good film number {number}" for number in range(80_000)])
    write_jsonl(inputs / "small.jsonl", [" ", *SENTENCES])
    whole, out = tmp_path / "whole", tmp_path / "out"
    batch(whole, model, "--input", str(inputs))

    running = subprocess.Popen(process(out, model, inputs), start_new_session=True)
    try:
        deadline = time.monotonic() + 240
        while not predicted_blocks(out):
            assert running.poll() is None and time.monotonic() < deadline
            time.sleep(0.002)
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    predicted = predicted_blocks(out)
    assert 1 <= len(predicted) < 8
    assert not (out / "summary.json").exists()
    assert not list(out.glob("*.jsonl"))
    # A mark in what is done tells whether it is done again.
    predicted[0].write_text(predicted[0].read_text().replace("good film", "GOOD film"))

    done = subprocess.run(process(out, model, inputs), capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.startswith("80,006 sentences predicted, 1 records rejected; files: 2 done;")
    large = (out / "large.jsonl.jsonl").read_text()
    assert large.count("GOOD film") == 10_000
    assert large.replace("GOOD", "good") == (whole / "large.jsonl.jsonl").read_text()
    for name in ("small.jsonl.jsonl", "rejects/small.jsonl.jsonl"):
        assert (out / name).read_bytes() == (whole / name).read_bytes()


def test_workers_in_other_processes(tmp_path: Path, model: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", SENTENCES)
    options = ["--set", "beam.workers=2", "--set", "beam.running_mode=multi_processing"]
    command = process(tmp_path / "out", model, tmp_path / "a.jsonl", *options)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert lines(tmp_path / "out" / "a.jsonl.jsonl") == predictions(model, SENTENCES)


def test_the_newest_version_in_the_workdir(tmp_path: Path, model: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", ["good"])
    shutil.copytree(model, tmp_path / "w" / "serving" / "sentiment" / "12")
    command = ["batch", "--input", str(tmp_path / "a.jsonl"), "--output", str(tmp_path / "out")]
    command += ["--workdir", str(tmp_path / "w"), "--json"]
    result = CliRunner().invoke(cli, command, catch_exceptions=False, standalone_mode=False)
    assert json.loads(result.output)["model"]["version"] == 12


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--input", "none.csv"], "none.csv: expected a data file, a folder or a glob"),
        (["--input", "a.txt"], "a.txt: expected a file that ends in .csv"),
        (["--model", "."], "expected a SavedModel's folder, saved_model.pb is missing"),
        (["--workdir", "w"], "w/serving/sentiment: no pushed version"),
        (["--output", "used"], "used: expected an empty folder or one of an earlier batch"),
        (["--output", "gs://bucket/out"], "gs://bucket/out: expected a folder of this machine"),
        (["--model", "broken"], "broken: "),
    ],
)
def test_wrong_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: Path, options: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.txt", "a.csv", "used/file", "broken/saved_model.pb"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("text\ngood\n" if name == "a.csv" else "?")
    given = {"--input": "a.csv", "--output": "out", "--model": str(model)}
    if "--workdir" in options:
        del given["--model"]
    given.update(zip(options[::2], options[1::2], strict=True))
    command = ["batch", *(part for option in given.items() for part in option)]
    with pytest.raises(UsageError, match=message):
        CliRunner().invoke(cli, command, catch_exceptions=False, standalone_mode=False)
    assert not (tmp_path / "out" / "a.csv.jsonl").exists()
