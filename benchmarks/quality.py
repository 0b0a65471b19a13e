"""Accuracy on eval: the presets, seed by seed, beside NB-SVM on the same sentences.

Each row of the LSTM is a run of the whole pipeline; its accuracy is the Evaluator's, of the
exported model, through its `examples` signature.

    make bench-quality DATA=FOLDER
    python -m benchmarks.quality --data FOLDER --workdir DIR [--seeds 1,2,3]

FOLDER holds a folder for each data set of `PRESETS`, each with train.tsv and eval.tsv.
"""

import statistics
from collections.abc import Iterator
from pathlib import Path

import click

from benchmarks.nb_svm import nb_svm_accuracy
from components.ingest.reader import read_rows
from components.ingest.rows import Row
from components.settings import DataSettings
from pipeline.config import Config, load_config
from pipeline.local_runner import run_pipeline

NB_SVM = {"NB-SVM": 0.25, "NB-weighted logistic regression": 1.0}  # beta
# Data set -> the preset for it
PRESETS = {"sst2": "default", "trec6": "default", "sst2_phrases": "sst2_phrases"}


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--workdir", type=click.Path(path_type=Path), required=True)
@click.option("--seeds", default="1,2,3", show_default=True)
@click.option("--only", default="", help="Only rows whose `data set: name` holds this.")
def main(data: Path, workdir: Path, seeds: str, only: str) -> None:
    """Print the table of accuracies."""
    click.echo("| data | model | accuracy on eval | of the seeds |\n|---|---|---|---|")
    for data_set, preset in PRESETS.items():
        folder = data / data_set
        if not folder.is_dir():
            click.echo(f"{folder}: not there, its rows are left out", err=True)
            continue
        evaluation = _texts_and_labels(folder, "eval")
        train = _without(evaluation[0], *_texts_and_labels(folder, "train"))
        for model, beta in NB_SVM.items():
            if only in f"{data_set}: {model}":
                accuracy = nb_svm_accuracy(train, evaluation, load_config().text, beta)
                click.echo(f"| {data_set} | {model} | {accuracy:.3f} | |")
        if only not in f"{data_set}: LSTM":
            continue
        accuracies = []
        for seed in seeds.split(","):
            config = _config(preset, sorted(set(train[1])), seed)
            accuracies.append(_lstm_accuracy(config, folder, workdir / data_set))
        each = ", ".join(f"{accuracy:.3f}" for accuracy in accuracies)
        mean = statistics.mean(accuracies)
        click.echo(f"| {data_set} | LSTM, preset `{preset}` | {mean:.3f} | {each} |")


def _config(preset: str, labels: list[str], seed: str) -> Config:
    measured_not_served = ("evaluate.max_accuracy_drop=null", "serve_check.p99_ms=10000")
    data = f"data.labels=[{','.join(labels)}]"
    return load_config(preset, (data, f"train.seed={seed}", *measured_not_served))


def _lstm_accuracy(config: Config, folder: Path, workdir: Path) -> float:
    record = run_pipeline(config, str(folder), workdir, shown=False)
    assert record.metrics
    return record.metrics["accuracy"]


def _rows(folder: Path, split: str) -> Iterator[Row]:
    for row in read_rows(str(folder / f"{split}.tsv"), DataSettings(), require_label=False):
        if isinstance(row, Row):
            yield row


def _without(
    held_out: list[str], texts: list[str], labels: list[str]
) -> tuple[list[str], list[str]]:
    """The rows whose text is not held out; the pipeline drops them too."""
    left_out = set(held_out)
    kept = [row for row in zip(texts, labels, strict=True) if row[0] not in left_out]
    return [text for text, _ in kept], [label for _, label in kept]


def _texts_and_labels(folder: Path, split: str) -> tuple[list[str], list[str]]:
    rows = list(_rows(folder, split))
    return [row.text for row in rows], [row.label or "" for row in rows]


if __name__ == "__main__":
    main()
