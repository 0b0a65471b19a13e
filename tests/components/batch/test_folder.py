"""The output folder: what counts as done, what is removed, what is refused."""

from pathlib import Path

import pytest

from components.batch.blocks import Block, write_blocks
from components.batch.folder import Job, check_folder, clear_outdated, finish, make_jobs, recipe
from components.batch.inputs import InputFile
from components.batch.summary import FileSummary, refuse_unfit, summarise
from components.errors import DataRefused, UsageError
from components.ingest.source import SourceFile
from components.settings import DataSettings

DATA = DataSettings()


def job(
    folder: Path, content: str = "text\nfine\n \n", made: str = "A", name: str = "a.csv"
) -> Job:
    source = folder.parent / name
    source.write_text(content)
    return Job(folder, InputFile(str(source), name), f"hash of {content}", made, "jsonl")


def work(job: Job) -> None:
    """What the pipeline does, the model being the recipe."""
    for block in write_blocks(job.path, str(job.work), DATA):
        block.predictions.write_text(f"by {job.recipe}\n")


def content(folder: Path) -> dict[str, str]:
    """What a user sees in the output folder."""
    paths = [path for path in folder.rglob("*") if path.is_file() and ".batch" not in path.parts]
    return {str(path.relative_to(folder)): path.read_text() for path in paths}


def complete(*jobs: Job) -> list[str]:
    """A call of the batch; returns the states."""
    clear_outdated(jobs[0].folder, jobs, jobs[0].recipe)
    for each in jobs:
        if not each.done():
            work(each)
    return [finish(each).state for each in jobs]


def test_a_second_call_does_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert complete(job(out)) == ["done"]
    seen = content(out)
    assert seen.keys() == {"a.csv.jsonl", "rejects/a.csv.jsonl"}
    assert seen["a.csv.jsonl"] == "by A\n"
    assert complete(job(out)) == ["resumed"]
    assert content(out) == seen
    assert not list((out / ".batch" / "blocks").iterdir())


def test_what_changed_is_done_again(tmp_path: Path) -> None:
    out = tmp_path / "out"
    complete(job(out), job(out, name="b.csv"))
    assert complete(job(out, "text\nfine\n"), job(out, name="b.csv")) == ["done", "resumed"]
    assert content(out).keys() == {"a.csv.jsonl", "b.csv.jsonl", "rejects/b.csv.jsonl"}
    (out / "b.csv.jsonl").write_text("cut")
    assert complete(job(out, name="b.csv")) == ["done"]
    assert content(out)["b.csv.jsonl"] == "by A\n"


def test_another_model_removes_what_it_will_do_again(tmp_path: Path) -> None:
    out = tmp_path / "out"
    complete(job(out), job(out, name="b.csv"))
    (out / "summary.json").touch()
    jobs = [job(out, made="B"), job(out, made="B", name="b.csv")]
    clear_outdated(out, jobs, "B")
    assert content(out) == {}  # killed here, nothing of model A is left
    assert complete(*jobs) == ["done", "done"]
    assert content(out)["b.csv.jsonl"] == "by B\n"


def test_outputs_of_other_inputs_are_kept_or_refused_but_never_mixed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    complete(job(out))
    assert complete(job(out, name="b.csv")) == ["done"]
    assert "a.csv.jsonl" in content(out)
    before = content(out)
    with pytest.raises(UsageError, match="holds predictions of a.csv, which is none of the inputs"):
        complete(job(out, made="B", name="b.csv"))
    assert content(out) == before


@pytest.mark.parametrize("killed_at", ["output", "marker", "rejects"])
def test_killed_while_finishing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    import os

    out, replace = tmp_path / "out", os.replace
    one = job(out)

    def dies(source: Path, target: Path) -> None:
        if target == getattr(one, killed_at):
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(os, "replace", dies)
    with pytest.raises(KeyboardInterrupt):
        complete(one)
    monkeypatch.undo()
    assert "a.csv.jsonl" not in content(out)
    assert complete(job(out)) == ["done"]
    assert content(out)["a.csv.jsonl"] == "by A\n"
    assert content(out)["rejects/a.csv.jsonl"].count("\n") == 1


def test_work_is_gone_on_with_only_for_the_same_content_and_model(tmp_path: Path) -> None:
    out = tmp_path / "out"
    clear_outdated(out, [job(out)], "A")
    work(job(out))
    clear_outdated(out, [job(out)], "A")
    assert Block(str(job(out).work), 0).predictions.exists()
    clear_outdated(out, [job(out, made="B")], "B")
    assert not list((out / ".batch" / "blocks").iterdir())


def test_a_refused_file_leaves_nothing_and_is_tried_again(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for _ in range(2):
        assert complete(job(out, "no such column\nx\n")) == ["refused"]
        assert content(out) == {}
    assert complete(job(out)) == ["done"]


def test_the_model_counts_by_what_it_answers_with(tmp_path: Path) -> None:
    model = tmp_path / "model"
    for name in ("saved_model.pb", "variables/data", "assets.extra/sentiflow.json"):
        (model / name).parent.mkdir(parents=True, exist_ok=True)
        (model / name).write_text(name)
    first = recipe(model, DATA, "jsonl")
    (model / "assets.extra" / "card.md").write_text("about it")
    assert recipe(model, DATA, "jsonl") == first
    assert recipe(model.rename(tmp_path / "2"), DATA, "jsonl") == first
    assert recipe(tmp_path / "2", DATA, "parquet") != first
    assert recipe(tmp_path / "2", DataSettings(text_column="x"), "jsonl") != first
    (tmp_path / "2" / "variables" / "data").write_text("trained on")
    assert recipe(tmp_path / "2", DATA, "jsonl") != first


def test_folders_that_must_not_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    with pytest.raises(UsageError, match="expected an empty folder or one of an earlier batch"):
        check_folder(tmp_path)
    with pytest.raises(UsageError, match="expected a folder, found a file"):
        check_folder(tmp_path / "a.csv")
    check_folder(tmp_path / "new")
    (tmp_path / ".batch").mkdir()
    check_folder(tmp_path)


def jobs_of(source: Path, folder: Path, *names: str) -> list[Job]:
    inputs = [InputFile(str(source / name), name) for name in names]
    return make_jobs(folder, inputs, [SourceFile(f.path, None, "0") for f in inputs], "A", "jsonl")


def test_jobs_never_share_a_file(tmp_path: Path) -> None:
    assert [
        each.output.name for each in jobs_of(tmp_path / "in", tmp_path / "out", "a.csv", "b/a.csv")
    ] == [
        "a.csv.jsonl",
        "a.csv.jsonl",
    ]
    with pytest.raises(UsageError, match="would both be written to"):
        jobs_of(tmp_path / "in", tmp_path / "out", "a.csv", "rejects/a.csv")


def test_outputs_are_no_inputs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected inputs outside of the output folder"):
        jobs_of(tmp_path / "out", tmp_path / "out", "a.csv.jsonl")


def of_file(rows: int, rejected: int, refusal: str | None = None) -> FileSummary:
    return FileSummary(
        input="a.csv",
        sha256="0",
        output=None,
        rows=rows,
        rejected={"empty_text": rejected} if rejected else {},
        state="refused" if refusal else "done",
        first_reject="a.csv:2 empty_text, ''" if rejected else None,
        refusal=refusal,
    )


def test_summary_and_its_bound(tmp_path: Path) -> None:
    summary = summarise([of_file(10, 1), of_file(10, 0)], Path("/models/7"), 1.234)
    assert (summary.rows, summary.predicted, summary.rejected) == (20, 19, {"empty_text": 1})
    assert (summary.model.version, summary.seconds) == (7, 1.23)
    refuse_unfit(summary, tmp_path, 0.05)
    with pytest.raises(DataRefused, match="1 of 20 rows rejected, .* 0.04: 1 empty_text; first: a"):
        refuse_unfit(summary, tmp_path, 0.04)
    summary = summarise([of_file(0, 0, "b.csv: empty"), of_file(10, 0)], Path("m"), 1)
    assert summary.model.version is None
    with pytest.raises(DataRefused, match="^b.csv: empty; the predictions of the rest are in"):
        refuse_unfit(summary, tmp_path, 1.0)
