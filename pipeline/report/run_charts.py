"""Pictures of the run: the steps over time, what was made from what, how fast the model answers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.record import Step
from pipeline.report.figures import ACCENT, FAINT, FONT_SIZE, INK, OTHER, PAPER, WARN, Chart, draw
from pipeline.report.words import duration, shorten

_ROW, _AXIS = 22, 60  # pixels
_LATENCIES = {"p50_ms": "p50", "p90_ms": "p90", "p95_ms": "p95", "p99_ms": "p99", "max_ms": "max"}
_FINDS = "Resolver"  # makes nothing: its outputs are what it found
_STATES = {"run": ACCENT, "cached": OTHER, "failed": WARN}


def latency_chart(check: Mapping[str, Any], bound: float) -> Chart | None:
    """How long requests of one sentence took."""
    found = {name: check[key] for key, name in _LATENCIES.items() if check.get(key) is not None}
    if not found:
        return None

    def plot(axes):
        bars = axes.barh(list(found), list(found.values()), 0.7, color=ACCENT)
        axes.bar_label(bars, [f"{value:.1f} ms" for value in found.values()], padding=4)
        if bound < 2 * max(found.values()):
            axes.axvline(bound, color=WARN, linestyle=":", label=f"bound of p99: {bound:g} ms")
            axes.legend(loc="lower right", bbox_to_anchor=(1, 1), borderpad=0)
        axes.invert_yaxis()
        axes.margins(x=0.25)  # for the numbers
        axes.set_xticks([])
        axes.grid(visible=False)
        axes.spines["bottom"].set_visible(False)

    return draw(
        "Time of a request",
        plot,
        _AXIS / 2 + _ROW * len(found),
        note=f"One sentence over REST, one request after the other. Bound of p99: {bound:g} ms.",
    )


def steps_chart(steps: Sequence[Step]) -> Chart | None:
    """The steps over time; None where it is not known when they started."""
    timed = [(step, step.started) for step in steps if step.started is not None]
    if not timed:
        return None
    end = max(started + step.seconds for step, started in timed)

    def plot(axes):
        for place, (step, started) in enumerate(timed):
            axes.barh(
                place,
                max(step.seconds, end / 300),  # to be seen at all
                0.7,
                left=started,
                color=_STATES.get(step.state, OTHER),
            )
            ends = started + step.seconds
            text = duration(step.seconds)
            if step.state != "run":
                text += f", {step.state}"
            if ends < 0.7 * end:
                _beside(axes, text, ends, place, 5, "left")
            elif started > 0.4 * end:
                _beside(axes, text, started, place, -5, "right")
            else:
                axes.text(started + step.seconds / 2, place, text, ha="center", va="center",
                          color=PAPER)  # fmt: skip
        axes.set_yticks(range(len(timed)), labels=[shorten(step.id, 24) for step, _ in timed])
        axes.set_ylim(len(timed) - 0.4, -0.6)
        axes.set_xlim(0, 1.02 * end)
        axes.set_xlabel("seconds since the start")
        axes.grid(axis="y", visible=False)

    return draw("Steps over time", plot, _AXIS + _ROW * len(timed))


def _artifacts(by_key: Mapping[str, Sequence[int]]) -> Iterator[tuple[str, int]]:
    for key, artifacts in by_key.items():
        for artifact in artifacts:
            yield key, artifact


def _beside(axes, text: str, x: float, y: float, distance: float, align: str) -> None:
    axes.annotate(text, (x, y), (distance, 0), textcoords="offset points", ha=align, va="center")


def lineage_chart(steps: Sequence[Step]) -> Chart | None:
    """What each step made, and which steps read it; None where that is not known.

    A row for each step, a column for each artifact: from the step that made it down to those that
    read it.
    """
    row = {step.id: place for place, step in enumerate(steps)}
    made: dict[int, tuple[str, int]] = {}
    readers: dict[int, list[int]] = {}
    for step in steps:
        if step.id != _FINDS:
            for key, artifact in _artifacts(step.outputs):
                made[artifact] = key, row[step.id]
    if not made:
        return None
    for step in steps:
        for key, artifact in _artifacts(step.inputs if step.id != _FINDS else step.outputs):
            made.setdefault(artifact, (key, -1))  # by an earlier run
            readers.setdefault(artifact, []).append(row[step.id])
    columns = sorted(made, key=lambda artifact: (made[artifact][1], artifact))

    def plot(axes):
        for place in row.values():
            axes.axhline(place, color=FAINT, linewidth=0.8)
        for column, artifact in enumerate(columns):
            key, maker = made[artifact]
            last = max(readers.get(artifact, [maker]))
            axes.plot([column, column], [maker, last], color=ACCENT, linewidth=1.6)
            if maker >= 0:
                axes.plot(column, maker, "o", color=ACCENT, markersize=7)
            for reader in readers.get(artifact, []):
                axes.plot(column, reader, "v", color=INK, markersize=6)
            axes.annotate(f"{shorten(key, 26)} {artifact}", (column, -1), (0, 4), rotation=90,
                          textcoords="offset points", ha="center", va="bottom",
                          fontsize=FONT_SIZE - 1, annotation_clip=False)  # fmt: skip
        axes.set_yticks(list(row.values()), labels=list(row))
        axes.set_ylim(len(row) - 0.5, -1)
        axes.set_xlim(-0.6, len(columns) - 0.4)
        axes.set_xticks([])
        axes.grid(visible=False)
        for spine in axes.spines.values():
            spine.set_visible(False)

    return draw(
        "What was made from what",
        plot,
        150 + _ROW * len(row),
        width=560,
        note="A column is an artifact with its id in the metadata store: ● the step that made it, "
        "▼ the steps that read or found it. One without ● is from a run before.",
    )
