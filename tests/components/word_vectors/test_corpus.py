"""The words of a corpus: literal counts, and the same words in the same order as Transform's."""

import apache_beam as beam
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

from components.settings import TextSettings
from components.text import tokenize
from components.transform import corpus_vocabulary
from components.word_vectors import corpus

# Ties, words beyond ASCII and the BMP, an empty text, control characters and line ends of Unicode.
TEXTS = [
    "Good film, good cast.",
    "Ünder the ﬁlm 😀 😀 z",
    "",
    "a\u2028b c\x00d e\x85f \ufffd tie knot",
    "\u4e2d\u6587 and \U00010400 knot",
]


@pytest.fixture
def examples(tmp_path):
    for number, texts in enumerate((TEXTS[:2], TEXTS[2:])):
        with tf.io.TFRecordWriter(str(tmp_path / f"data-{number}.gz"), "GZIP") as writer:
            for text in texts:
                value = tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()]))
                example = tf.train.Example(features=tf.train.Features(feature={"text": value}))
                writer.write(example.SerializeToString())
    return str(tmp_path / "data-*")


def counted(pattern, path, **bounds):
    with beam.Pipeline() as pipeline:
        corpus.write_corpus(pipeline, pattern, TextSettings(**bounds), str(path))
    return corpus.read_corpus(str(path))


def of_transform(folder, settings):
    spec = {"text": tf.io.FixedLenFeature([], tf.string)}
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(spec))

    def preprocess(inputs):
        tokens = tokenize(inputs["text"], settings.lowercase, settings.split_hyphens)
        corpus_vocabulary(tokens, settings)
        return inputs

    with tft_beam.Context(temp_dir=str(folder / "temporary")):
        rows = [{"text": text} for text in TEXTS]
        function = (rows, metadata) | tft_beam.AnalyzeDataset(preprocess)
        function | tft_beam.WriteTransformFn(str(folder / "graph"))
    output = tft.TFTransformOutput(str(folder / "graph"))
    return [word.decode() for word in output.vocabulary_by_name("vocabulary")]


def test_words_are_counted_over_files_and_batches(examples, tmp_path, monkeypatch):
    monkeypatch.setattr(corpus, "BATCH_ROWS", 2)
    found = counted(examples, tmp_path / "corpus", vocab_size=4)
    assert found == [("😀", 2), ("knot", 2), ("good", 2), ("film", 2)]


@pytest.mark.parametrize("bounds", [{}, {"min_count": 2}, {"vocab_size": 7}, {"lowercase": False}])
def test_they_are_those_of_transform_in_its_order(examples, tmp_path, bounds):
    found = [word for word, _ in counted(examples, tmp_path / "corpus", **bounds)]
    assert found == of_transform(tmp_path, TextSettings(**bounds))


def test_a_corpus_without_words_has_none(tmp_path):
    tf.io.TFRecordWriter(str(tmp_path / "data-0.gz"), "GZIP").close()
    assert counted(str(tmp_path / "data-*"), tmp_path / "corpus") == []
