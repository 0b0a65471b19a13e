"""The tuned hyperparameters: where they stand in the settings, and how a person reads them.

Nothing here imports KerasTuner: the Trainer and the record need only the values.
"""

from typing import Any

from components.settings import ModelSettings, TrainSettings

Values = dict[str, Any]  # {name of a field of ModelSettings or TrainSettings: value}


def with_values(
    model: ModelSettings, train: TrainSettings, values: Values
) -> tuple[ModelSettings, TrainSettings]:
    """Puts the values in the place of the configured ones."""
    return (
        ModelSettings(**{**model.model_dump(), **_of_section(ModelSettings, values)}),
        TrainSettings(**{**train.model_dump(), **_of_section(TrainSettings, values)}),
    )


def in_words(values: Values) -> str:
    """As `units 128  learning rate 0.0021`."""
    return "  ".join(f"{name.replace('_', ' ')} {_short(value)}" for name, value in values.items())


def _short(value: int | float) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _of_section(section: type[ModelSettings] | type[TrainSettings], values: Values) -> Values:
    return {name: value for name, value in values.items() if name in section.model_fields}
