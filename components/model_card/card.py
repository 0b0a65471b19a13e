"""The card as plain values: the fields of Google's Model Card Toolkit, and a few beside them.

Source: Mitchell et al., "Model Cards for Model Reporting", FAT* 2019. The four sections and the
fields in them are those of the toolkit's schema v0.0.2, which allows further fields within the
sections; docs/model-card.md lists ours.
"""

import os
from typing import Any

from components.model_card.facts import RunFacts
from components.model_card.limits import limitations
from components.model_card.settings import CardSettings

SCHEMA_VERSION = "0.0.2"  # of the Model Card Toolkit
FIELDS_VERSION = 1  # of the fields that we add; raised when one changes its meaning or goes
_METRICS = ("accuracy", "macro_f1", "auc", "loss", "calibration_error")


def model_card(facts: RunFacts, stated: CardSettings) -> dict[str, Any]:
    """Fills the card.

    Args:
      facts: of the run.
      stated: what the owner says of the model; what is None is left out or null.

    Returns:
      Values that JSON can hold.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "model_details": _details(facts, stated),
        "model_parameters": _parameters(facts, stated),
        "quantitative_analysis": _analysis(facts),
        "considerations": {
            "use_cases": _described(stated.intended_use),
            "out_of_scope_use_cases": _described(stated.out_of_scope),
            "limitations": [
                *_described(stated.limits),
                *({"description": text} for text in limitations(facts, stated)),
            ],
        },
    }


def _details(facts: RunFacts, stated: CardSettings) -> dict[str, Any]:
    owner = {"name": stated.owner, "contact": stated.contact}
    owner = {key: value for key, value in owner.items() if value}
    return {
        "name": stated.title or facts.model_name,
        **({"overview": stated.description} if stated.description else {}),
        "owners": [owner] if owner else [],
        "version": {"name": str(facts.version), "date": facts.trained[:10]},
        "licenses": _license(stated.license),
        "fields_version": FIELDS_VERSION,
        "served_as": facts.model_name,
        "task": "text-classification",
        "classes": facts.labels,
        "language": stated.language,
        "trained": facts.trained,
        "pipeline": {"name": facts.pipeline, "run": facts.run_id},
        "packages": facts.packages,
    }


def _parameters(facts: RunFacts, stated: CardSettings) -> dict[str, Any]:
    ingest = facts.ingest
    return {
        "model_architecture": architecture(facts.config["model"], len(facts.labels)),
        "input_format": "text: string [batch], sentences in UTF-8",
        "output_format": "label: string [batch]; probabilities: float32 [batch, classes], in the "
        "order of classes",
        "data": [
            {"name": split, "description": _balance(labels), "rows": labels}
            for split, labels in ingest["splits"].items()
        ],
        "data_set": {
            "name": stated.data_name,
            "source": stated.data_source,
            "licenses": _license(stated.data_license),
            "files": [
                # A folder's name may say more than the reader of a card is to know.
                {**file, "path": os.path.basename(file["path"])}
                for file in ingest["files"]
            ],
            **{key: ingest[key] for key in ("read", "accepted", "rejected", "duplicates")},
        },
        "word_vectors": facts.coverage,
        **facts.config,
        "training": {
            "epochs": len(facts.history),
            "kept_epoch": facts.kept_epoch,
            "steps": facts.history[-1]["steps"],
        },
    }


def architecture(model: dict[str, Any], classes: int) -> str:
    """The network in a line, from the section `model` of the configuration."""
    direction = "bidirectional LSTM" if model["bidirectional"] else "LSTM"
    pooling = {
        "last": "its last state",
        "max": "the maximum of its states",
        "mean": "the mean of its states",
    }[model["pooling"]]
    return (
        f"Embedding of {model['embedding_dim']} dimensions, {direction} of {model['units']} units, "
        f"{pooling}, dense layer of {classes} classes"
    )


def _balance(rows: dict[str, int]) -> str:
    total = sum(rows.values())
    shares = ", ".join(f"{label} {count / max(total, 1):.1%}" for label, count in rows.items())
    return f"{total:,} rows: {shares}"


def _analysis(facts: RunFacts) -> dict[str, Any]:
    found = facts.outcome["metrics"]
    return {
        "performance_metrics": [
            *_performance(found),
            *(
                metric | {"slice": name}
                for name, values in found["slices"].items()
                for metric in _performance(values)
            ),
        ],
        "example_count": found["example_count"],
        "slice_example_counts": {
            name: values["example_count"] for name, values in found["slices"].items()
        },
        "confusion_matrix": found["confusion_matrix"],
        "linear_baseline": facts.outcome["linear_baseline"],
        "latest_blessed": _scalars(facts.outcome["blessed_before"]),
        "calibration": facts.calibration,
        "serving": facts.serve_check,
    }


def _performance(values: dict[str, Any]) -> list[dict[str, Any]]:
    """As the toolkit's schema has it: numbers are text."""
    metrics = []
    for name in _METRICS:
        if values.get(name) is not None:
            metric: dict[str, Any] = {"type": name, "value": str(values[name])}
            if name in values["intervals"]:
                low, high = map(str, values["intervals"][name])
                metric["confidence_interval"] = {"lower_bound": low, "upper_bound": high}
            metrics.append(metric)
    return metrics


def _scalars(values: dict[str, Any] | None) -> dict[str, Any] | None:
    return {name: values[name] for name in _METRICS if name in values} if values else None


def _license(text: str | None) -> list[dict[str, str]]:
    """As the toolkit's schema has it: SPDX identifiers have no spaces."""
    if text is None:
        return []
    return [{"custom_text" if " " in text else "identifier": text}]


def _described(text: str | None) -> list[dict[str, str]]:
    return [{"description": text}] if text else []
