"""Pictures of the model: how it learnt, what it scores and where it is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.report import words
from pipeline.report.figures import ACCENT, FONT_SIZE, INK, OTHER, Chart, draw
from pipeline.report.words import METRICS, percent, shorten, slice_in_words

_MOST_COUNTS = 10  # classes whose matrix has room for its numbers
_ROW, _AXIS = 30, 50  # pixels


@dataclass(frozen=True)
class Line:
    """A curve over the epochs."""

    name: str
    values: Sequence[float]
    colour: str
    style: str = "-"


@dataclass(frozen=True)
class Score:
    """A score with its confidence interval."""

    name: str
    value: float
    bounds: Sequence[float] | None = None
    colour: str = ACCENT


def curves_charts(history: Sequence[Mapping[str, float]], kept: int | None) -> list[Chart]:
    """Loss and accuracy by epoch, on train and on eval."""
    return [
        lines_chart(
            title,
            [
                Line("train", [epoch[key] for epoch in history], OTHER, "--"),
                Line("eval", [epoch[f"eval_{key}"] for epoch in history], ACCENT),
            ],
            kept,
        )
        for title, key in (("Loss by epoch", "loss"), ("Accuracy by epoch", "accuracy"))
    ]


def lines_chart(title: str, lines: Sequence[Line], kept: int | None = None) -> Chart:
    """Curves over the epochs; a mark at the epoch whose weights were kept."""

    def plot(axes):
        from matplotlib.ticker import MaxNLocator

        for line in lines:
            epochs = range(1, len(line.values) + 1)
            axes.plot(epochs, line.values, line.style, color=line.colour, marker="o",
                      markersize=4, label=line.name)  # fmt: skip
        if kept:
            axes.axvline(kept, color=INK, linestyle=":", linewidth=1.2, label=f"kept: {kept}")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
        axes.set_xlabel("epoch")
        axes.grid(axis="x", visible=False)
        axes.legend()

    return draw(title, plot, 230)


def scores_chart(
    title: str,
    scores: Sequence[Score],
    line: tuple[float, str] | None = None,
    *,
    metric: str = "accuracy",
    note: str = "",
) -> Chart:
    """Scores one below the other, with their intervals.

    Args:
      title: stands above it.
      scores: from top to bottom.
      line: a score to compare with, and what it is.
      metric: which one it is; accuracy is in per cent.
      note: stands below it.
    """

    def plot(axes):
        for place, score in enumerate(scores):
            low, high = score.bounds or (score.value, score.value)
            axes.errorbar(
                [score.value],
                [place],
                xerr=[[max(score.value - low, 0)], [max(high - score.value, 0)]],
                fmt="o",
                color=score.colour,
                markersize=7,
                elinewidth=2,
                capsize=4 if score.bounds else 0,
            )
            axes.annotate(words.metric(score.value, metric), (score.value, place), (0, 7),
                          textcoords="offset points", ha="center")  # fmt: skip
        if line:
            axes.axvline(line[0], color=INK, linestyle=":", linewidth=1.2, label=line[1])
            axes.legend(loc="lower right", bbox_to_anchor=(1, 1), borderpad=0)
        axes.set_yticks(range(len(scores)), labels=[shorten(s.name, 24) for s in scores])
        axes.set_ylim(len(scores) - 0.5, -0.7)
        axes.margins(x=0.12)
        if metric == "accuracy":
            axes.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.3g} %")
        axes.locator_params(axis="x", nbins=5)
        axes.grid(axis="y", visible=False)

    told = "; ".join(
        f"{s.name}: {words.metric(s.value, metric)} {words.interval(s.bounds, metric)}"
        for s in scores
    )
    return draw(title, plot, _AXIS + _ROW * len(scores), note=note, told=told)


def compared_charts(
    metrics: Mapping[str, Any], baseline: Mapping[str, Any] | None, before: str
) -> list[Chart]:
    """Accuracy and macro F1 beside the linear baseline and the blessed model before."""
    models = {
        "this model": metrics,
        before: (baseline or {}).get("latest_blessed"),
        "linear baseline": (baseline or {}).get("linear"),
    }
    charts = []
    for key in ("accuracy", "macro_f1"):
        scores = [
            _score(name, found, key, ACCENT if found is metrics else OTHER)
            for name, found in models.items()
            if found and found.get(key) is not None
        ]
        if not scores:
            continue
        line = None
        if key == "accuracy" and "accuracy_over_majority" in metrics:
            majority = metrics["accuracy"] - metrics["accuracy_over_majority"]
            line = majority, "always the largest class"
        title = METRICS[key][:1].upper() + METRICS[key][1:]
        charts.append(scores_chart(title, scores, line, metric=key))
    return charts


def slices_chart(metrics: Mapping[str, Any]) -> Chart:
    """The accuracy on each slice."""
    scores = [
        Score(f"{slice_in_words(name)} ({values['example_count']:,})", values["accuracy"],
              (values.get("intervals") or {}).get("accuracy"))
        for name, values in metrics["slices"].items()
    ]  # fmt: skip
    return scores_chart(
        "Accuracy by slice",
        scores,
        (metrics["accuracy"], "all"),
        note="In brackets: the number of sentences.",
    )


def confusion_chart(matrix: Sequence[Sequence[int]], labels: Sequence[str]) -> Chart:
    """What was predicted for the sentences of each label."""
    names = [shorten(label, 14) for label in labels]
    totals = [max(sum(row), 1) for row in matrix]
    shares = [[count / total for count in row] for row, total in zip(matrix, totals, strict=True)]
    size = len(labels)

    def plot(axes):
        import numpy as np
        from matplotlib.colors import ListedColormap

        axes.pcolormesh(np.zeros((size, size)), cmap=ListedColormap([ACCENT]),
                        alpha=0.03 + 0.5 * np.array(shares))  # fmt: skip
        if size <= _MOST_COUNTS:
            for i, row in enumerate(matrix):
                for j, count in enumerate(row):
                    small = f"\n{percent(shares[i][j])}" if size <= 4 else ""
                    axes.text(j + 0.5, i + 0.5, f"{count:,}{small}", ha="center", va="center",
                              fontweight="bold" if i == j else "normal")  # fmt: skip
        places = [i + 0.5 for i in range(size)]
        axes.set_xticks(places, labels=names, rotation=45 if size > 4 else 0,
                        ha="right" if size > 4 else "center")  # fmt: skip
        axes.set_yticks(places, labels=names)
        axes.set_xlabel("predicted")
        axes.set_ylabel("labelled")
        axes.invert_yaxis()
        axes.grid(visible=False)
        for spine in axes.spines.values():
            spine.set_visible(False)

    return draw("Confusion matrix", plot, 110 + min(260, max(130, 32 * size)))


def reliability_chart(bins: Sequence[Mapping[str, Any]], note: str) -> Chart:
    """How often answers of a confidence are right."""
    filled = [one for one in bins if one["rows"]]

    def plot(axes):
        most = max((one["rows"] for one in filled), default=1)
        left = min((one["low"] for one in filled), default=0)
        axes.plot([0, 1], [0, 1], color=INK, linestyle=":", linewidth=1.2, label="as meant")
        for one in filled:
            width = one["high"] - one["low"]
            axes.bar(one["low"] + width / 2, one["accuracy"], 0.92 * width, color=ACCENT,
                     alpha=0.35)  # fmt: skip
        axes.plot(
            [one["confidence"] for one in filled],
            [one["accuracy"] for one in filled],
            "o",
            color=ACCENT,
            label="right, of these",
        )
        for one in filled:
            middle = (one["low"] + one["high"]) / 2
            if one["rows"] >= most / 200:
                axes.annotate(f"{one['rows']:,}", (middle, 0), (0, 3), ha="center", color=INK,
                              textcoords="offset points", fontsize=FONT_SIZE - 2)  # fmt: skip
        axes.set_xlim(left, 1)
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("probability of the answer")
        axes.set_ylabel("share that is right")
        axes.grid(axis="x", visible=False)
        axes.legend(loc="upper left")

    told = "; ".join(
        f"{one['rows']} answers at {percent(one['confidence'])}: {percent(one['accuracy'])} right"
        for one in filled
    )
    return draw("Reliability", plot, 250, note=note, told=told)


def _score(name: str, values: Mapping[str, Any], key: str, colour: str) -> Score:
    return Score(name, values[key], (values.get("intervals") or {}).get(key), colour)
