"""TFX's Evaluator, set up for this project."""

from collections.abc import Sequence

from tfx.components.evaluator.component import Evaluator
from tfx.types import BaseChannel

from components.evaluation import extractors
from components.evaluation.config import eval_config
from components.settings import EvaluateSettings


def make_evaluator(
    examples: BaseChannel,
    model: BaseChannel,
    baseline_model: BaseChannel | None,
    settings: EvaluateSettings,
    labels: Sequence[str],
    code_fingerprint: str,
) -> Evaluator:
    """The Evaluator of the pipeline: measures the model on the raw `eval` examples and blesses it.

    Args:
      examples: raw Examples, `text` and `label`.
      model: the exported candidate.
      baseline_model: the latest blessed model; None, or a channel without an artifact: nothing is
        compared, and bounds against it hold.
      settings: what the model must reach.
      labels: the classes, in the configuration's order.
      code_fingerprint: of this component's code; only makes the cache notice a change.

    Raises:
      UsageError: a bound that cannot be checked with these labels.
    """
    evaluator = Evaluator(
        examples=examples,
        model=model,
        baseline_model=baseline_model,
        eval_config=eval_config(settings, labels),
        module_path=extractors.__name__,
    )
    # The spec of TFX's component has no place for it; what the executor does not know it ignores.
    evaluator.spec.exec_properties["code_fingerprint"] = code_fingerprint
    return evaluator
