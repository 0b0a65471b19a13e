"""Transform: literal ids from the real components, chained as in the pipeline."""

import json
from pathlib import Path

import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata
from tfx.components.example_gen.import_example_gen.component import ImportExampleGen
from tfx.components.example_validator.component import ExampleValidator
from tfx.components.statistics_gen.component import StatisticsGen
from tfx.components.transform.component import Transform
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import example_gen_pb2

from components.data_gate import DataGate
from components.schema_importer import SchemaImporter, schema_with_labels
from components.settings import GateSettings, TextSettings
from components.transform import preprocessing_fn, to_label_id

LABELS = ["bad", "good"]
TRAIN = [
    ("Good film.", "good"),
    ("A good, good cast!", "good"),
    ("Not a good film.", "bad"),
    ("I can't say", "bad"),
]
EVAL = [
    ("A FILM.", "good"),
    ("", "bad"),
    ("dull", "bad"),
    ("good good good good good film", "good"),
]


def write_examples(path: Path, rows: list[tuple[str, str]]) -> None:
    path.parent.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for text, label in rows:
            feature = {
                name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()]))
                for name, value in (("text", text), ("label", label))
            }
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())


def only(root: Path, pattern: str) -> Path:
    (path,) = root.glob(pattern)
    return path


@pytest.fixture(scope="module")
def chain(tmp_path_factory) -> Path:
    """What a pipeline of all steps up to Transform leaves: min_count 2, max_length 5."""
    folder = tmp_path_factory.mktemp("chain")
    for split, rows in (("train", TRAIN), ("eval", EVAL)):
        write_examples(folder / "in" / split / "data.gz", rows)
    splits = [
        example_gen_pb2.Input.Split(name=split, pattern=f"{split}/*") for split in ("train", "eval")
    ]
    example_gen = ImportExampleGen(
        input_base=str(folder / "in"), input_config=example_gen_pb2.Input(splits=splits)
    )
    examples = example_gen.outputs["examples"]
    importer = SchemaImporter(labels=LABELS, code_fingerprint="")
    schema = importer.outputs["schema"]
    statistics = StatisticsGen(examples=examples, schema=schema)
    validator = ExampleValidator(statistics=statistics.outputs["statistics"], schema=schema)
    gate = DataGate(
        anomalies=validator.outputs["anomalies"],
        statistics=statistics.outputs["statistics"],
        schema=schema,
        settings=GateSettings(fail_on="warning"),
        code_fingerprint="",
    )
    text = TextSettings(min_count=2, max_length=5)
    transform = Transform(
        examples=examples,
        schema=schema,
        preprocessing_fn="components.transform.preprocessing_fn",
        custom_config={"text": text.model_dump(mode="json"), "labels": LABELS},
        disable_statistics=True,
        disable_analyzer_cache=True,
    )
    transform.add_upstream_node(gate)
    LocalDagRunner().run(
        Pipeline(
            pipeline_name="chain",
            pipeline_root=str(folder / "out"),
            components=[example_gen, importer, statistics, validator, gate, transform],
            metadata_connection_config=sqlite_metadata_connection_config(str(folder / "db")),
        )
    )
    return folder / "out"


def transformed(chain: Path, split: str) -> list[tuple[list[int], list[int]]]:
    """(ids, label id) of each example as it is stored, in any order."""
    files = chain.glob(f"Transform/transformed_examples/*/Split-{split}/*")
    records = tf.data.TFRecordDataset([str(file) for file in files], "GZIP")
    rows = []
    for record in records.as_numpy_iterator():
        feature = tf.train.Example.FromString(record).features.feature
        ids, label_id = (list(feature[name].int64_list.value) for name in ("ids", "label_id"))
        rows.append((ids, label_id))
    return sorted(rows)


@pytest.mark.e2e
def test_the_gate_passes_good_data(chain):
    verdict = json.loads(only(chain, "DataGate/verdict/*/verdict.json").read_text())
    assert verdict == {"fail_on": "warning", "tolerated": []}


@pytest.mark.e2e
def test_the_vocabulary_is_readable_and_sorted_by_frequency(chain):
    file = only(chain, "Transform/transform_graph/*/transform_fn/assets/vocabulary")
    # good 4 times; the others twice, which is min_count, in reverse order.
    assert file.read_text() == "good\nfilm\na\n.\n"


@pytest.mark.e2e
def test_ids_of_train(chain):
    assert transformed(chain, "train") == [
        ([1, 1, 1, 1, 0], [0]),  # i ca n't say
        ([1, 4, 2, 3, 5], [0]),  # not a good film .
        ([2, 3, 5, 0, 0], [1]),  # good film .
        ([4, 2, 1, 2, 1], [1]),  # a good , good cast (!)
    ]


@pytest.mark.e2e
def test_ids_of_eval_come_from_the_vocabulary_of_train(chain):
    assert transformed(chain, "eval") == [
        ([1, 0, 0, 0, 0], [0]),  # blank
        ([1, 0, 0, 0, 0], [0]),  # dull
        ([2, 2, 2, 2, 2], [1]),
        ([4, 3, 5, 0, 0], [1]),  # a film .
    ]


@pytest.mark.e2e
def test_the_graph_needs_no_label(chain, tmp_path):
    module = tf.Module()
    output = tft.TFTransformOutput(str(only(chain, "Transform/transform_graph/*")))
    module.transform = output.transform_features_layer()
    module.ids = tf.function(
        lambda text: module.transform({"text": text})["ids"],
        input_signature=[tf.TensorSpec([None], tf.string)],
    )
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    sentences = tf.constant(["A good film…", " ", "ＦＩＬＭ can’t é"])
    assert loaded.ids(sentences).numpy().tolist() == [
        [4, 2, 3, 1, 0],
        [1, 0, 0, 0, 0],
        [3, 1, 1, 1, 0],
    ]


@pytest.mark.e2e
def test_the_vocabulary_size_is_known_to_the_trainer(chain):
    output = tft.TFTransformOutput(str(only(chain, "Transform/transform_graph/*")))
    assert output.vocabulary_size_by_name("vocabulary") == 4


def analyze(settings: TextSettings, folder: Path) -> list[str]:
    """The vocabulary of TRAIN."""
    rows = [{"text": text.encode(), "label": label.encode()} for text, label in TRAIN]
    config = {"text": settings.model_dump(mode="json"), "labels": LABELS}
    metadata = dataset_metadata.DatasetMetadata(schema_with_labels(LABELS))
    with tft_beam.Context(temp_dir=str(folder / "tmp")):
        graph = (rows, metadata) | tft_beam.AnalyzeDataset(
            lambda inputs: preprocessing_fn(inputs, config)
        )
        graph | tft_beam.WriteTransformFn(str(folder / "graph"))
    output = tft.TFTransformOutput(str(folder / "graph"))
    return [token.decode() for token in output.vocabulary_by_name("vocabulary")]


def test_only_the_most_frequent_tokens_are_kept(tmp_path):
    settings = TextSettings(vocab_size=2, lowercase=False)
    assert analyze(settings, tmp_path) == ["good", "film"]


def test_labels_are_numbered_as_configured():
    label = tf.constant(["good", "bad", "other", "Good", ""])
    assert to_label_id(label, LABELS).numpy().tolist() == [1, 0, -1, -1, -1]
    assert to_label_id(tf.constant(["é"]), ["a", "b", "é"]).numpy().tolist() == [2]
