"""LinearBaseline as a TFX node: Examples in, its scores on eval out.

It trains on the train split, or on an even sample of it, and is measured on all of the eval split,
as the network is. It depends on the sentences and their tokens alone: a run with other settings of
the network takes it from the cache.
"""

import json
from collections.abc import Sequence

from tfx import types
from tfx.dsl.components.base import base_component
from tfx.types import component_spec, standard_artifacts

from components.artifacts import LinearBaselineScores
from components.executors import executor_at
from components.settings import LinearBaselineSettings, TextSettings


class LinearBaselineSpec(component_spec.ComponentSpec):
    """What goes in and comes out."""

    PARAMETERS = {
        "settings": component_spec.ExecutionParameter(type=str),  # LinearBaselineSettings as JSON
        # As JSON: TextSettings, but only what the tokens depend on, and the list of labels.
        "tokens": component_spec.ExecutionParameter(type=str),
        "labels": component_spec.ExecutionParameter(type=str),
        "code_fingerprint": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {"examples": component_spec.ChannelParameter(type=standard_artifacts.Examples)}
    OUTPUTS = {"scores": component_spec.ChannelParameter(type=LinearBaselineScores)}


class LinearBaseline(base_component.BaseComponent):
    """Trains a linear model on n-grams; output `scores`: a LinearBaselineScores artifact."""

    SPEC_CLASS = LinearBaselineSpec
    EXECUTOR_SPEC = executor_at("components.linear_baseline.executor.Executor")

    def __init__(
        self,
        examples: types.BaseChannel,
        settings: LinearBaselineSettings,
        text: TextSettings,
        labels: Sequence[str],
        code_fingerprint: str,
    ):
        """Wires the component.

        Args:
          examples: raw examples with the splits train and eval.
          settings: how many rows of train are used.
          text: how sentences are cut into tokens.
          labels: the classes.
          code_fingerprint: makes TFX's cache notice changed code.
        """
        super().__init__(
            LinearBaselineSpec(
                examples=examples,
                settings=settings.model_dump_json(),
                tokens=text.model_dump_json(include={"lowercase", "split_hyphens"}),
                labels=json.dumps(list(labels)),
                code_fingerprint=code_fingerprint,
                scores=types.Channel(type=LinearBaselineScores),
            )
        )
