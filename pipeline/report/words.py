"""Numbers and names as a reader of the page meets them."""

import re
from collections.abc import Iterable, Sequence

METRICS = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "auc": "AUC",
    "loss": "loss",
    "calibration_error": "calibration error",
}
_LABEL, _LENGTH = "label=", "length="  # as `components.evaluation.slices` writes them


def percent(share: float) -> str:
    """0.8412 -> 84.1 %."""
    return f"{100 * share:.1f} %"


def metric(value: float | None, name: str) -> str:
    """A metric's value as it is usually told: accuracy in per cent, the others as numbers."""
    if value is None:
        return "–"
    return percent(value) if name == "accuracy" else f"{value:.3f}"


def interval(bounds: Sequence[float] | None, name: str = "accuracy") -> str:
    """[0.81, 0.87] -> 81.0 to 87.0 %, for another metric 0.810 to 0.870; nothing for none."""
    if not bounds:
        return ""
    return f"{metric(bounds[0], name).removesuffix(' %')} to {metric(bounds[1], name)}"


def difference(value: float | None, other: float | None, name: str = "accuracy") -> str:
    """How a metric stands to another one, accuracy in percentage points: +1.2, −0.4, 0.0."""
    if value is None or other is None:
        return ""
    scale, digits = (100, 1) if name == "accuracy" else (1, 3)
    apart = round(scale * (value - other), digits)
    return f"{apart or 0.0:{'+' if apart else ''}.{digits}f}".replace("-", "−")


def stands(value: float, other: float, name: str) -> str:
    """The same as words: 1.2 points above NAME."""
    points = round(100 * (value - other), 1)
    if not points:
        return f"level with {name}"
    return f"{abs(points):.1f} points {'above' if points > 0 else 'below'} {name}"


def duration(seconds: float) -> str:
    """42.31 -> 42.3 s, 125 -> 2 min 5 s, 7300 -> 2 h 2 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def slice_in_words(name: str) -> str:
    """length=1-10 -> 1 to 10 words, length=41+ -> over 40 words, label=bad -> labelled bad."""
    if not name.startswith(_LENGTH):
        return f"labelled {name.removeprefix(_LABEL)}"
    length = name.removeprefix(_LENGTH)
    if length.endswith("+"):
        return f"over {int(length[:-1]) - 1} words"
    return f"{length.replace('-', ' to ')} words"


def error_in_words(error: str, slices: Iterable[str]) -> str:
    """Names metrics and slices in an error as the page does."""
    for key, name in METRICS.items():
        error = re.sub(rf"\b{key}\b", name, error)
    names = sorted(slices, key=len, reverse=True)  # a label may begin with another one
    if not names:
        return error
    pattern = rf"\b({'|'.join(map(re.escape, names))})(?=[ ,;]|$)"
    return re.sub(pattern, lambda found: f"sentences {slice_in_words(found[1])}", error)


def shorten(text: str, length: int) -> str:
    """At most so many characters, on one line."""
    text = " ".join(text.split())
    return text if len(text) <= length else f"{text[: length - 1]}…"


def mark_words(text: str, words: Iterable[str]) -> list[tuple[str, bool]]:
    """Cuts a text into pieces, each with whether it is one of the words.

    Args:
      text: a sentence as it was written.
      words: tokens of it, maybe in lower case. One that is not found, as its spelling was
        normalised, comes at the end as a piece of its own.
    """
    wanted = list(dict.fromkeys(word for word in words if word))
    if not wanted:
        return [(text, False)]
    pattern = "|".join(map(_whole, sorted(wanted, key=len, reverse=True)))
    cut = re.split(f"({pattern})", text, flags=re.IGNORECASE)
    pieces = [(piece, i % 2 == 1) for i, piece in enumerate(cut) if piece]
    found = {piece.lower() for piece, marked in pieces if marked}
    missing = [word for word in wanted if word.lower() not in found]
    for word in missing:
        pieces += [(" ", False), (word, True)]
    return pieces


def _whole(word: str) -> str:
    """A pattern for the word where it is not a part of another; `)` may stand anywhere."""
    before = r"(?<!\w)" if re.match(r"\w", word) else ""
    after = r"(?!\w)" if re.search(r"\w$", word) else ""
    return f"{before}{re.escape(word)}{after}"
