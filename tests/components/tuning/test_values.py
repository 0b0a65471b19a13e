"""Tuned values in the settings, and in words."""

import pytest
from pydantic import ValidationError

from components.settings import ModelSettings, TrainSettings, TuneSettings
from components.tuning.values import in_words, with_values


def test_values_take_the_place_of_the_configured_ones():
    model, train = with_values(
        ModelSettings(units=128, pooling="mean"),
        TrainSettings(batch_size=64, seed=7),
        {
            "units": 256,
            "embedding_dropout": 0.25,
            "output_dropout": 0.3,
            "learning_rate": 0.002,
            "batch_size": 32,
        },
    )
    assert model == ModelSettings(
        units=256, pooling="mean", embedding_dropout=0.25, output_dropout=0.3
    )
    assert train == TrainSettings(batch_size=32, seed=7, learning_rate=0.002)


def test_no_values_change_nothing():
    model, train = ModelSettings(units=3), TrainSettings(seed=9)
    assert with_values(model, train, {}) == (model, train)


def test_a_value_out_of_its_range_is_refused():
    with pytest.raises(ValidationError):
        with_values(ModelSettings(), TrainSettings(), {"output_dropout": 1.5})


def test_in_words():
    values = {"units": 1024, "output_dropout": 0.43721, "learning_rate": 0.000512}
    assert in_words(values) == "units 1024  output dropout 0.437  learning rate 0.000512"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"output_dropout": (0.5, 0.5)}, r"output_dropout must be \[least, most\]"),
        ({"learning_rate": (0.01, 0.001)}, r"learning_rate must be \[least, most\]"),
        ({"units": ()}, "units"),
        ({"units": (0,)}, "units"),
        (
            {
                "enabled": True,
                "units": None,
                "batch_size": None,
                "embedding_dropout": None,
                "output_dropout": None,
                "learning_rate": None,
            },
            "there is nothing to tune",
        ),
    ],
)
def test_a_search_space_that_makes_no_sense_is_refused(given, message):
    with pytest.raises(ValidationError, match=message):
        TuneSettings(**given)
