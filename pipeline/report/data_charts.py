"""Pictures of what was read: reasons of rejection, labels, lengths, words known."""

from collections.abc import Mapping
from typing import Any

from pipeline.report.figures import ACCENT, OTHER, WARN, Chart, draw
from pipeline.report.words import percent, shorten

_ROW, _AXIS = 17, 46  # pixels: a bar, and what is beside the bars
_MAX_BARS = 40
_SPLITS = {
    "train": dict(color=OTHER),
    "eval": dict(color=ACCENT),
    "test": dict(color=WARN),
}


def rows_chart(rows: Mapping[str, Any]) -> Chart:
    """What became of the rows that were read, the rejected ones by reason."""
    bars = {"accepted": rows["accepted"], "duplicates": rows["duplicates"]}
    rejected = {f"rejected: {reason}": count for reason, count in rows["rejected"].items()}
    counts = {**bars, **rejected}
    colours = [ACCENT, OTHER] + [WARN] * len(rejected)

    def plot(axes):
        _bars(axes, list(counts), list(counts.values()), colours, max(rows["read"], 1))

    return draw(
        "What became of the rows",
        plot,
        _AXIS / 2 + 1.4 * _ROW * len(counts),
        told=", ".join(f"{name}: {count:,}" for name, count in counts.items()),
    )


def labels_chart(splits: Mapping[str, Any]) -> Chart:
    """The share of each label in each split."""
    labels = list(dict.fromkeys(label for split in splits.values() for label in split["labels"]))
    labels = labels[: _MAX_BARS // len(splits)]

    def plot(axes):
        thickness, most = 0.84 / len(splits), 0.0
        for number, (name, split) in enumerate(splits.items()):
            counts = [split["labels"].get(label, 0) for label in labels]
            shares = [count / max(split["rows"], 1) for count in counts]
            most = max(most, *shares)
            places = [i - 0.42 + thickness * (number + 0.5) for i in range(len(labels))]
            bars = axes.barh(places, shares, 0.9 * thickness, label=name, **_SPLITS.get(name, {}))
            texts = [
                f"{percent(share)} · {count:,}" for share, count in zip(shares, counts, strict=True)
            ]
            axes.bar_label(bars, texts, padding=4)
        axes.set_yticks(range(len(labels)), labels=[shorten(label, 18) for label in labels])
        axes.set_ylim(len(labels) - 0.5, -0.5)
        _without_x(axes)
        axes.set_xlim(0, 1.9 * most)  # room for the numbers
        if len(splits) > 1:
            axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, borderpad=0)

    return draw("Labels", plot, _AXIS + _ROW * len(labels) * len(splits))


def lengths_chart(splits: Mapping[str, Any], max_length: int) -> Chart:
    """How long the sentences are: the share of each split's rows in each bin."""

    def plot(axes):
        for name, split in splits.items():
            edges, counts = split["lengths"]["edges"], split["lengths"]["rows"]
            width = edges[1] - edges[0] if len(edges) > 1 else 1
            # The last bin holds all that is longer; drawn as wide as the others.
            drawn = [*edges[:-1], edges[-2] + width] if len(edges) > 1 else [1, 2]
            shares = [100 * count / max(sum(counts), 1) for count in counts] or [0]
            style = _SPLITS.get(name, {})
            axes.stairs(shares, drawn, label=name, linewidth=2, **style)
        axes.set_xlabel("words")
        axes.set_ylabel("% of the sentences")
        axes.grid(axis="x", visible=False)
        axes.set_xlim(left=1)
        axes.set_ylim(bottom=0)
        axes.legend()

    return draw(
        "Sentence lengths",
        plot,
        220,
        note=f"The last bin holds all longer ones. The model reads {max_length} tokens.",
    )


def coverage_chart(vectors: Mapping[str, Any]) -> Chart:
    """How many of train's words, and of their occurrences, have a vector."""
    shares = {
        "words": vectors["types_known"] / max(vectors["types"], 1),
        "occurrences": vectors["tokens_known"] / max(vectors["tokens"], 1),
    }

    def plot(axes):
        whole = axes.barh(list(shares), [1, 1], 0.6, color=OTHER, alpha=0.35)
        axes.barh(list(shares), list(shares.values()), 0.6, color=ACCENT)
        axes.bar_label(whole, [percent(share) for share in shares.values()], padding=4)
        axes.invert_yaxis()
        axes.margins(x=0.25)  # for the numbers
        _without_x(axes)

    told = ", ".join(f"{name}: {percent(share)}" for name, share in shares.items())
    return draw("Known to the word vectors", plot, 84, told=told)


def _bars(axes, names: list[str], counts: list[int], colours: list[str], whole: int) -> None:
    bars = axes.barh(range(len(names)), counts, 0.7, color=colours)
    texts = [f"{count:,} · {percent(count / whole)}" for count in counts]
    axes.bar_label(bars, texts, padding=4)
    axes.set_yticks(range(len(names)), labels=[shorten(name, 26) for name in names])
    axes.invert_yaxis()
    axes.set_xlim(0, 2.1 * max(*counts, 1))  # room for the numbers
    _without_x(axes)


def _without_x(axes) -> None:
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
