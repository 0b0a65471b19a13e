"""Names of slices, and which bounds are refused before a run starts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.errors import UsageError
from components.evaluation.slices import (
    check_bounds,
    length_slice,
    length_slices,
    parse_slice_names,
    slice_names,
)
from components.settings import Bound, EvaluateSettings

LABELS = ["negative", "positive"]


def test_names():
    assert slice_names(LABELS, [10, 20, 40]) == [
        "label=negative",
        "label=positive",
        "length=1-10",
        "length=11-20",
        "length=21-40",
        "length=41+",
    ]
    assert length_slices([1]) == ["length=1-1", "length=2+"]


@pytest.mark.parametrize(
    ("tokens", "name"),
    [
        (1, "length=1-10"),
        (10, "length=1-10"),
        (11, "length=11-20"),
        (20, "length=11-20"),
        (21, "length=21+"),
        (5000, "length=21+"),
    ],
)
def test_a_sentence_is_in_the_slice_of_its_length(tokens, name):
    assert length_slice(" ".join(["ab"] * tokens), [10, 20]) == name


def test_blanks_of_any_kind_separate_tokens():
    assert length_slice("  one\ttwo\n three ", [2, 3]) == "length=3-3"


labels = st.lists(st.text(min_size=1), min_size=2, unique=True)
ends = st.lists(st.integers(1, 500), min_size=1, unique=True).map(sorted)


@given(labels=labels, ends=ends)
def test_names_can_be_taken_apart_whatever_the_labels_are(labels, ends):
    assert parse_slice_names(slice_names(labels, ends)) == (labels, ends)


@given(ends=ends, tokens=st.integers(1, 600))
def test_every_length_has_exactly_the_slice_that_includes_it(ends, tokens):
    name = length_slice("x " * tokens, ends).removeprefix("length=")
    first, _, last = name.rstrip("+").partition("-")
    assert int(first) <= tokens
    assert name.endswith("+") or tokens <= int(last)


def refused(bound: Bound, labels=LABELS) -> str:
    with pytest.raises(UsageError) as error:
        check_bounds(EvaluateSettings(bounds=(bound,)), labels)
    return str(error.value)


def test_a_bound_on_an_unknown_label_is_refused():
    assert refused(Bound(metric="accuracy", slice="label=Positive", min=0.5)) == (
        "evaluate.bounds.0: no slice 'label=Positive' with these data.labels and "
        "evaluate.length_buckets; slices: all, label=negative, label=positive, length=1-10, "
        "length=11-20, length=21-40, length=41+"
    )


@pytest.mark.parametrize("name", ["length=1-20", "length=40+", "length=11-21"])
def test_a_bound_on_an_unknown_length_is_refused(name):
    assert f"no slice '{name}'" in refused(Bound(metric="macro_f1", slice=name, max_drop=0.1))


def test_auc_of_three_classes_is_refused():
    message = refused(Bound(metric="auc", min=0.5), ["a", "b", "c"])
    assert message == "evaluate.bounds.0: auc needs two classes, data.labels has 3"


def test_auc_of_one_label_is_refused():
    message = refused(Bound(metric="auc", slice="label=negative", min=0.5))
    assert message == "evaluate.bounds.0: auc is not defined on label=negative, rows of one class"


def test_the_refusal_names_the_bound_by_its_place():
    fine = Bound(metric="accuracy", slice="length=41+", min=0.5)
    wrong = Bound(metric="accuracy", slice="label=x", min=0.5)
    with pytest.raises(UsageError, match=r"^evaluate\.bounds\.1: "):
        check_bounds(EvaluateSettings(bounds=(fine, wrong)), LABELS)


def test_all_slices_of_the_configuration_can_be_bounded():
    names = ["all", *slice_names(LABELS, [10, 20, 40])]
    bounds = tuple(Bound(metric="macro_f1", slice=name, min=0.5) for name in names)
    check_bounds(EvaluateSettings(bounds=(*bounds, Bound(metric="auc", min=0.9))), LABELS)


@pytest.mark.parametrize("value", [-0.1, 1.1, 60])
@pytest.mark.parametrize("field", ["min", "max_drop"])
def test_bounds_are_fractions(field, value):
    with pytest.raises(ValueError, match="equal to [01]"):
        Bound(metric="accuracy", **{field: value})
