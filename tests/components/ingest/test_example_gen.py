"""SentenceExampleGen as TFX runs it: artifacts, cache, refusals, spans. Needs Beam and TFX."""

import gzip
import json
import os
from pathlib import Path

import pytest
import tensorflow as tf
from ml_metadata import metadata_store
from ml_metadata.proto.metadata_store_pb2 import Execution
from tfx.dsl.compiler import compiler
from tfx.orchestration import metadata, pipeline
from tfx.orchestration.data_types import RuntimeParameter
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.utils import import_utils

from components.errors import DataRefused
from components.ingest.component import SentenceExampleGen
from components.settings import DataSettings

LABELS = ("negative", "positive")


def sentences(count, prefix="Sentence"):
    """[(label, text)], the labels by turns."""
    return [(LABELS[n % 2], f"{prefix} number {n}") for n in range(count)]


def write_tsv(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{label}\t{text}\n" for label, text in [("label", "text"), *rows]]
    path.write_text("".join(lines), "utf-8")


class Runs:
    """Runs the component in one metadata store and looks into what it left."""

    def __init__(self, root):
        self.root = root
        self.rejects_dir = root / "rejects"
        self.connection = metadata.sqlite_metadata_connection_config(str(root / "metadata.db"))

    def pipeline(self, data_path, code="1", **settings):
        component = SentenceExampleGen(
            data_path=data_path if isinstance(data_path, RuntimeParameter) else str(data_path),
            settings=DataSettings(**{"min_rows_per_class": 1, **settings}),
            code_fingerprint=code,
            rejects_dir=str(self.rejects_dir),
        )
        return pipeline.Pipeline(
            pipeline_name="ingest",
            pipeline_root=str(self.root / "artifacts"),
            components=[component],
            enable_cache=True,
            metadata_connection_config=self.connection,
        )

    def run(self, data_path, **settings):
        """Runs and returns the summary, or raises what the component raises."""
        LocalDagRunner().run(self.pipeline(data_path, **settings))
        return json.loads(Path(self.artifacts("Rejects")[-1].uri, "summary.json").read_text())

    def states(self):
        store = metadata_store.MetadataStore(self.connection)
        return [Execution.State.Name(run.last_known_state) for run in store.get_executions()]

    def artifacts(self, kind):
        return metadata_store.MetadataStore(self.connection).get_artifacts_by_type(kind)

    def examples(self, split):
        """[(label, text)] of a split of the latest Examples."""
        files = sorted(Path(self.artifacts("Examples")[-1].uri, f"Split-{split}").iterdir())
        rows = []
        for record in tf.data.TFRecordDataset([str(file) for file in files], "GZIP"):
            feature = tf.train.Example.FromString(record.numpy()).features.feature
            assert sorted(feature) == ["label", "text"]
            values = [feature[key].bytes_list.value for key in ("label", "text")]
            rows.append(tuple(value[0].decode() for value in values))
        return rows


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path)


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


def test_split_files_become_artifacts(runs, data):
    train = sentences(20)
    write_tsv(data / "train.tsv", [*train, ("positive", "HELD  out number 1"), ("what", "Well")])
    write_tsv(data / "train.more.tsv", sentences(3, "More"))
    write_tsv(data / "eval.tsv", sentences(4, "Held out") * 2)
    write_tsv(data / "test.tsv", sentences(2, "Tested"))
    (data / "README.md").write_text("about")
    summary = runs.run(data)

    assert runs.examples("train") == sentences(3, "More") + train
    assert runs.examples("eval") == sentences(4, "Held out") * 2
    assert runs.examples("test") == sentences(2, "Tested")
    files = summary.pop("files")
    assert [(Path(f["path"]).name, f["split"], f["read"]) for f in files] == [
        ("eval.tsv", "eval", 8),
        ("test.tsv", "test", 2),
        ("train.more.tsv", "train", 3),
        ("train.tsv", "train", 22),
    ]
    [reject] = summary.pop("reject_examples")
    assert (reject["record"], reject["reason"], reject["raw"]) == (
        23,
        "unknown_label",
        "what\tWell",
    )
    assert summary == {
        "read": 35,
        "accepted": 33,
        "rejected": {"unknown_label": 1},
        "duplicates": 1,
        "splits": {
            "train": {"negative": 12, "positive": 11},
            "eval": {"negative": 4, "positive": 4},
            "test": {"negative": 1, "positive": 1},
        },
        "lengths": {
            "train": {"edges": [1, 2, 3, 4, 5], "rows": [0, 0, 23, 0]},
            "eval": {"edges": [1, 2, 3, 4, 5], "rows": [0, 0, 0, 8]},
            "test": {"edges": [1, 2, 3, 4, 5], "rows": [0, 0, 2, 0]},
        },
        "repeats": {"sentences": 29, "rows": 33, "contradictory": 0},
        "ignored_files": ["README.md"],
        "span": 0,
        "version": None,
    }
    (examples,) = runs.artifacts("Examples")
    assert json.loads(examples.properties["split_names"].string_value) == ["train", "eval", "test"]
    assert examples.custom_properties["payload_format"].string_value == "FORMAT_TF_EXAMPLE"
    assert examples.custom_properties["file_format"].string_value == "tfrecords_gzip"
    assert examples.custom_properties["span"].int_value == 0
    (rejects,) = runs.artifacts("Rejects")
    assert sorted(os.listdir(rejects.uri)) == ["rejects-00003.jsonl", "summary.json"]
    assert json.loads(Path(rejects.uri, "rejects-00003.jsonl").read_text()) == {
        "file": str(data / "train.tsv"),
        "record": 23,
        "reason": "unknown_label",
        "detail": "'what' is not one of data.labels (negative, positive)",
        "raw": "what\tWell",
    }


def test_one_file_is_split_by_hash_and_equal_sentences_stay_together(runs, data):
    rows = sentences(100)
    write_tsv(data / "all.tsv", rows + [(label, text.upper()) for label, text in rows])
    splits = {"train": 2, "eval": 1, "test": 1}
    summary = runs.run(data / "all.tsv", splits=splits)
    assert (summary["read"], summary["accepted"], summary["duplicates"]) == (200, 200, 0)
    found = {split: runs.examples(split) for split in splits}
    assert sum(len(rows) for rows in found.values()) == 200
    texts = {split: {text.upper() for _, text in rows} for split, rows in found.items()}
    assert [2 * len(texts[split]) for split in splits] == [len(found[split]) for split in splits]
    assert not texts["train"] & texts["eval"]
    assert not texts["train"] & texts["test"]
    assert not texts["eval"] & texts["test"]


def test_all_bad_rows_are_rejected_and_none_is_lost(runs, data):
    good = "".join(f"Number {n},{LABELS[n % 2]}\n" for n in range(200)).encode()
    bad = {
        "empty_text": b"  ,positive\n",
        "missing_label": b"Well,\n",
        "unknown_label": b"Well,meh\n",
        "wrong_field_count": b"Well,positive,1\n",
        "not_utf8": b"caf\xe9,positive\n",
        "nul_byte": b"We\0ll,positive\n",
        "unterminated_quote": b'"Well,positive\n',
        "text_too_long": b"x" * 101 + b",positive\n",
    }
    data.mkdir()
    (data / "a.csv").write_bytes(b"text,label\n" + good + b"".join(bad.values()) + good)
    (data / "b.jsonl").write_bytes(b'{"text": "Fine", "label": "positive"}\n{"text": \n')
    summary = runs.run(data, max_text_bytes=100)
    assert summary["rejected"] == {reason: 1 for reason in [*bad, "broken_json"]}
    assert (summary["read"], summary["accepted"]) == (410, 401)
    shown = {reject["reason"] for reject in summary["reject_examples"]}
    assert shown == {*bad, "broken_json"}
    rejects = [
        json.loads(line)
        for file in sorted(Path(runs.artifacts("Rejects")[0].uri).glob("rejects-*.jsonl"))
        for line in file.read_text("utf-8").splitlines()
    ]
    assert [(Path(r["file"]).name, r["record"], r["reason"]) for r in rejects] == [
        *(("a.csv", 202 + n, reason) for n, reason in enumerate(bad)),
        ("b.jsonl", 2, "broken_json"),
    ]
    raw = [line.decode(errors="backslashreplace").rstrip("\n") for line in bad.values()]
    assert [reject["raw"] for reject in rejects] == [*raw, '{"text": ']


def test_cache_goes_by_content(runs, data):
    write_tsv(data / "train.tsv", sentences(20))
    write_tsv(data / "eval.tsv", sentences(4, "Held out"))
    runs.run(data)
    os.utime(data / "train.tsv", (1, 1))
    (data / "README.md").write_text("not data")
    runs.run(data)
    assert runs.states() == ["COMPLETE", "CACHED"]

    before = (data / "train.tsv").stat()
    write_tsv(data / "train.tsv", [*sentences(19), ("positive", "Sentence number 91")])
    os.utime(data / "train.tsv", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (data / "train.tsv").stat().st_size == before.st_size
    runs.run(data)
    assert runs.examples("train")[-1] == ("positive", "Sentence number 91")
    runs.run(data, code="2")
    runs.run(data, max_text_bytes=500)
    assert runs.states() == ["COMPLETE", "CACHED", "COMPLETE", "COMPLETE", "COMPLETE"]


def good_and(name, content):
    """Files of a folder that would be good but for one."""
    lines = "".join(f"{label}\t{text}\n" for label, text in sentences(40))
    return {"good.tsv": b"label\ttext\n" + lines.encode(), name: content}


HALF = gzip.compress(b"label\ttext\n" + b"positive\tFine\n" * 500, mtime=0)[:-9]
REFUSED = {
    "empty folder": ({}, {}, ": expected files that end in .csv, .tsv, .jsonl or .parquet, each"),
    "missing column": (good_and("b.csv", b"text,mood\na,b\n"), {}, "b.csv: expected a column 'la"),
    "empty file": (good_and("b.csv", b""), {}, "b.csv: expected rows, the file has none"),
    "truncated gz": (good_and("b.tsv.gz", HALF), {}, "b.tsv.gz: expected a whole .gz, got one th"),
    "corrupt parquet": (good_and("b.parquet", b"PAR1"), {}, "b.parquet: expected a whole .parqu"),
    "one class": (
        {"a.tsv": b"label\ttext\n" + b"positive\tFine\n" * 9},
        {},
        "a.tsv: expected rows of at least 2 of the classes negative, positive, got only positive",
    ),
    "too few rows of a class": (
        good_and("b.tsv", b"label\ttext\npositive\tFine\n"),
        {"min_rows_per_class": 1000},
        "and 1 more: class 'negative' has ",
    ),
    "too many rejects": (
        good_and("b.tsv", b"label\ttext\n" + b"meh\tFine\n" * 5 + b"\xff\n"),
        {},
        "b.tsv and 1 more: 6 of 46 rows rejected, data.max_reject_fraction is 0.05: "
        "5 unknown_label, 1 not_utf8; first: ",
    ),
    "unknown labels": (
        good_and("b.tsv", b"label\ttext\n" + b"meh\tFine\n" * 5 + b"so-so\tFine\n"),
        {},
        "unknown_label, 'meh' is not one of data.labels (negative, positive); unknown labels: "
        "5 'meh', 1 'so-so'; add them to data.labels, correct them, or raise",
    ),
    "no eval rows": (
        {"a.jsonl": b'{"text": "Number 0", "label": "positive"}\n' * 3
         + b'{"text": "Number 1", "label": "negative"}\n'},
        {"splits": {"train": 10**15, "eval": 1}},
        "a.jsonl: no rows in eval; give more rows or change data.splits",
    ),
    "span without placeholder": (
        good_and("b.tsv", b"label\ttext\npositive\tFine\n"),
        {"span": 3},
        "data.span is 3, but the data path",
    ),
}  # fmt: skip


@pytest.mark.parametrize("files, settings, message", REFUSED.values(), ids=REFUSED)
def test_data_that_are_refused(runs, data, files, settings, message):
    data.mkdir()
    for name, content in files.items():
        (data / name).write_bytes(content)
    with pytest.raises(DataRefused) as refusal:
        runs.run(data, **settings)
    assert message in str(refusal.value).replace("good.tsv and 1", "b.tsv and 1")
    assert str(data) in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert refusal.value.exit_code == 3
    assert runs.states() == ["FAILED"]


def test_a_path_where_nothing_is_refused(runs, data):
    with pytest.raises(DataRefused, match="expected a data file or a folder of them, nothing is"):
        runs.run(data)
    assert runs.states() == ["FAILED"]


def test_rejects_of_refused_data_are_kept(runs, data):
    runs.rejects_dir.mkdir()
    (runs.rejects_dir / "rejects-00009.jsonl").write_text("of an earlier run")
    write_tsv(data / "a.tsv", [*sentences(8), ("meh", "Well"), ("", "Well")])
    with pytest.raises(DataRefused):
        runs.run(data)
    assert sorted(os.listdir(runs.rejects_dir)) == ["rejects-00000.jsonl", "summary.json"]
    lines = (runs.rejects_dir / "rejects-00000.jsonl").read_text().splitlines()
    assert [json.loads(line)["record"] for line in lines] == [10, 11]
    summary = json.loads((runs.rejects_dir / "summary.json").read_text())
    assert (summary["read"], summary["accepted"]) == (10, 8)
    assert summary["rejected"] == {"unknown_label": 1, "missing_label": 1}
    assert not list((runs.root / "artifacts").rglob("*.jsonl"))


def test_rejects_before_a_fault_in_the_file_are_kept(runs, data):
    data.mkdir()
    lines = [os.urandom(25).hex() for _ in range(60_000)]
    content = "\n".join(["label\ttext", "meh\tWell", *lines]).encode()
    (data / "a.tsv.gz").write_bytes(gzip.compress(content)[:-2000])
    with pytest.raises(DataRefused, match="a.tsv.gz: expected a whole .gz"):
        runs.run(data)
    kept = (runs.rejects_dir / "rejects-00000.jsonl").read_text().splitlines()
    assert [json.loads(line)["raw"] for line in kept[:3]] == ["meh\tWell", *lines[:2]]
    summary = json.loads((runs.rejects_dir / "summary.json").read_text())
    assert summary["rejected"] == {"unknown_label": 1, "wrong_field_count": len(kept) - 1}
    shown = [reject["raw"] for reject in summary["reject_examples"]]
    assert shown == ["meh\tWell", *lines[:19]]


def test_latest_span_and_version_are_read(runs, data):
    for name in ("span-1/v2", "span-2/v1", "span-2/v3"):
        write_tsv(data / name / "train.tsv", sentences(8, name))
        write_tsv(data / name / "eval.tsv", sentences(2, f"Held out of {name}"))
    pattern = str(data / "span-{SPAN}/v{VERSION}")
    summary = runs.run(pattern)
    assert (summary["span"], summary["version"]) == (2, 3)
    assert runs.examples("train") == sentences(8, "span-2/v3")
    (examples,) = runs.artifacts("Examples")
    assert examples.custom_properties["span"].int_value == 2
    assert examples.custom_properties["version"].int_value == 3

    assert runs.run(pattern, span=1)["span"] == 1
    assert runs.examples("train") == sentences(8, "span-1/v2")
    write_tsv(data / "span-3/v1/train.tsv", sentences(8, "span-3"))
    write_tsv(data / "span-3/v1/eval.tsv", sentences(2, "Held out of span-3"))
    assert runs.run(pattern)["span"] == 3
    assert runs.states() == ["COMPLETE"] * 3


def test_the_data_path_may_be_a_runtime_parameter(runs):
    parameter = RuntimeParameter("data_path", ptype=str)
    (node,) = compiler.Compiler().compile(runs.pipeline(parameter)).nodes
    values = node.pipeline_node.parameters.parameters
    assert values["data_path"].runtime_parameter.name == "data_path"
    for wanted in ("settings", "code_fingerprint", "rejects_dir"):
        assert values[wanted].field_value.string_value


def test_driver_and_executor_can_be_found_by_name():
    driver = SentenceExampleGen.DRIVER_CLASS
    assert import_utils.import_class_by_path(f"{driver.__module__}.{driver.__name__}") is driver
    path = SentenceExampleGen.EXECUTOR_SPEC.class_path
    assert import_utils.import_class_by_path(path).__module__ == "components.ingest.executor"
