"""Artifact types of this project's own components."""

from tfx.types.artifact import Artifact


class Rejects(Artifact):
    """Rows that were not used, and the counts of all rows.

    File structure, names in `schema.features`:
      - `rejects-*.jsonl`: a rejected row a line, with file, record, reason, detail and raw content;
        a file for each input file that has any.
      - `summary.json`: `components.ingest.summary.IngestSummary`.
    """

    TYPE_NAME = "Rejects"


class LinearBaselineScores(Artifact):
    """How good the linear baseline is on eval.

    File structure:
      - `linear_baseline.json`: `components.linear_baseline.result.LinearBaselineResult`.
    """

    TYPE_NAME = "LinearBaselineScores"


class ReferenceProfile(Artifact):
    """What the eval split looks like to a model; new text is compared with it.

    File structure:
      - `reference_profile.json`: `components.drift.profile.TextProfile`.
    """

    TYPE_NAME = "ReferenceProfile"
