"""`sentiflow drift`: which version is compared with what, and what is told of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from components.batch.inputs import find_inputs
from components.drift.profile import TextProfile
from components.drift.reading import answer, profile_answers, sample_sentences
from components.drift.request_log import Answer, read_log
from components.drift.settings import DriftSettings
from components.drift.verdict import Verdict, judge
from components.errors import SentiflowError, UsageError
from components.serving.predict import LocalPredictor
from components.serving.vocabulary import Vocabulary
from pipeline.config import Config
from pipeline.pushed import Model
from schema import features

PAGE = "drift.html"


class Drifted(SentiflowError):
    """The new text differs from the reference by more than a threshold."""

    exit_code = 3


@dataclass(frozen=True)
class Sample:
    """The new sentences with the model's answers, and what was left out."""

    source: str  # path of the log, or of the data
    answers: list[Answer]
    left_out: dict[str, int]  # {reason: number}


@dataclass(frozen=True)
class DriftReport:
    """The outcome, for a line, a page and a program."""

    time: str  # ISO 8601, UTC
    model: Model
    sample: Sample
    reference: TextProfile
    new: TextProfile
    verdict: Verdict

    def as_dict(self) -> dict[str, Any]:
        """What a program that raises alarms is told; sentences are not in it, words are."""
        return {
            "time": self.time,
            "version": self.model.version,
            "model": str(self.model.folder),
            "source": self.sample.source,
            "left_out": self.sample.left_out,
            **self.verdict.as_dict(),
        }

    def to_json(self) -> str:
        """`as_dict` in one line."""
        return json.dumps(self.as_dict(), ensure_ascii=False)

    def raise_if_drifted(self) -> None:
        """Raises Drifted with the verdict in a line."""
        if self.verdict.drifted:
            raise Drifted(str(self))

    def __str__(self) -> str:
        counts = [
            f"{reason} {number:,}" for reason, number in self.sample.left_out.items() if number
        ]
        left_out = f"; left out: {', '.join(counts)}" if counts else ""
        return f"{self.model}: {self.verdict}{left_out}"


def compare_log(model: Model, log: Path, settings: DriftSettings) -> DriftReport:
    """Compares what a version was asked, and answered, with its reference.

    Raises:
      UsageError: no log, nothing readable in it, no version number, or a model without a
        reference.
      DataRefused: a file of the log cannot be read.
    """
    if model.version is None:
        raise UsageError(
            f"{model.folder}: the request log tells the versions apart by their numbers; expected "
            "a folder whose name is one"
        )
    reference = _reference(model)
    found = read_log(log, model.version, settings.max_rows)
    if found.unreadable and not (found.answers or found.other_versions):
        raise UsageError(
            f"{log}: expected a request log, none of its {found.unreadable:,} lines is"
        )
    left_out = {"other versions": found.other_versions, "unreadable lines": found.unreadable}
    return _report(model, Sample(str(log), found.answers, left_out), reference, settings)


def compare_data(model: Model, patterns: Sequence[str], config: Config) -> DriftReport:
    """Compares the sentences of data files, which the model is asked, with its reference.

    Raises:
      UsageError: no file, no readable record, or a model that does not load or has no reference.
      DataRefused: a file as a whole cannot be read.
    """
    reference = _reference(model)
    paths = [file.path for file in find_inputs(patterns)]
    texts, rejected = sample_sentences(paths, config.data.settings(), config.drift.max_rows)
    if rejected and not texts:
        raise UsageError(f"{', '.join(patterns)}: none of the {rejected:,} records could be read")
    answers = answer(texts, LocalPredictor(model.folder))
    sample = Sample(", ".join(patterns), answers, {"unreadable records": rejected})
    return _report(model, sample, reference, config.drift)


def _report(
    model: Model, sample: Sample, reference: TextProfile, settings: DriftSettings
) -> DriftReport:
    new = profile_answers(sample.answers, Vocabulary(model.folder))
    verdict = judge(reference, new, settings)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return DriftReport(now, model, sample, reference, new, verdict)


def _reference(model: Model) -> TextProfile:
    path = model.folder / features.REFERENCE_PROFILE
    try:
        return TextProfile.from_json(path.read_bytes())
    except FileNotFoundError:
        raise UsageError(
            f"{model.folder}: no {features.REFERENCE_PROFILE} to compare with; only versions that "
            "`sentiflow run` pushed have one"
        ) from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: expected a reference profile: {error}") from error
