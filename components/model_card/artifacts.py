"""Reads the facts of a card from the artifacts of a run, and writes the card's two files."""

import importlib.metadata
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import tensorflow as tf

from components.epochs import Epoch, best_epoch
from components.evaluation import outcome
from components.model_card.card import model_card
from components.model_card.facts import RunFacts
from components.model_card.markdown import render
from components.model_card.settings import CardSettings
from components.serve_check.result import read_result
from components.word_vectors.artifact import read_coverage
from schema import features

PACKAGES = ("tensorflow", "keras", "tfx")


@dataclass(frozen=True)
class CardSources:
    """Folders of artifacts, and what no artifact holds."""

    model_dir: str  # the SavedModel
    model_run: str
    evaluation: str
    serve_check: str  # the InfraBlessing
    rejects: str
    word_vectors: str | None
    model_name: str
    pipeline: str
    run_id: str


def card_files(sources: CardSources, stated: CardSettings, version: int) -> Mapping[str, bytes]:
    """The card of a version: {path in the version: content}, as Markdown and as JSON."""
    card = model_card(read_facts(sources, version), stated)
    return {
        features.MODEL_CARD_MARKDOWN: render(card).encode(),
        features.MODEL_CARD_JSON: (
            json.dumps(card, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        ).encode(),
    }


def read_facts(sources: CardSources, version: int) -> RunFacts:
    """Reads what the steps left."""
    info = _json(sources.model_dir, features.MODEL_INFO)
    history = _json(sources.model_run, features.HISTORY)
    coverage = None
    if sources.word_vectors:
        coverage = read_coverage(sources.word_vectors).model_dump(mode="json")
    exported = tf.io.gfile.stat(os.path.join(sources.model_dir, "saved_model.pb")).mtime_nsec
    return RunFacts(
        model_name=sources.model_name,
        version=version,
        trained=datetime.fromtimestamp(exported // 10**9, UTC).isoformat(),
        pipeline=sources.pipeline,
        run_id=sources.run_id,
        labels=info["labels"],
        config=info["config"],
        packages={name: importlib.metadata.version(name) for name in PACKAGES},
        ingest=_json(sources.rejects, features.INGEST_SUMMARY),
        coverage=coverage,
        history=history,
        kept_epoch=best_epoch([Epoch(**epoch) for epoch in history]),
        calibration=_json(sources.model_run, features.CALIBRATION),
        outcome=outcome.read(sources.evaluation),
        serve_check=read_result(sources.serve_check),
    )


def _json(folder: str, name: str) -> Any:
    with tf.io.gfile.GFile(os.path.join(folder, name)) as file:
        return json.loads(file.read())
