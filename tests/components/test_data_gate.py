"""DataGate: what it refuses, in which words, and what it lets pass."""

import json

import pyarrow as pa
import pytest
import tfx  # noqa: F401  # before tensorflow_data_validation: see docs/dependencies.md
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.types import Channel, standard_artifacts

# isort: split
import tensorflow_data_validation as tfdv

from components.data_gate import DataGate, DataVerdict, Executor, findings, skews
from components.errors import DataRefused
from components.schema_importer import schema_with_labels
from components.settings import GateSettings

SCHEMA = schema_with_labels(["no", "yes"])


def statistics(labels, texts=None, **more):
    """Statistics of as many rows as there are labels; None in a column is a missing value."""
    texts = [f"sentence {i}" for i in range(len(labels))] if texts is None else texts
    columns = {"text": texts, "label": labels, **more}
    arrays = [
        pa.array([None if v is None else [v] for v in values], pa.list_(pa.string()))
        for values in columns.values()
        if values
    ]
    names = [name for name, values in columns.items() if values]
    batch = pa.RecordBatch.from_arrays(arrays, names)
    return tfdv.statistics.stats_impl.generate_statistics_in_memory(batch, tfdv.StatsOptions())


def validate(stats):
    return tfdv.validate_statistics(stats, SCHEMA)


def test_good_data_has_no_findings():
    assert findings({"train": validate(statistics(["no", "yes"]))}, "warning") == []


@pytest.mark.parametrize(
    ("stats", "line"),
    [
        (
            statistics(["no", "maybe"]),
            "split 'eval', feature 'label': Unexpected string values: "
            "Examples contain values missing from the schema: maybe (~50%)",
        ),
        (
            statistics([], ["a", "b"]),
            "split 'eval', feature 'label': Column dropped: Column is completely missing",
        ),
        (
            statistics(["no", "yes"], extra=["a", "b"]),
            "split 'eval', feature 'extra': New column: "
            "New column (column in data but not in schema)",
        ),
    ],
)
def test_a_finding_names_split_feature_and_reason(stats, line):
    assert findings({"eval": validate(stats)}, "error") == [line]


def test_all_reasons_of_a_feature_are_named():
    (line,) = findings({"train": validate(statistics(["no", "yes"], ["a", None]))}, "error")
    assert line.startswith("split 'train', feature 'text': Feature shape dropped: ")
    assert "; Column dropped: The feature was present in fewer examples than expected" in line


def test_every_split_is_looked_at():
    bad = validate(statistics(["no", "maybe"]))
    lines = findings({"train": validate(statistics(["no"])), "eval": bad, "test": bad}, "error")
    assert [line[:12] for line in lines] == ["split 'eval'", "split 'test'"]


def test_an_empty_split_is_a_finding():
    assert findings({"eval": validate(statistics([], []))}, "error") == [
        "split 'eval': no examples"
    ]


def test_severity_below_the_configured_one_passes():
    anomalies = anomalies_pb2.Anomalies()
    info = anomalies.anomaly_info["text"]
    info.severity = anomalies_pb2.AnomalyInfo.WARNING
    info.reason.add(short_description="Odd", description="Two\nlines.")
    assert findings({"train": anomalies}, "error") == []
    assert findings({"train": anomalies}, "warning") == [
        "split 'train', feature 'text': Odd: Two lines"
    ]


def test_anomalies_of_the_whole_data_set_are_findings():
    anomalies = anomalies_pb2.Anomalies()
    anomalies.dataset_anomaly_info.severity = anomalies_pb2.AnomalyInfo.ERROR
    anomalies.dataset_anomaly_info.reason.add(short_description="Few", description="Too few.")
    assert findings({"train": anomalies}, "error") == ["split 'train': Few: Too few"]


def test_a_split_whose_labels_are_shared_out_otherwise_than_in_train_is_a_finding():
    even, uneven = statistics(["no", "yes"] * 50), statistics(["no"] * 90 + ["yes"] * 10)
    found = skews({"train": even, "eval": uneven, "test": even}, SCHEMA)
    (line,) = findings(found, "error")
    assert line.startswith("split 'eval against train', feature 'label': High Linfty distance")
    assert "is 0.4 " in line and "above the threshold 0.3" in line


def test_a_small_split_differs_from_train_by_chance():
    assert (
        skews({"train": statistics(["no", "yes"] * 50), "eval": statistics(["no"] * 99)}, SCHEMA)
        == {}
    )


def test_comparing_leaves_what_is_wrong_with_train_alone_to_the_validator():
    train, other = statistics(["no", "maybe"] * 50), statistics(["no", "maybe"] * 50)
    assert findings(skews({"train": train, "eval": other}, SCHEMA), "warning") == []


def artifacts(tmp_path, by_split):
    """What the steps before leave, as inputs, and where the verdict goes, as outputs."""
    anomalies, stats = standard_artifacts.ExampleAnomalies(), standard_artifacts.ExampleStatistics()
    schema, verdict = standard_artifacts.Schema(), DataVerdict()
    for name, artifact in (("a", anomalies), ("s", stats), ("schema", schema), ("v", verdict)):
        artifact.uri = str(tmp_path / name)
        (tmp_path / name).mkdir()
    anomalies.split_names = stats.split_names = json.dumps(list(by_split))
    (tmp_path / "schema" / "schema.pbtxt").write_text(str(SCHEMA))
    for split, value in by_split.items():
        for artifact, file, message in (
            (anomalies, "SchemaDiff.pb", validate(value)),
            (stats, "FeatureStats.pb", value),
        ):
            path = tmp_path / artifact.uri / f"Split-{split}"
            path.mkdir()
            (path / file).write_bytes(message.SerializeToString())
    return {"anomalies": [anomalies], "statistics": [stats], "schema": [schema]}, {
        "verdict": [verdict]
    }


def run(inputs, outputs, fail_on="error"):
    settings = GateSettings(fail_on=fail_on).model_dump_json()
    Executor().Do(inputs, outputs, {"settings": settings})


def test_the_executor_passes_good_data_and_says_so(tmp_path):
    good = statistics(["no", "yes"] * 60)
    run(*artifacts(tmp_path, {"train": good, "eval": good}))
    verdict = json.loads((tmp_path / "v" / "verdict.json").read_text())
    assert verdict == {"fail_on": "error", "tolerated": []}


def test_the_executor_refuses_in_one_line(tmp_path):
    by_split = {"train": statistics(["no", "yes"]), "eval": statistics(["no", "maybe"])}
    with pytest.raises(DataRefused) as refusal:
        run(*artifacts(tmp_path, by_split))
    assert str(refusal.value) == (
        "split 'eval', feature 'label': Unexpected string values: Examples contain values missing "
        "from the schema: maybe (~50%). Correct the data, or schema/schema.pbtxt"
    )
    assert not (tmp_path / "v" / "verdict.json").exists()


def test_the_executor_refuses_a_skewed_split(tmp_path):
    by_split = {"train": statistics(["no", "yes"] * 50), "eval": statistics(["no"] * 100)}
    with pytest.raises(DataRefused, match="'eval against train', feature 'label'.* is 0.5 "):
        run(*artifacts(tmp_path, by_split))


def test_settings_and_code_are_the_cache_key():
    gate = DataGate(
        anomalies=Channel(type=standard_artifacts.ExampleAnomalies),
        statistics=Channel(type=standard_artifacts.ExampleStatistics),
        schema=Channel(type=standard_artifacts.Schema),
        settings=GateSettings(fail_on="warning"),
        code_fingerprint="f00",
    )
    assert gate.exec_properties == {"settings": '{"fail_on":"warning"}', "code_fingerprint": "f00"}
    assert gate.outputs["verdict"].type is DataVerdict
