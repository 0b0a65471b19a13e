"""The counts of an ingestion, and the rules by which a data set is refused."""

from collections import Counter
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from components.errors import DataRefused
from components.ingest.lengths import LengthCounts, LengthHistogram, histograms
from components.ingest.repeats import Repeats, Sample, merged
from components.ingest.rows import UNKNOWN_LABEL, shortened
from components.settings import DataSettings
from schema import features

Counts = dict[str, int]

REJECT_EXAMPLES = 20  # there are fewer reasons
UNKNOWN_LABELS = 50  # different ones that are counted, of a file
_LABELS_SHOWN = 5  # of these, in a refusal
_LABEL_LENGTH = 40  # characters of one there


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RejectExample(_Record):
    """A record that was not used, as `Reject`, with its text cut to what a person looks at."""

    file: str
    record: int
    reason: str
    detail: str
    raw: str


class FileOutcome(_Record):
    """What became of one file."""

    path: str
    split: str | None  # None: split by hash
    sha256: str
    read: int  # records
    rejected: Counts  # by reason
    duplicates: int  # train rows that also stand in eval or test
    splits: dict[str, Counts]  # accepted rows by split and label
    lengths: dict[str, LengthCounts]  # accepted rows by split and number of words
    unknown_labels: Counts  # rejected rows by label, of the first `UNKNOWN_LABELS` labels
    sample: Sample  # of the accepted rows, see `repeats`
    reject_examples: list[RejectExample]  # the file's first comes first
    refusal: str | None  # why the file as a whole was refused


class FileCount(_Record):
    """A file that was read, in the summary."""

    path: str
    split: str | None
    read: int
    sha256: str


class IngestSummary(_Record):
    """What became of all rows: `read == accepted + sum(rejected.values()) + duplicates`."""

    read: int
    accepted: int
    rejected: Counts
    duplicates: int
    splits: dict[str, Counts]
    lengths: dict[str, LengthHistogram]
    repeats: Repeats
    reject_examples: list[RejectExample]
    files: list[FileCount]
    ignored_files: list[str]
    span: int
    version: int | None


def summarise(
    outcomes: Sequence[FileOutcome],
    splits: Sequence[str],
    labels: Sequence[str],
    ignored_files: Sequence[str],
    span: int,
    version: int | None,
) -> IngestSummary:
    """Adds up the files' outcomes; every split and label is listed, also with no rows."""
    counts = {split: dict.fromkeys(labels, 0) for split in splits}
    rejected: Counter[str] = Counter()
    for outcome in outcomes:
        rejected.update(outcome.rejected)
        for split, by_label in outcome.splits.items():
            for label, rows in by_label.items():
                counts[split][label] += rows
    return IngestSummary(
        read=sum(outcome.read for outcome in outcomes),
        accepted=sum(sum(by_label.values()) for by_label in counts.values()),
        rejected=dict(rejected.most_common()),
        duplicates=sum(outcome.duplicates for outcome in outcomes),
        splits=counts,
        lengths=_lengths(outcomes, splits),
        repeats=merged(outcome.sample for outcome in outcomes),
        reject_examples=representative(
            [example for outcome in outcomes for example in outcome.reject_examples]
        ),
        files=[
            FileCount(path=one.path, split=one.split, read=one.read, sha256=one.sha256)
            for one in outcomes
        ],
        ignored_files=list(ignored_files),
        span=span,
        version=version,
    )


def representative(rejects: Sequence[RejectExample]) -> list[RejectExample]:
    """Up to `REJECT_EXAMPLES` rejects in their order: of each reason one, then a second, and so on.

    The first reject is always among them.
    """
    seen: Counter[str] = Counter()
    ranked = []
    for number, reject in enumerate(rejects):
        ranked.append((seen[reject.reason], number))
        seen[reject.reason] += 1
    chosen = sorted(ranked)[:REJECT_EXAMPLES]
    return [rejects[number] for number in sorted(number for _, number in chosen)]


def refuse_unfit(
    summary: IngestSummary, outcomes: Sequence[FileOutcome], settings: DataSettings
) -> None:
    """Checks whether a model may be trained on the data.

    Raises:
      DataRefused: a file was refused, or there are too many rejects, only one class, too few rows
        of a class in train, or none in eval.
    """
    for outcome in outcomes:
        if outcome.refusal:
            raise DataRefused(outcome.refusal)
    where = _where(outcomes)
    rejected = sum(summary.rejected.values())
    if rejected > settings.max_reject_fraction * summary.read:
        reasons = ", ".join(f"{n} {reason}" for reason, n in list(summary.rejected.items())[:3])
        first = next(one.reject_examples[0] for one in outcomes if one.reject_examples)
        raise DataRefused(
            f"{where}: {rejected} of {summary.read} rows rejected, "
            f"data.max_reject_fraction is {settings.max_reject_fraction}: {reasons}; "
            f"first: {first.file}:{first.record} {first.reason}, {first.detail}"
            f"{_unknown_labels(summary, outcomes)}"
        )
    totals = _totals(summary.splits)
    classes = [label for label, rows in totals.items() if rows]
    if len(classes) < 2:
        raise DataRefused(
            f"{where}: expected rows of at least 2 of the classes {', '.join(settings.labels)}, "
            f"got only {', '.join(classes) or 'none'}"
        )
    for label, rows in summary.splits[features.TRAIN].items():
        if rows < settings.min_rows_per_class:
            few = f"{where}: class '{label}' has {rows} rows in train, "
            few += f"data.min_rows_per_class is {settings.min_rows_per_class}"
            if summary.duplicates:
                few += f"; {summary.duplicates} rows were dropped, being in eval or test too"
            raise DataRefused(f"{few}; give more rows of it, or lower the setting")
    if not sum(summary.splits[features.EVAL].values()):
        raise DataRefused(f"{where}: no rows in eval; give more rows or change data.splits")


def _unknown_labels(summary: IngestSummary, outcomes: Sequence[FileOutcome]) -> str:
    """The most frequent unknown labels and what to do, as the end of a refusal; empty: none."""
    counts: Counter[str] = Counter()
    for outcome in outcomes:
        counts.update(outcome.unknown_labels)
    if not counts:
        return ""
    most = counts.most_common(_LABELS_SHOWN)
    named = ", ".join(f"{rows} {shortened(label, _LABEL_LENGTH)}" for label, rows in most)
    others = sum(rows for _, rows in most) < summary.rejected[UNKNOWN_LABEL]
    return (
        f"; unknown labels: {named}{' and others' if others else ''}; add them to data.labels, "
        "correct them, or raise data.max_reject_fraction to leave these rows out"
    )


def _lengths(outcomes: Sequence[FileOutcome], splits: Sequence[str]) -> dict[str, LengthHistogram]:
    counts: dict[str, Counter[int]] = {split: Counter() for split in splits}
    for outcome in outcomes:
        for split, by_length in outcome.lengths.items():
            counts[split].update(by_length)
    return histograms(counts)


def _totals(splits: Mapping[str, Counts]) -> Counter[str]:
    totals: Counter[str] = Counter()
    for by_label in splits.values():
        totals.update(by_label)
    return totals


def _where(outcomes: Sequence[FileOutcome]) -> str:
    """The files in short: the first one, and how many more."""
    more = f" and {len(outcomes) - 1} more" if len(outcomes) > 1 else ""
    return f"{outcomes[0].path}{more}"
