"""The same layers on rows padded to `max_length`, for the training benchmark.

    python -m benchmarks.padded DATA.json

is a contestant in a process of its own, with TensorFlow's own choice of threads: Keras's LSTM and
Adam. DATA.json is a `TrainingData`.
"""

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path

import click
import keras
import tensorflow as tf

from benchmarks.turns import timed
from components.fitting import TrainingData, compiled_model
from components.model import build_model
from pipeline.config import Config, load_config
from schema import features


def our_model(data: TrainingData, config: Config) -> keras.Model:
    """The Trainer's network and optimizer."""
    return compiled_model(data, config.trained_model, config.train, None)


def keras_model(data: TrainingData, config: Config) -> keras.Model:
    """The same of Keras's own parts, as it comes."""
    gpus = tf.config.list_physical_devices("GPU")
    model = build_model(
        config.trained_model,
        data.vocabulary_size,
        data.classes,
        use_cudnn="auto" if gpus else False,
    )
    model.compile(
        keras.optimizers.Adam(
            config.train.learning_rate,
            use_ema=config.train.ema_momentum > 0,
            ema_momentum=config.train.ema_momentum,
        ),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )
    return model


def padded_epoch(
    model: keras.Model, data: TrainingData, config: Config, sentences: int
) -> Callable[[], int]:
    """A function that trains for an epoch on rows of `max_length` and returns their number."""
    spec = {
        features.IDS: tf.io.FixedLenFeature([data.max_length], tf.int64),
        features.LABEL_ID: tf.io.FixedLenFeature([], tf.int64),
    }

    def parsed(serialized):
        row = tf.io.parse_example(serialized, spec)
        return row[features.IDS], row[features.LABEL_ID]

    rows = tf.data.TFRecordDataset(data.train_files, "GZIP").shuffle(100_000)
    padded = rows.batch(config.train.batch_size).map(parsed).prefetch(tf.data.AUTOTUNE)

    def train() -> int:
        model.fit(padded, shuffle=False, verbose=0)
        return sentences

    return train


@click.command()
@click.argument("data", type=click.Path(exists=True, path_type=Path))
@click.option("--sentences", type=int, required=True)
def main(data: Path, sentences: int) -> None:
    """Train an epoch for each line of the input."""
    config = load_config()
    rows = TrainingData(**json.loads(data.read_text()))
    turn = timed(padded_epoch(keras_model(rows, config), rows, config, sentences))
    for _ in sys.stdin:
        print(json.dumps(turn()._asdict()), flush=True)


def save(data: TrainingData, path: Path) -> None:
    """Writes what `main` reads."""
    path.write_text(json.dumps(dataclasses.asdict(data)))


if __name__ == "__main__":
    main()
