"""What runs LinearBaseline: trains on one split, measures on the other."""

import json
import logging
from collections import Counter
from collections.abc import Sequence

import numpy as np
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from components.evaluation import scores
from components.linear_baseline import result
from components.linear_baseline.classifier import NbLogisticRegression
from components.linear_baseline.rows import read_rows, sample, to_tokens
from components.settings import LinearBaselineSettings, TextSettings
from schema import features

log = logging.getLogger(__name__)


def train_and_score(
    train_dir: str,
    eval_dir: str,
    settings: LinearBaselineSettings,
    text: TextSettings,
    labels: Sequence[str],
) -> result.LinearBaselineResult:
    """Trains the baseline on one split and measures it on another.

    Args:
      train_dir, eval_dir: folders of gzipped TFRecords of raw examples; neither is empty.
      settings: how many rows of train are used.
      text: how the network's sentences are cut into tokens; so are the baseline's.
      labels: the classes.
    """
    ids = {label.encode(): label_id for label_id, label in enumerate(labels)}

    def tokens(texts: np.ndarray) -> list[str]:
        return to_tokens(texts, text.lowercase, text.split_hyphens)

    chosen, train_rows = sample(read_rows(train_dir), settings.max_rows)
    label_ids = np.array([ids[label] for label in chosen.labels])
    classifier = NbLogisticRegression().fit(tokens(chosen.texts), label_ids)
    counts: Counter[tuple[int, int]] = Counter()
    for rows in read_rows(eval_dir):
        predicted = classifier.predict(tokens(rows.texts)).tolist()
        counts.update(zip((ids[label] for label in rows.labels), predicted, strict=True))
    return result.LinearBaselineResult(
        accuracy=scores.accuracy(counts),
        macro_f1=scores.macro_f1(counts),
        example_count=counts.total(),
        train_rows=train_rows,
        trained_on=len(chosen),
        ngrams=classifier.ngrams,
    )


class Executor(base_executor.BaseExecutor):
    """Unpacks the artifacts for `train_and_score`."""

    def Do(self, input_dict, output_dict, exec_properties):
        """See LinearBaselineSpec for the keys."""
        found = train_and_score(
            artifact_utils.get_split_uri(input_dict["examples"], features.TRAIN),
            artifact_utils.get_split_uri(input_dict["examples"], features.EVAL),
            LinearBaselineSettings.model_validate_json(exec_properties["settings"]),
            TextSettings.model_validate_json(exec_properties["tokens"]),
            json.loads(exec_properties["labels"]),
        )
        log.info(
            "linear model on n-grams: accuracy %.3f, trained on %s of %s rows",
            found.accuracy,
            f"{found.trained_on:,}",
            f"{found.train_rows:,}",
        )
        found.write(artifact_utils.get_single_uri(output_dict["scores"]))
