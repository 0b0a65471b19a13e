"""One loaded version: its answers, its checks, its warm-up."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf.message import DecodeError
from grpc import StatusCode
from hypothesis import given
from hypothesis import strategies as st
from tensorflow.core.framework import tensor_pb2

from components.serving.errors import ServingError
from components.serving.model import ServedModel
from components.serving.tensors import to_array, to_proto
from tests.components.serving.tiny_model import example, predict_log, write_warmup


@pytest.fixture(scope="module")
def model(saved_models: dict[str, Path]) -> ServedModel:
    return ServedModel(saved_models["plain"])


@pytest.fixture
def folder(tmp_path: Path, saved_models: dict[str, Path]) -> Path:
    """A copy to break."""
    return Path(shutil.copytree(saved_models["plain"], tmp_path / "7"))


def strings(*values: str | bytes) -> np.ndarray:
    return np.array([v.encode() if isinstance(v, str) else v for v in values], dtype=object)


def test_sentences(model: ServedModel) -> None:
    answer = model.predict("serving_default", {"text": strings("great", "bad bad", "")})
    assert answer["label"].tolist() == [b"positive", b"negative", b"negative"]
    assert answer["probabilities"].dtype == np.float32
    assert answer["probabilities"].tolist() == [[0.125, 0.875], [0.75, 0.25], [0.5, 0.5]]


def test_examples(model: ServedModel) -> None:
    answer = model.predict("examples", {"examples": strings(example("great"))})
    assert answer["label"].tolist() == [b"positive"]


def test_labels(model: ServedModel, folder: Path) -> None:
    assert model.labels == ("negative", "positive")
    (folder / "assets.extra" / "sentiflow.json").unlink()
    assert ServedModel(folder).labels is None


@pytest.mark.parametrize(
    ("signature", "inputs", "code", "message"),
    [
        ("none", {}, "FAILED_PRECONDITION", 'Serving signature key "none" not found.'),
        (
            "serving_default",
            {"txt": strings("a")},
            "INVALID_ARGUMENT",
            "input tensor alias not found in signature: txt. "
            "Inputs expected to be in the set {text}.",
        ),
        (
            "serving_default",
            {"text": strings("a"), "txt": strings("a")},
            "INVALID_ARGUMENT",
            "input size does not match signature: 2!=1 len({text,txt}) != len({text}). "
            "Sent extra: {txt}. Missing but required: {}.",
        ),
        (
            "serving_default",
            {"text": np.array([1], np.int64)},
            "INVALID_ARGUMENT",
            "input 'text' must be string of shape (None,), got int64 of shape [1]",
        ),
        (
            "serving_default",
            {"text": np.array(b"a", object)},
            "INVALID_ARGUMENT",
            "input 'text' must be string of shape (None,), got string of shape []",
        ),
        (
            "examples",
            {"examples": strings("no proto")},
            "INVALID_ARGUMENT",
            "Could not parse example input, value: 'no proto'",
        ),
    ],
)
def test_wrong_requests(
    model: ServedModel, signature: str, inputs: dict, code: str, message: str
) -> None:
    with pytest.raises(ServingError) as failure:
        model.predict(signature, inputs)
    assert (failure.value.code.name, failure.value.message) == (code, message)


def test_string_input(model: ServedModel) -> None:
    assert model.string_input("examples") == "examples"
    with pytest.raises(ServingError, match='name: "none" not found in signature def'):
        model.string_input("none")
    with pytest.raises(ServingError, match="Failed to get input map for signature"):
        model.string_input("__saved_model_init_op")


def failure_of(folder: Path) -> tuple[str, str]:
    with pytest.raises(ServingError) as failure:
        ServedModel(folder)
    assert str(folder.parent) not in failure.value.message
    return failure.value.code.name, failure.value.message


def test_folders_that_hold_no_model(folder: Path) -> None:
    code, message = failure_of(folder / "variables")
    assert code == "NOT_FOUND" and "saved_model.pb" in message
    (folder / "saved_model.pb").write_bytes(b"not a model")
    assert failure_of(folder)[0] == "DATA_LOSS"
    (folder / "saved_model.pb").write_bytes(b"")
    assert failure_of(folder) == (
        "NOT_FOUND",
        "saved_model.pb has no graph with the tag 'serve'",
    )


def test_a_model_whose_variables_are_lost(folder: Path) -> None:
    shutil.rmtree(folder / "variables")
    code, message = failure_of(folder)
    assert code == "NOT_FOUND" and "variables" in message


def test_a_model_without_the_contract(tmp_path: Path) -> None:
    class Doubler(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
        def double(self, x):
            return {"y": 2.0 * x}

    tf.saved_model.save(Doubler(), str(tmp_path / "7"))
    assert failure_of(tmp_path / "7") == (
        "FAILED_PRECONDITION",
        "Expected a signature 'serving_default' from text to label,probabilities, got x to y",
    )


def test_broken_model_info(folder: Path) -> None:
    (folder / "assets.extra" / "sentiflow.json").write_text("{")
    assert failure_of(folder)[0] == "DATA_LOSS"


def test_warmup_requests_are_answered_before_the_model_is_there(folder: Path) -> None:
    write_warmup(folder, [predict_log(["good"]), predict_log(["good"], name="txt")])
    code, message = failure_of(folder)
    assert code == "INVALID_ARGUMENT" and "signature: txt" in message


def test_warmup_files_that_cannot_be_read(folder: Path) -> None:
    path = folder / "assets.extra" / "tf_serving_warmup_requests"
    path.write_bytes(path.read_bytes()[:-3])
    assert failure_of(folder)[0] == "DATA_LOSS"
    log = predict_log(["good"])
    log.regress_log.SetInParent()
    write_warmup(folder, [log])
    assert failure_of(folder) == (
        "INVALID_ARGUMENT",
        "tf_serving_warmup_requests: expected at most 1000 Predict requests, "
        "got regress_log as record 1",
    )


def test_tensors_go_through_messages_unchanged() -> None:
    for array in (
        np.array([[0.1, np.nan]], np.float32),
        np.array([b"\xff", b""], object),
        np.array([1, 2], np.int64),
        np.empty([0, 2], np.float32),
    ):
        back = to_array(to_proto(array))
        assert (back.dtype, back.shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(back, array)


def test_answers_stand_in_typed_fields() -> None:
    assert list(to_proto(np.array([[1, 0.5]], np.float32)).float_val) == [1, 0.5]
    assert list(to_proto(np.array([b"a"], object)).string_val) == [b"a"]


@pytest.mark.parametrize("sizes", [[10**12], [10**6, 10**6], [-1], [2**62, 2**62]])
def test_a_small_message_cannot_claim_a_giant_tensor(sizes: list[int]) -> None:
    proto = tensor_pb2.TensorProto(dtype=tf.string.as_datatype_enum, string_val=[b"a"])
    for size in sizes:
        proto.tensor_shape.dim.add().size = size
    with pytest.raises(ServingError) as failure:
        to_array(proto)
    assert failure.value.code is StatusCode.INVALID_ARGUMENT


@given(st.binary(max_size=60))
def test_no_message_crashes(data: bytes) -> None:
    try:
        proto = tensor_pb2.TensorProto.FromString(data)
    except DecodeError:
        return
    try:
        assert isinstance(to_array(proto), np.ndarray)
    except ServingError as error:
        assert error.code is StatusCode.INVALID_ARGUMENT
