"""What a card holds of a run, and of what its owner states."""

import json

import pytest

from components.model_card.card import architecture, model_card
from components.model_card.limits import weak_slices
from components.model_card.settings import CardSettings
from tests.components.model_card.facts import run_facts

NOTHING_STATED = CardSettings()


def test_sections_and_fields_of_the_model_card_toolkit():
    card = model_card(run_facts(), NOTHING_STATED)
    # The toolkit's schema v0.0.2 allows no other sections, and further fields only within them.
    assert list(card) == [
        "schema_version", "model_details", "model_parameters", "quantitative_analysis",
        "considerations",
    ]  # fmt: skip
    assert card["schema_version"] == "0.0.2"
    assert card["model_details"]["version"] == {"name": "3", "date": "2026-01-31"}
    assert json.loads(json.dumps(card, allow_nan=False)) == card


def test_what_nobody_states_is_empty():
    card = model_card(run_facts(), NOTHING_STATED)
    details = card["model_details"]
    assert details["name"] == "sentiment"
    assert "overview" not in details  # the toolkit's schema has it a string
    assert details["language"] is None
    assert details["owners"] == details["licenses"] == []
    assert card["considerations"]["use_cases"] == []
    assert card["model_parameters"]["data_set"]["licenses"] == []


def test_what_the_owner_states():
    stated = CardSettings(
        title="Film reviews",
        owner="Ann",
        license="Apache-2.0",
        data_license="For research only",
        intended_use="Sorting reviews.",
        limits="Irony is lost on it.",
    )
    card = model_card(run_facts(), stated)
    assert card["model_details"]["name"] == "Film reviews"
    assert card["model_details"]["owners"] == [{"name": "Ann"}]
    assert card["model_details"]["licenses"] == [{"identifier": "Apache-2.0"}]
    data_set = card["model_parameters"]["data_set"]
    assert data_set["licenses"] == [{"custom_text": "For research only"}]
    considerations = card["considerations"]
    assert considerations["use_cases"] == [{"description": "Sorting reviews."}]
    assert considerations["limitations"][0] == {"description": "Irony is lost on it."}


def test_metrics_with_intervals_and_slices():
    metrics = model_card(run_facts(), NOTHING_STATED)["quantitative_analysis"]
    assert metrics["performance_metrics"][0] == {
        "type": "accuracy",
        "value": "0.81",  # the toolkit's schema has numbers as text here
        "confidence_interval": {"lower_bound": "0.78", "upper_bound": "0.83"},
    }
    [long_ones] = [
        metric
        for metric in metrics["performance_metrics"]
        if metric.get("slice") == "length=41+" and metric["type"] == "accuracy"
    ]
    assert long_ones["value"] == "0.5"
    assert "auc" not in {metric["type"] for metric in metrics["performance_metrics"]}
    assert metrics["latest_blessed"]["accuracy"] == 0.80
    assert metrics["linear_baseline"]["accuracy"] == 0.78
    assert metrics["serving"]["p99_ms"] == 2.75


def test_data_by_split_and_label_without_the_folder_of_the_files():
    parameters = model_card(run_facts(), NOTHING_STATED)["model_parameters"]
    assert parameters["data"][0] == {
        "name": "train",
        "description": "9,000 rows: negative 33.3%, positive 66.7%",
        "rows": {"negative": 3000, "positive": 6000},
    }
    [file] = parameters["data_set"]["files"]
    assert (file["path"], file["sha256"]) == ("films.csv", "ab12")
    assert parameters["training"] == {"epochs": 2, "kept_epoch": 1, "steps": 282}


def test_weak_is_a_slice_well_below_the_whole_and_not_by_chance():
    # length=21-40 has 5 rows: 0.6 may be chance; label=negative is only 3.5 points below.
    assert weak_slices(run_facts().outcome["metrics"]) == [("length=41+", 0.5, 0.81, 100)]


def test_limits_name_the_weak_slices_and_where_texts_are_cut():
    card = model_card(run_facts(), CardSettings(language="en"))
    limits = [limit["description"] for limit in card["considerations"]["limitations"]]
    text = " ".join(limits)
    assert "first 64 tokens" in text
    assert "sentences in en," in text
    assert "at most 20,000 words" in text
    assert limits[-1].startswith("It is weak on length=41+: accuracy 0.500 on 100 rows")


@pytest.mark.parametrize(("known", "text"), [(900, "lack 10.0% of"), (1000, "lack 0.0% of")])
def test_unknown_words_are_those_that_the_vectors_lack(known, text):
    coverage = {"tokens": 1000, "tokens_known": known}
    card = model_card(run_facts(coverage=coverage), NOTHING_STATED)
    limits = [limit["description"] for limit in card["considerations"]["limitations"]]
    assert any(text in limit for limit in limits)


def test_architecture_in_words():
    model = {"embedding_dim": 100, "units": 128, "bidirectional": False, "pooling": "last"}
    assert architecture(model, 2) == (
        "Embedding of 100 dimensions, LSTM of 128 units, its last state, dense layer of 2 classes"
    )
