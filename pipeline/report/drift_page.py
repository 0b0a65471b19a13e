"""The page of a comparison of new text with the reference; in the style of a run's page."""

from itertools import zip_longest
from pathlib import Path

from components.drift.profile import CONFIDENCE_BINS, TextProfile
from components.errors import UsageError
from pipeline.drift import PAGE, DriftReport
from pipeline.report.figures import ACCENT, OTHER, Chart, draw
from pipeline.report.page import ENVIRONMENT

_NAMES = {
    "length": ("Length in tokens", "Kolmogorov-Smirnov distance"),
    "unknown": ("Unknown tokens", "difference of their share"),
    "labels": ("Mix of labels", "largest difference of a label's share"),
    "confidence": ("Confidence", "Kolmogorov-Smirnov distance"),
    "words": ("Words", "Jensen-Shannon divergence, bits"),
}


def write_page(report: DriftReport, folder: Path) -> Path:
    """Writes drift.html.

    Returns:
      Its path.

    Raises:
      UsageError: it cannot be written.
    """
    path = folder / PAGE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(drift_page(report), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error
    return path


def drift_page(report: DriftReport) -> str:
    """The page as HTML; needs no other file and no network."""
    return ENVIRONMENT.get_template("drift.html").render(
        report=report,
        verdict=report.verdict,
        headline=headline(report),
        names=_NAMES,
        charts=_charts(report.reference, report.new) if report.new.rows else [],
        labels=_labels(report.reference, report.new),
        unknown_shares=[
            of.unknown / max(of.tokens, 1) for of in (report.reference, report.new)
        ],
    )  # fmt: skip


def headline(report: DriftReport) -> str:
    """What was found, in one sentence."""
    verdict = report.verdict
    if not verdict.judged:
        return f"Too few sentences to judge: {verdict.rows:,}."
    if not verdict.drifted:
        return f"No drift in {verdict.rows:,} sentences."
    passed = ", ".join(_NAMES[measure.name][0].lower() for measure in verdict.drifted)
    return f"The text has drifted: {passed}."


def _labels(reference: TextProfile, new: TextProfile) -> list[tuple[str, float, float]]:
    """Label, its share in the reference, its share in the new sample."""
    names = sorted({*reference.labels, *new.labels})
    return [(name, _share(reference, name), _share(new, name)) for name in names]


def _share(sample: TextProfile, label: str) -> float:
    return sample.labels.get(label, 0) / max(sample.rows, 1)


def _charts(reference: TextProfile, new: TextProfile) -> list[Chart]:
    lengths = list(zip_longest(reference.lengths, new.lengths, fillvalue=0))
    confidences = list(zip_longest(reference.confidences, new.confidences, fillvalue=0))
    edges = [100 * number / CONFIDENCE_BINS for number in range(CONFIDENCE_BINS + 1)]
    return [
        _histogram("Length", "tokens", [float(n) for n in range(len(lengths) + 1)], lengths),
        _histogram("Confidence", "probability of the label, %", edges, confidences),
    ]


def _histogram(title: str, unit: str, edges: list[float], counts: list[tuple[int, int]]) -> Chart:
    """Two samples over the same bins: `counts` has a pair for each, reference and new."""

    def plot(axes):
        series = zip(("reference", "new"), (OTHER, ACCENT), zip(*counts, strict=True), strict=True)
        for name, colour, rows in series:
            shares = [100 * count / max(sum(rows), 1) for count in rows]
            axes.stairs(shares, edges, label=name, color=colour, linewidth=2)
        axes.set_xlabel(unit)
        axes.set_ylabel("% of the sentences")
        axes.grid(axis="x", visible=False)
        axes.set_ylim(bottom=0)
        axes.legend()

    return draw(title, plot, 220)
