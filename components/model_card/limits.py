"""The limits that a run knows of its own model, a sentence each."""

from typing import Any

from components.model_card.facts import RunFacts
from components.model_card.settings import CardSettings

WEAK_BY = 0.05  # of accuracy below the whole of eval


def limitations(facts: RunFacts, stated: CardSettings) -> list[str]:
    """The limits of a model, the general ones first."""
    text = facts.config["text"]
    language = stated.language or "a language that is not stated"
    limits = [
        f"It learned from sentences in {language}, and is measured on eval alone: how good it is "
        "on text of another kind is not known.",
        f"It answers one of its {len(facts.labels)} classes to any text: it has no class for what "
        "is none of them.",
        f"Of a text it reads the first {text['max_length']} tokens; the others are cut off.",
        _unknown_words(facts),
        "The kept epoch and the temperature were chosen on eval, on which it is measured, too: "
        "on new data it may do a little worse.",
    ]
    return [*limits, *(_weak(*slice_) for slice_ in weak_slices(facts.outcome["metrics"]))]


def _unknown_words(facts: RunFacts) -> str:
    same = "words that it does not know are all the same to it"
    if facts.coverage is None:
        most, least = facts.config["text"]["vocab_size"], facts.config["text"]["min_count"]
        often = "" if least == 1 else f", those that stand there {least} times or more"
        return f"It knows at most {most:,} words of its training sentences{often}; {same}."
    known = facts.coverage["tokens_known"] / max(facts.coverage["tokens"], 1)
    return (
        f"The word vectors lack {1 - known:.1%} of the words in its training sentences, counted "
        f"as often as they occur; {same}, if they do not stand in those sentences either."
    )


def weak_slices(metrics: dict[str, Any]) -> list[tuple[str, float, float, int]]:
    """The slices that are well below the whole, and not by chance.

    Args:
      metrics: of `components.evaluation.outcome`.

    Returns:
      (slice, its accuracy, the overall accuracy, its rows), the weakest first: accuracy at least
      `WEAK_BY` below that on all rows, and the latter above the slice's 95 % interval.
    """
    overall = metrics["accuracy"]
    weak = [
        (name, values["accuracy"], overall, values["example_count"])
        for name, values in metrics["slices"].items()
        if values["accuracy"] <= overall - WEAK_BY and values["intervals"]["accuracy"][1] < overall
    ]
    return sorted(weak, key=lambda slice_: slice_[1])


def _weak(name: str, accuracy: float, overall: float, rows: int) -> str:
    return (
        f"It is weak on {name}: accuracy {accuracy:.3f} on {rows:,} rows of eval, where it is "
        f"{overall:.3f} on all."
    )
