"""Which model `sentiflow predict` asks, and what it writes over."""

import json

import pytest

from components.errors import DataRefused, UsageError
from components.serving.client import Prediction
from components.serving.promotion import promote
from pipeline.ask import about_file, predictor
from pipeline.config import load_config
from pipeline.pushed import find_model, model_in


def always_positive(sentences):
    return [
        Prediction(text, "positive", {"negative": 0.25, "positive": 0.75}) for text in sentences
    ]


@pytest.fixture
def config():
    return load_config()


def test_the_version_that_is_served_is_asked(pushed, tmp_path):
    import shutil

    root = shutil.copytree(pushed, tmp_path / "serving")
    assert find_model(root, "sentiment").version == 2
    promote(root, "sentiment", 1)
    model = find_model(root, "sentiment")
    assert (model.version, model.folder) == (1, root / "sentiment" / "1")
    assert find_model(root, "sentiment", 2).version == 2
    with pytest.raises(UsageError, match="no version 3; there are: 1, 2"):
        find_model(root, "sentiment", 3)


def test_a_models_folder_in_the_place_of_a_versions(pushed, config):
    with pytest.raises(UsageError, match=r"saved_model.pb is missing; name a version.*sentiment/2"):
        with predictor(config, pushed, model_dir=str(pushed / "sentiment")):
            pass
    assert model_in(pushed / "sentiment" / "1").version == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("in.jsonl", '{"text": "good"}\n'),  # the input itself
        ("other.jsonl", '{"text": "good", "label": "positive"}\n'),
        ("errors.jsonl", '{"error": "disk full", "host": "a"}\n'),  # somebody's log
        ("notes.txt", "remember the milk\n"),
        ("list.json", "[1, 2]"),
    ],
)
def test_a_file_that_is_no_answer_is_not_written_over(config, tmp_path, name, content):
    (tmp_path / "in.jsonl").write_text('{"text": "good"}\n')
    (tmp_path / name).write_text(content)
    with pytest.raises(UsageError, match="is no file of answers, and stays"):
        about_file(always_positive, str(tmp_path / "in.jsonl"), str(tmp_path / name), config)
    assert (tmp_path / name).read_text() == content


@pytest.mark.parametrize("name", ["out.csv", "out.tsv", "out.parquet", "out.jsonl.gz"])
def test_an_ending_that_promises_another_format(config, tmp_path, name):
    (tmp_path / "in.jsonl").write_text('{"text": "good"}\n')
    with pytest.raises(UsageError, match="JSON lines: name it"):
        about_file(always_positive, str(tmp_path / "in.jsonl"), str(tmp_path / name), config)
    assert not (tmp_path / name).exists()


def test_answers_are_written_over(config, tmp_path):
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    output.touch()
    for text in ("good", "bad"):
        source.write_text(json.dumps({"text": text}) + "\n")
        said = about_file(always_positive, str(source), str(output), config)
        assert said == f"1 sentences predicted: {output}"
        assert [json.loads(line)["text"] for line in output.read_text().splitlines()] == [text]


def test_too_many_records_that_cannot_be_read(config, tmp_path):
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"text": "good"}\n' * 9 + "not JSON\n")
    with pytest.raises(DataRefused) as refusal:
        about_file(always_positive, str(source), str(output), config)
    assert str(refusal.value) == (
        f"9 sentences predicted, 1 of 10 records could not be read (1 broken_json): {output}; "
        "data.max_reject_fraction is 0.05"
    )
    assert len(output.read_text().splitlines()) == 10
    source.write_text('{"text": "good"}\n' * 29 + "not JSON\n")
    assert about_file(always_positive, str(source), str(output), config).startswith(
        "29 sentences predicted, 1 of 30 records could not be read (1 broken_json): "
    )
