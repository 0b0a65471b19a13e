"""TensorFlow Serving's JSON: a predict request to arrays, and arrays to its answer.

Row format is `instances`, answered by `predictions`; column format `inputs`, by `outputs`.
Source of the format and of the error messages: TensorFlow Serving, docs "RESTful API" and
util/json_tensor.cc.
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

_TYPES = {dict: "Object", list: "Array", str: "String", type(None): "Null"}


@dataclass(frozen=True)
class PredictBody:
    """A parsed request body, its values not looked at yet."""

    document: dict[str, Any]
    signature: str

    @property
    def columns(self) -> bool:
        """Whether it is in column format."""
        return "inputs" in self.document


def parse_body(body: bytes) -> PredictBody:
    """Parses the body of a predict request.

    Raises:
      ServingError: INVALID_ARGUMENT, no JSON object, or its signature's name is no string.
    """
    try:
        document = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        reason = "The document is empty" if not body else error or "nested too deep"
        raise _invalid(f"JSON Parse error: {reason}") from error
    if not isinstance(document, dict):
        raise _invalid(f"JSON Value: {_show(document)} Is not object")
    signature = document.get("signature_name", "")
    if not isinstance(signature, str):
        raise _invalid(
            f"JSON Value: {_show(document)} not formatted correctly. "
            "'signature_name' key must be a string value."
        )
    return PredictBody(document, signature or features.SERVING_SIGNATURE)


def to_inputs(body: PredictBody, names: Sequence[str]) -> dict[str, np.ndarray]:
    """The arrays of a request, for a signature whose inputs are the strings `names`.

    Returns:
      {name: object array of bytes}; in row format its first dimension is the number of instances.

    Raises:
      ServingError: INVALID_ARGUMENT, there is not exactly one of `instances` and `inputs`, or its
        values are no strings, are of uneven shape, or do not name the signature's inputs.
    """
    document = body.document
    if "instances" in document and "inputs" in document:
        raise _invalid(
            f"JSON Value: {_show(document)} Not formatted correctly expecting only one of "
            "'inputs' or 'instances' keys to exist "
        )
    if "inputs" in document:
        return _from_columns(document["inputs"], names)
    if "instances" not in document:
        raise _invalid("Missing 'inputs' or 'instances' key")
    if not isinstance(document["instances"], list):
        raise _invalid(f"JSON Value: {_show(document)} Excepting 'instances' to be an list/array")
    if not document["instances"]:
        raise _invalid(f"JSON Value: {_show(document)} No values in 'instances' array")
    return _from_rows(document["instances"], names)


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
    if not isinstance(instances[0], dict) and len(names) > 1:
        raise _invalid(
            "instances is a plain list, but expecting list of objects as multiple "
            "input tensors required as per tensorinfo_map"
        )
    if len(names) == 1 and all(type(instance) is str for instance in instances):
        return {names[0]: _filled([_string(instance) for instance in instances])}
    rows: dict[str, list[np.ndarray]] = {name: [] for name in names}
    add = _add_named if _is_named(instances[0]) else _add_plain
    for number, instance in enumerate(instances):
        add(rows, number, instance)
    return {name: np.stack(arrays) for name, arrays in rows.items()}


def _add_named(rows: dict[str, list[np.ndarray]], number: int, instance: Any) -> None:
    """Adds {name: value, …} to the rows."""
    if not _is_named(instance):
        raise _invalid(f"Expecting object but got list at item {number} of input list")
    for name, value in instance.items():
        try:
            _add_value(rows, name, value)
        except ServingError as error:
            raise _invalid(
                f"Failed to process element: {number} key: {name} of 'instances' list. "
                f"Error: {error.code.name}: {error.message}"
            ) from error
    if set(instance) != set(rows):
        raise _invalid(
            f"Failed to process element: {number} of 'instances' list. JSON object: "
            f"{_show(instance)} keys must be equal to: {','.join(sorted(rows))}"
        )


def _add_plain(rows: dict[str, list[np.ndarray]], number: int, instance: Any) -> None:
    """Adds the value of the only input to the rows."""
    if _is_named(instance):
        raise _invalid(f"Expecting value/list but got object at item {number} of input list")
    try:
        _add_value(rows, next(iter(rows)), instance)
    except ServingError as error:
        raise _invalid(
            f"Failed to process element: {number} of 'instances' list. "
            f"Error: {error.code.name}: {error.message}"
        ) from error


def _add_value(rows: dict[str, list[np.ndarray]], name: str, value: Any) -> None:
    if name not in rows:
        raise _invalid(f"JSON object: does not have named input: {name}")
    array = _array(value)
    if rows[name]:
        first = rows[name][0]
        if array.size != first.size:
            raise _invalid(f"Expecting tensor size: {first.size} but got: {array.size}")
        if array.shape != first.shape:
            raise _invalid(f"Expecting shape {_shape(first)} but got: {_shape(array)}")
    rows[name].append(array)


def _from_columns(values: Any, names: Sequence[str]) -> dict[str, np.ndarray]:
    if not _is_named(values):
        if len(names) > 1:
            raise _invalid(
                "inputs is a plain value/list, but expecting an object as multiple "
                "input tensors required as per tensorinfo_map"
            )
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
    sizes: list[int] = []
    first = value
    while isinstance(first, list):
        sizes.append(len(first))
        if len(sizes) > MAX_NESTING:
            raise _invalid(f"Encountered lists nested more than {MAX_NESTING} deep")
        if not first:
            break
        first = first[0]
    leaves: list[bytes] = []
    _collect(value, 0, sizes, leaves)
    return _filled(leaves).reshape(sizes)


def _filled(leaves: list[bytes]) -> np.ndarray:
    array = np.empty(len(leaves), dtype=object)
    array[:] = leaves
    return array


def _collect(value: Any, level: int, sizes: Sequence[int], leaves: list[bytes]) -> None:
    """Appends the strings of nested lists, which must have the shape of their first elements."""
    if not isinstance(value, list):
        if level != len(sizes):
            raise _invalid(
                f"JSON Value: {_show(value)} found at incorrect level: {level + 1} "
                f"in the JSON DOM. Expected at level: {len(sizes)}"
            )
        leaves.append(_string(value))
        return
    if level >= len(sizes):
        raise _invalid(f"Encountered list at unexpected level: {level} expected < {len(sizes)}")
    if len(value) != sizes[level]:
        raise _invalid(
            f"Encountered list at unexpected size: {len(value)} at level: {level} "
            f"expected size: {sizes[level]}"
        )
    for element in value:
        _collect(element, level + 1, sizes, leaves)


def _shape(array: np.ndarray) -> str:
    return f"[{', '.join(map(str, array.shape))}]"


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
    kind = str(value) if isinstance(value, bool) else _TYPES.get(type(value), "Number")
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
    text = json.dumps(value, indent=4)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"


def _invalid(message: str) -> ServingError:
    return ServingError(StatusCode.INVALID_ARGUMENT, message)
