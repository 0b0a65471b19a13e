"""TensorFlow Serving's JSON: a predict request to arrays, and arrays to its answer.

Row format is `instances`, answered by `predictions`; column format `inputs`, by `outputs`.
Source: TensorFlow Serving, docs "RESTful API" and util/json_tensor.cc.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from grpc import StatusCode

from components.serving.errors import ServingError
from schema import features

MAX_NESTING = 8  # lists in lists; far more than any signature here takes
SHOWN_CHARACTERS = 200  # of a wrong value, in an error

_TYPES = {dict: "Object", list: "Array", str: "String", bool: "Bool", type(None): "Null"}


@dataclass(frozen=True)
class PredictBody:
    """A parsed request body."""

    signature: str
    columns: bool  # column format
    values: Any  # what stands under `inputs` or `instances`


def parse_body(body: bytes) -> PredictBody:
    """Parses the body of a predict request.

    Raises:
      ServingError: INVALID_ARGUMENT, no JSON object with one of `instances` and `inputs`.
    """
    try:
        document = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise _invalid(f"JSON Parse error: {error or 'nested too deep'}") from error
    if not isinstance(document, dict):
        raise _invalid(f"JSON Value: {_show(document)} Is not object")
    signature = document.get("signature_name", features.SERVING_SIGNATURE)
    if not isinstance(signature, str):
        raise _invalid("'signature_name' key must be a string value.")
    if "instances" in document and "inputs" in document:
        raise _invalid("Expecting only one of 'inputs' or 'instances' keys to exist")
    if "inputs" in document:
        return PredictBody(signature or features.SERVING_SIGNATURE, True, document["inputs"])
    if "instances" not in document:
        raise _invalid("Missing 'inputs' or 'instances' key")
    instances = document["instances"]
    if not isinstance(instances, list) or not instances:
        raise _invalid("Expecting 'instances' to be a list with at least one element")
    return PredictBody(signature or features.SERVING_SIGNATURE, False, instances)


def to_inputs(body: PredictBody, names: Sequence[str]) -> dict[str, np.ndarray]:
    """The arrays of a request, for a signature whose inputs are the strings `names`.

    Returns:
      {name: object array of bytes}; in row format its first dimension is the number of instances.

    Raises:
      ServingError: INVALID_ARGUMENT, the values are no strings, are of uneven shape, or do not name
        the signature's inputs.
    """
    return _from_columns(body.values, names) if body.columns else _from_rows(body.values, names)


def to_json(outputs: Mapping[str, np.ndarray], columns: bool) -> bytes:
    """The answer, by row or by output; a single output goes without its name."""
    plain = {name: _plain(name, array) for name, array in sorted(outputs.items())}
    document: dict[str, Any]
    if columns:
        document = {"outputs": plain if len(plain) > 1 else next(iter(plain.values()))}
    elif len(plain) > 1:
        rows = zip(*plain.values(), strict=True)
        document = {"predictions": [dict(zip(plain, row, strict=True)) for row in rows]}
    else:
        document = {"predictions": next(iter(plain.values()))}
    return json.dumps(document, ensure_ascii=False).encode()


def _from_rows(instances: list, names: Sequence[str]) -> dict[str, np.ndarray]:
    named = _is_named(instances[0])
    rows: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for number, instance in enumerate(instances):
        where = f"Failed to process element: {number} of 'instances' list."
        if _is_named(instance) != named:
            raise _invalid(f"{where} Expecting either objects or plain values, not both")
        if not named and len(names) > 1:
            raise _invalid(f"{where} Expecting an object with the keys {','.join(names)}")
        values = instance if named else {names[0]: instance}
        if set(values) != set(names):
            raise _invalid(
                f"{where} JSON object: {_show(instance)} keys must be equal to: {','.join(names)}"
            )
        for name in names:
            try:
                array = _array(values[name])
            except ServingError as error:
                raise _invalid(f"{where} Error: {error.message}") from error
            if rows[name] and array.shape != rows[name][0].shape:
                expected, got = list(rows[name][0].shape), list(array.shape)
                raise _invalid(f"{where} Expecting shape {expected} but got: {got}")
            rows[name].append(array)
    return {name: np.stack(arrays) for name, arrays in rows.items()}


def _from_columns(values: Any, names: Sequence[str]) -> dict[str, np.ndarray]:
    if not _is_named(values):
        if len(names) > 1:
            raise _invalid(f"Expecting 'inputs' to be an object with the keys {','.join(names)}")
        return {names[0]: _array(values)}
    for name in names:
        if name not in values:
            raise _invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: _array(values[name]) for name in names}


def _is_named(value: Any) -> bool:
    """Whether a value is {name: tensor} and not a tensor, which {"b64": …} is too."""
    return isinstance(value, dict) and not _is_base64(value)


def _is_base64(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"b64"} and isinstance(value["b64"], str)


def _array(value: Any) -> np.ndarray:
    shape: list[int] = []
    first = value
    while isinstance(first, list):
        shape.append(len(first))
        first = first[0] if first else None
        if len(shape) > MAX_NESTING:
            raise _invalid(f"Encountered lists nested more than {MAX_NESTING} deep")
    leaves: list[bytes] = []
    _collect(value, shape, leaves)
    array = np.empty(len(leaves), dtype=object)
    array[:] = leaves
    return array.reshape(shape)


def _collect(value: Any, shape: Sequence[int], leaves: list[bytes]) -> None:
    """Appends the strings of nested lists, which must have the shape of their first elements."""
    if not shape:
        leaves.append(_string(value))
        return
    if not isinstance(value, list) or len(value) != shape[0]:
        raise _invalid(f"JSON Value: {_show(value)} Expecting a list of size {shape[0]}")
    for element in value:
        _collect(element, shape[1:], leaves)


def _string(value: Any) -> bytes:
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError as error:
            raise _invalid("The surrogate pair in string is invalid.") from error
    if _is_base64(value):
        return _decode_base64(value["b64"])
    if isinstance(value, dict):
        raise _invalid(f"JSON Value: {_show(value)} not formatted correctly for base64 data")
    kind = _TYPES.get(type(value), "Number")
    raise _invalid(f"JSON Value: {_show(value)} Type: {kind} is not of expected type: string")


def _decode_base64(text: str) -> bytes:
    unpadded = text.rstrip("=")
    try:
        return base64.b64decode(unpadded + "=" * (-len(unpadded) % 4), validate=True)
    except (ValueError, binascii.Error) as error:
        raise _invalid("Unable to base64 decode") from error


def _plain(name: str, array: np.ndarray) -> Any:
    """Nested lists of what JSON can carry. Bytes are base64 where the output's name says so."""
    if array.dtype == np.float32:
        decimals = [_decimal(value) for value in array.ravel().tolist()]
        return np.array(decimals, dtype=np.float64).reshape(array.shape).tolist()
    if array.dtype != np.object_:
        return array.tolist()
    encode = _encode_base64 if name.endswith("_bytes") else _decode
    strings = np.empty(array.shape, dtype=object)
    strings.ravel()[:] = [encode(value) for value in array.ravel()]
    return strings.tolist()


def _decimal(value: float) -> float:
    """A float32 with as few digits as bring it back: 0.8, not 0.800000011920929."""
    short = float(f"{value:.6g}")
    return short if np.float32(short) == value else float(f"{value:.9g}")


def _encode_base64(value: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(value).decode()}


def _decode(value: bytes) -> str:
    return value.decode(errors="replace")


def _show(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"


def _invalid(message: str) -> ServingError:
    return ServingError(StatusCode.INVALID_ARGUMENT, message)
