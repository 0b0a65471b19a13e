"""Which model a candidate is compared with: the latest blessed one other than itself."""

from tfx.dsl.components.common.resolver import ResolverStrategy
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
    LatestBlessedModelStrategy,
)

MODEL, BLESSING, CANDIDATE = "model", "model_blessing", "candidate"


class LatestOtherBlessedModel(ResolverStrategy):
    """TFX's LatestBlessedModelStrategy, without the candidate.

    TFX's own strategy resolves, in a run where the Trainer was cached, the candidate itself: the
    Evaluator then runs again to compare a model with itself, and all that follows runs again too.
    """

    def resolve_artifacts(self, store, input_dict):
        """Picks the baseline.

        Args:
          store: the metadata store.
          input_dict: all `model`s and `model_blessing`s of the pipeline, this run's `candidate`.

        Returns:
          The same keys; `model` and `model_blessing` hold one artifact each, or none.
        """
        candidates = {artifact.id for artifact in input_dict[CANDIDATE]}
        others = [model for model in input_dict[MODEL] if model.id not in candidates]
        resolved = LatestBlessedModelStrategy().resolve_artifacts(
            store, {MODEL: others, BLESSING: input_dict[BLESSING]}
        )
        return {**resolved, CANDIDATE: input_dict[CANDIDATE]}
