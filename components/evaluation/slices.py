"""Names of the slices of the eval split, and the check of the bounds that are set on them.

Light: the command line checks a configuration with it.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from components.errors import UsageError
from components.settings import EvaluateSettings

ALL = "all"
SLICE = "slice"  # the feature that TFMA slices on: it holds the names of a row's slices
_LABEL, _LENGTH = "label=", "length="


def label_slice(label: str) -> str:
    """The slice of a label, as `label=positive`."""
    return f"{_LABEL}{label}"


def length_slices(upper_ends: Sequence[int]) -> list[str]:
    """The slices of lengths: (10, 20) gives `length=1-10`, `length=11-20` and `length=21+`."""
    starts = [1, *(end + 1 for end in upper_ends)]
    closed = [f"{_LENGTH}{a}-{b}" for a, b in zip(starts, upper_ends, strict=False)]
    return [*closed, f"{_LENGTH}{starts[-1]}+"]


def length_slice(text: str, upper_ends: Sequence[int]) -> str:
    """The slice of a sentence by its number of tokens, a token being what stands between blanks."""
    return length_slices(upper_ends)[bisect_left(upper_ends, len(text.split()))]


def slice_names(labels: Iterable[str], upper_ends: Sequence[int]) -> list[str]:
    """All slices but `all`: labels in the order of the classes, then lengths in rising order."""
    return [*map(label_slice, labels), *length_slices(upper_ends)]


def parse_slice_names(names: Iterable[str]) -> tuple[list[str], list[int]]:
    """The labels and the upper ends of the lengths that `slice_names` was given."""
    names = list(names)
    labels = [name.removeprefix(_LABEL) for name in names if name.startswith(_LABEL)]
    closed = [n for n in names if n.startswith(_LENGTH) and not n.endswith("+")]
    return labels, [int(name.rpartition("-")[2]) for name in closed]


def check_bounds(settings: EvaluateSettings, labels: Sequence[str]) -> None:
    """Refuses bounds that no model could be checked against.

    Raises:
      UsageError: a bound on a label or a length that is no slice here, or on an AUC where it is not
        defined: with more than two classes, or on the rows of one label.
    """
    known = [ALL, *slice_names(labels, settings.length_buckets)]
    for number, bound in enumerate(settings.bounds):
        where = f"evaluate.bounds.{number}"
        if bound.slice not in known:
            raise UsageError(
                f"{where}: no slice '{bound.slice}' with these data.labels and "
                f"evaluate.length_buckets; slices: {', '.join(known)}"
            )
        if bound.metric == "auc" and len(labels) > 2:
            raise UsageError(f"{where}: auc needs two classes, data.labels has {len(labels)}")
        if bound.metric == "auc" and bound.slice.startswith(_LABEL):
            raise UsageError(f"{where}: auc is not defined on {bound.slice}, rows of one class")
