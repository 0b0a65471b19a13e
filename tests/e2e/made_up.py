"""Small made-up data sets, and runs of the pipeline on them."""

import itertools
import json
import random
from pathlib import Path

from pipeline.config import Config, load_config

WORDS = {
    "negative": ["dull", "awful", "clumsy", "boring", "tiresome"],
    "neutral": ["long", "recent", "foreign", "short", "early"],
    "positive": ["lovely", "superb", "gripping", "funny", "moving"],
}
LABELS = sorted(WORDS)
NOUNS = ["film", "story", "script", "cast", "score", "ending", "hero", "plot"]
TEMPLATES = [
    "The {noun} is {word}.",
    "A {word} {noun}, isn't it?",
    "I'd call this {noun} {word}, and the {other} too.",
    "What a {word} {noun} that was, from the {other} to the last minute!",
]
SMALL = (
    "vectors.package=null",
    "model.units=8",
    "model.embedding_dim=16",
    "train.batch_size=16",
    "train.max_epochs=8",
    "train.learning_rate=0.02",
    "train.ema_momentum=0",
    "evaluate.max_accuracy_drop=null",
    "serve_check.requests=20",
    "serve_check.p99_ms=2000",
)


def made_up_sentences(labels, rows, seed):
    """Returns (label, text) pairs, all texts different; a word of the text decides the label."""
    combinations = [
        (label, template.format(noun=noun, word=word, other=other))
        for label in labels
        for template, noun, word, other in itertools.product(TEMPLATES, NOUNS, WORDS[label], NOUNS)
    ]
    unique = sorted({text: (label, text) for label, text in combinations}.values())
    return random.Random(seed).sample(unique, rows)


def write_tsv(path: Path, rows) -> None:
    lines = ["label\ttext", *(f"{label}\t{text}" for label, text in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_splits(folder: Path, labels) -> Path:
    """A folder with train.tsv (360 rows) and eval.tsv (90 rows)."""
    folder.mkdir()
    rows = made_up_sentences(labels, 450, seed=1)
    write_tsv(folder / "train.tsv", rows[:360])
    write_tsv(folder / "eval.tsv", rows[360:])
    return folder


def small_config(preset: str | None, labels, *overrides: str) -> Config:
    return load_config(preset, (f"data.labels=[{','.join(labels)}]", *SMALL, *overrides))


def run_json(workdir: Path) -> dict:
    return json.loads((workdir / "run.json").read_text("utf-8"))
