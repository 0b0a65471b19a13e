"""TFX's Evaluator, set up for this project."""

from collections.abc import Sequence

from tensorflow_model_analysis.proto.config_pb2 import EvalConfig
from tfx import types
from tfx.dsl.components.base import base_beam_component
from tfx.types import component_spec, standard_artifacts, standard_component_specs
from tfx.types.standard_component_specs import EVAL_CONFIG_KEY as EVAL_CONFIG

from components.artifacts import LinearBaselineScores
from components.evaluation.config import eval_config
from components.executors import beam_executor_at
from components.settings import EvaluateSettings

# Keys that the spec of TFX's own Evaluator lacks.
LINEAR_BASELINE = "linear_baseline"
BEAT_BASELINE_BY = "beat_baseline_by"


class EvaluatorSpec(standard_component_specs.EvaluatorSpec):
    """TFX's, with the linear baseline and the bound on the lead over it."""

    PARAMETERS = {
        **standard_component_specs.EvaluatorSpec.PARAMETERS,
        EVAL_CONFIG: component_spec.ExecutionParameter(type=EvalConfig),
        BEAT_BASELINE_BY: component_spec.ExecutionParameter(type=float, optional=True),
        "code_fingerprint": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        **standard_component_specs.EvaluatorSpec.INPUTS,
        LINEAR_BASELINE: component_spec.ChannelParameter(type=LinearBaselineScores),
    }


class Evaluator(base_beam_component.BaseBeamComponent):
    """Measures the model on the raw `eval` examples and blesses it.

    Outputs `evaluation`: a standard ModelEvaluation with `outcome.json`; `blessing`: a standard
    ModelBlessing.
    """

    SPEC_CLASS = EvaluatorSpec
    EXECUTOR_SPEC = beam_executor_at("components.evaluation.executor.Executor")

    def __init__(
        self,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        baseline_model: types.BaseChannel,
        linear_baseline: types.BaseChannel,
        settings: EvaluateSettings,
        labels: Sequence[str],
        code_fingerprint: str,
    ):
        """Wires the component.

        Args:
          examples: raw Examples, `text` and `label`.
          model: the exported candidate.
          baseline_model: the latest blessed model; without an artifact nothing is compared, and
            bounds against it hold.
          linear_baseline: scores of the linear model on the same rows.
          settings: what the model must reach.
          labels: the classes, in the configuration's order.
          code_fingerprint: makes TFX's cache notice changed code.

        Raises:
          UsageError: a bound that cannot be checked with these labels.
        """
        super().__init__(
            EvaluatorSpec(
                examples=examples,
                model=model,
                baseline_model=baseline_model,
                linear_baseline=linear_baseline,
                eval_config=eval_config(settings, labels),
                module_path="components.evaluation.extractors",
                beat_baseline_by=settings.beat_baseline_by,
                code_fingerprint=code_fingerprint,
                evaluation=types.Channel(type=standard_artifacts.ModelEvaluation),
                blessing=types.Channel(type=standard_artifacts.ModelBlessing),
            )
        )
