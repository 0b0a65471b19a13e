"""ProfileGen: the profile of the eval split, as a small model reads and answers it."""

import pytest
from tfx.types import Channel, standard_artifacts

from components.artifacts import ReferenceProfile
from components.drift.component import ProfileGen
from components.drift.executor import Executor
from components.drift.profile import TextProfile
from tests.components.linear_baseline.raw_examples import write_split
from tests.components.serving import tiny_model

EVAL = [("Good .", "positive"), ("awful camera", "negative"), ("great", "negative")]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    model, examples = standard_artifacts.Model(), standard_artifacts.Examples()
    model.uri, examples.uri = str(folder / "model"), str(folder / "examples")
    examples.split_names = '["train", "eval"]'
    tiny_model.save(folder / "model" / "Format-Serving")
    write_split(folder / "examples" / "Split-train", [("train", "positive")])
    write_split(folder / "examples" / "Split-eval", EVAL)
    return {"model": [model], "examples": [examples]}


def run(inputs, folder, max_rows):
    folder.mkdir()
    output = ReferenceProfile()
    output.uri = str(folder)
    node = ProfileGen(
        Channel(type=standard_artifacts.Model),
        Channel(type=standard_artifacts.Examples),
        max_rows=max_rows,
        code_fingerprint="c",
    )
    Executor().Do(inputs, {"profile": [output]}, node.exec_properties)
    return TextProfile.from_json((folder / "reference_profile.json").read_bytes())


def test_eval_is_profiled_and_not_train(inputs, tmp_path):
    found = run(inputs, tmp_path / "profile", max_rows=10)
    assert found.rows == 3
    assert found.words == {"awful": 1, "good": 1, ".": 1, "camera": 1, "great": 1}
    assert found.unknown == 2  # the point and the camera
    assert found.labels == {"positive": 1, "negative": 2}
    # 7/8 for awful and great; "Good" with a capital letter is another word to this model: 4/8.
    assert {n: count for n, count in enumerate(found.confidences) if count} == {10: 1, 17: 2}


def test_a_sample_of_many_rows(inputs, tmp_path):
    assert run(inputs, tmp_path / "profile", max_rows=2).rows == 2
