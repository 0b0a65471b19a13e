"""TensorFlow Serving's JSON, in and out, without a model."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.serving.errors import ServingError
from components.serving.rest_json import MAX_NESTING, parse_body, to_inputs, to_json


def inputs_of(document: Any, *names: str) -> dict[str, Any]:
    body = parse_body(json.dumps(document).encode())
    return {name: array.tolist() for name, array in to_inputs(body, names or ["text"]).items()}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"instances": ["fine", "grün"]}, {"text": [b"fine", b"gr\xc3\xbcn"]}),
        ({"instances": [{"text": "fine"}]}, {"text": [b"fine"]}),
        ({"instances": [{"b64": "/wA="}]}, {"text": [b"\xff\x00"]}),
        ({"instances": [{"b64": "/wA"}]}, {"text": [b"\xff\x00"]}),
        ({"instances": [{"text": {"b64": ""}}, {"text": ""}]}, {"text": [b"", b""]}),
        ({"instances": [["a", "b"], ["c", "d"]]}, {"text": [[b"a", b"b"], [b"c", b"d"]]}),
        ({"inputs": ["fine"]}, {"text": [b"fine"]}),
        ({"inputs": {"text": ["fine", {"b64": "Yg=="}]}}, {"text": [b"fine", b"b"]}),
        ({"inputs": {"text": ["fine"], "other": [1]}}, {"text": [b"fine"]}),
        ({"inputs": "fine"}, {"text": b"fine"}),
        ({"inputs": {"b64": "Yg=="}}, {"text": b"b"}),
        ({"inputs": []}, {"text": []}),
    ],
)
def test_inputs_of_one_name(document: dict, expected: dict) -> None:
    assert inputs_of(document) == expected


def test_inputs_of_two_names() -> None:
    expected = {"a": [b"x", b"z"], "b": [b"y", b""]}
    rows = [{"a": "x", "b": "y"}, {"b": "", "a": "z"}]
    assert inputs_of({"instances": rows}, "a", "b") == expected
    assert inputs_of({"inputs": {"a": ["x", "z"], "b": ["y", ""]}}, "a", "b") == expected


def test_plain_values_do_not_name_two_inputs() -> None:
    with pytest.raises(ServingError, match="instances is a plain list, but expecting list of obj"):
        inputs_of({"instances": ["a"]}, "a", "b")
    with pytest.raises(ServingError, match="inputs is a plain value/list, but expecting an object"):
        inputs_of({"inputs": ["a"]}, "a", "b")


@pytest.mark.parametrize("body", [b'{"instances": ["\xff"]}', b"[" * 100_000, b"nul"])
def test_what_is_no_json(body: bytes) -> None:
    with pytest.raises(ServingError, match="^JSON Parse error: ") as failure:
        parse_body(body)
    assert failure.value.code.name == "INVALID_ARGUMENT"


def test_rows_of_one_size_but_another_shape() -> None:
    with pytest.raises(ServingError) as failure:
        inputs_of({"instances": [[["a", "b"]], [["a"], ["b"]]]})
    assert failure.value.message.endswith("Expecting shape [1, 2] but got: [2, 1]")


def test_a_bom_and_an_empty_signature_name_are_accepted() -> None:
    body = parse_body(b'\xef\xbb\xbf{"signature_name": "", "inputs": ["a"]}')
    assert (body.signature, body.columns) == ("serving_default", True)


def test_half_a_surrogate_pair_is_refused() -> None:
    body = parse_body(rb'{"inputs": ["\ud800"]}')
    with pytest.raises(ServingError, match="The surrogate pair in string is invalid"):
        to_inputs(body, ["text"])


def test_nesting_is_bounded() -> None:
    nested: Any = "a"
    for _ in range(MAX_NESTING):
        nested = [nested]
    assert np.shape(inputs_of({"inputs": nested})["text"]) == (1,) * MAX_NESTING
    with pytest.raises(ServingError, match="nested more than 8 deep"):
        inputs_of({"inputs": [nested]})


def test_a_long_wrong_value_is_shown_in_part() -> None:
    with pytest.raises(ServingError) as failure:
        inputs_of({"inputs": [{"b65": "x" * 10_000}]})
    assert len(failure.value.message) < 300


@given(st.binary(max_size=40) | st.text().map(str.encode))
def test_no_body_crashes(body: bytes) -> None:
    try:
        to_inputs(parse_body(body), ["text"])
    except ServingError as error:
        assert error.code.name == "INVALID_ARGUMENT"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["text", "b64", "x"]), inner, max_size=2)
    ),
)


@given(st.sampled_from(["instances", "inputs"]), JSON)
def test_no_value_crashes(key: str, value: Any) -> None:
    try:
        (array,) = to_inputs(parse_body(json.dumps({key: value}).encode()), ["text"]).values()
    except ServingError as error:
        assert error.code.name == "INVALID_ARGUMENT"
    else:
        assert all(isinstance(leaf, bytes) for leaf in array.ravel())


TWO_ROWS = {
    "probabilities": np.array([[0.2, 0.8], [1, 1 / 3]], np.float32),
    "label": np.array(["grün".encode(), b"\xff"], object),
}


def test_answers_by_row() -> None:
    assert to_json(TWO_ROWS, columns=False).decode() == (
        '{"predictions": [{"label": "grün", "probabilities": [0.2, 0.8]}, '
        '{"label": "\ufffd", "probabilities": [1.0, 0.333333343]}]}'
    )


def test_answers_by_column() -> None:
    assert to_json(TWO_ROWS, columns=True).decode() == (
        '{"outputs": {"label": ["grün", "\ufffd"], '
        '"probabilities": [[0.2, 0.8], [1.0, 0.333333343]]}}'
    )


def test_one_output_goes_without_its_name() -> None:
    counts = {"count": np.array([3, 4])}
    assert to_json(counts, columns=False) == b'{"predictions": [3, 4]}'
    assert to_json(counts, columns=True) == b'{"outputs": [3, 4]}'


def test_outputs_named_bytes_are_base64() -> None:
    outputs = {"raw_bytes": np.array([b"\xff\x00"], object)}
    assert to_json(outputs, columns=False) == b'{"predictions": [{"b64": "/wA="}]}'


def test_an_empty_batch_and_what_is_no_number() -> None:
    empty = {"label": np.empty([0], object), "probabilities": np.empty([0, 2], np.float32)}
    assert to_json(empty, columns=True) == b'{"outputs": {"label": [], "probabilities": []}}'
    odd = {"p": np.array([np.nan, np.inf, -np.inf], np.float32)}
    assert to_json(odd, columns=True) == b'{"outputs": [NaN, Infinity, -Infinity]}'


@given(st.floats(width=32, allow_nan=False))
def test_numbers_come_back_as_the_same_float32(value: float) -> None:
    answer = json.loads(to_json({"p": np.array([value], np.float32)}, columns=True))
    assert np.float32(answer["outputs"][0]) == np.float32(value)
