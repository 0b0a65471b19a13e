"""TFX's Transform, Tuner and Trainer with one more input: the selected word vectors.

All tell their user's function of their inputs, but TFX fixes which inputs there are. These add the
artifact's address to `custom_config` when the step runs: `custom_config["word_vectors"]`.
"""

from tfx import types
from tfx.components.trainer import component as trainer_component
from tfx.components.transform import component as transform_component
from tfx.components.tuner import component as tuner_component
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.types.component_spec import ChannelParameter

from components.executors import beam_executor_at, executor_at
from components.word_vectors.artifact import SelectedVectors
from schema.features import WORD_VECTORS

EXECUTORS = "components.word_vectors.consumer_executors"


def _add_input(component: BaseComponent, word_vectors: types.BaseChannel | None) -> None:
    if word_vectors is not None:
        spec = component.spec  # made by TFX's constructor, of TFX's class
        spec.INPUTS = {**spec.INPUTS, WORD_VECTORS: ChannelParameter(type=SelectedVectors)}
        spec.inputs[WORD_VECTORS] = word_vectors


class Transform(transform_component.Transform):
    """TFX's Transform; `word_vectors`: channel of SelectedVectors, or None."""

    EXECUTOR_SPEC = beam_executor_at(f"{EXECUTORS}.TransformExecutor")

    def __init__(self, *, word_vectors: types.BaseChannel | None, **given):
        super().__init__(**given)
        _add_input(self, word_vectors)


class Tuner(tuner_component.Tuner):
    """TFX's Tuner; `word_vectors`: channel of SelectedVectors, or None."""

    EXECUTOR_SPEC = executor_at(f"{EXECUTORS}.TunerExecutor")

    def __init__(self, *, word_vectors: types.BaseChannel | None, **given):
        super().__init__(**given)
        _add_input(self, word_vectors)


class Trainer(trainer_component.Trainer):
    """TFX's Trainer; `word_vectors`: channel of SelectedVectors, or None."""

    EXECUTOR_SPEC = executor_at(f"{EXECUTORS}.TrainerExecutor")

    def __init__(self, *, word_vectors: types.BaseChannel | None, **given):
        super().__init__(**given)
        _add_input(self, word_vectors)
