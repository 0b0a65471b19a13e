"""The Trainer: fits the network on Transform's examples, and exports it."""

import dataclasses
import json
import logging
import math
import time

import keras
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from components import batches
from components.checkpoints import Checkpoint
from components.epochs import Epoch, best_epoch, finished, progress_line, write_summary
from components.errors import DataRefused, SentiflowError
from components.export import export_model
from components.model import build_model
from components.settings import ModelSettings, TextSettings, TrainSettings
from schema import features

log = logging.getLogger(__name__)

HISTORY = "history.json"
PROGRESS_SECONDS = 30  # between two lines about the same epoch


@dataclasses.dataclass(frozen=True)
class TrainingData:
    """Transform's examples; the files are globs of gzipped TFRecords."""

    train_files: list[str]
    eval_files: list[str]
    max_length: int
    vocabulary_size: int  # the reserved ids included
    classes: int


def run_fn(fn_args) -> None:
    """What TFX's Trainer calls: trains, writes the model and forgets the checkpoint.

    Args:
      fn_args: TFX's FnArgs; its `custom_config` holds the sections `model`, `train` and `text`,
        `labels`, `checkpoint_root` and `code_fingerprint`.
    """
    given = fn_args.custom_config
    text = TextSettings(**given["text"])
    model_settings = ModelSettings(**given["model"])
    settings = TrainSettings(**given["train"])
    transform_output = tft.TFTransformOutput(fn_args.transform_graph_path)
    tokens = transform_output.vocabulary_size_by_name(features.VOCABULARY)
    data = TrainingData(
        train_files=fn_args.train_files,
        eval_files=fn_args.eval_files,
        max_length=text.max_length,
        vocabulary_size=tokens + features.RESERVED_IDS,
        classes=len(given["labels"]),
    )
    checkpoint = Checkpoint(
        given["checkpoint_root"],
        identity={**given, "graph": fn_args.transform_graph_path, **dataclasses.asdict(data)},
    )
    weights = train(data, model_settings, settings, fn_args.model_run_dir, checkpoint)

    # The export never holds the cuDNN kernel: it would not load where there is no GPU.
    twin = build_model(model_settings, data.vocabulary_size, data.classes, use_cudnn=False)
    twin.set_weights(weights)
    sections = {"text": text, "model": model_settings, "train": settings}
    config = {name: section.model_dump(mode="json") for name, section in sections.items()}
    info = {"labels": given["labels"], "config": config}
    export_model(twin, transform_output, info, fn_args.serving_model_dir)
    checkpoint.remove()


def train(
    data: TrainingData,
    model_settings: ModelSettings,
    settings: TrainSettings,
    run_dir: str,
    checkpoint: Checkpoint,
) -> list[np.ndarray]:
    """Fits the network, going on from the checkpoint if there is one.

    Writes TensorBoard logs and `history.json`, a list of `Epoch`, to `run_dir`.

    Returns:
      The weights after the epoch with the best accuracy on eval (equal accuracies: the least loss),
      as `keras.Model.get_weights` gives them.

    Raises:
      DataRefused: a split has no rows.
      SentiflowError: the loss became infinite or not a number.
    """
    counts = _count_rows(data, features.TRAIN, data.train_files)
    eval_counts = _count_rows(data, features.EVAL, data.eval_files)
    keras.utils.set_random_seed(settings.seed)
    with _strategy().scope():
        model = _compiled_model(data, model_settings, settings)
        history, best = _restore(model, checkpoint)
    writer = tf.summary.create_file_writer(run_dir)
    for number, epoch in enumerate(history, start=1):
        write_summary(writer, number, epoch)

    while not finished(history, settings):
        steps_before = history[-1].steps if history else 0
        steps = _steps(sum(counts), steps_before, settings)
        number = len(history) + 1
        fitted = _fit(model, data, settings, number, steps, _class_weights(counts, settings))
        evaluated = _evaluate(model, data, settings, sum(eval_counts))
        epoch = Epoch(steps=steps_before + steps, **fitted, **evaluated)
        _refuse_divergence(number, epoch, settings)
        history.append(epoch)
        if best_epoch(history) == number:
            best = model.get_weights()
        _save(model, checkpoint, history, best)
        write_summary(writer, number, epoch)
        log.info(progress_line(history, settings))

    log.info("keeping the weights of epoch %d", best_epoch(history))
    with tf.io.gfile.GFile(f"{run_dir}/{HISTORY}", "w") as file:
        json.dump([dataclasses.asdict(epoch) for epoch in history], file, indent=1)
    return best


def _count_rows(data: TrainingData, split: str, files: list[str]) -> list[int]:
    """The rows of each class."""
    counts = batches.count_labels(files, data.max_length, data.classes)
    if not sum(counts):
        raise DataRefused(f"split '{split}' has no rows in {', '.join(files)}: give it some")
    return counts


def _strategy() -> tf.distribute.Strategy:
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()  # the default: one device


def _compiled_model(
    data: TrainingData, model_settings: ModelSettings, settings: TrainSettings
) -> keras.Model:
    dtype = "mixed_float16" if settings.mixed_precision else "float32"
    model = build_model(model_settings, data.vocabulary_size, data.classes, dtype=dtype)
    optimizer = keras.optimizers.Adam(
        settings.learning_rate,
        weight_decay=settings.weight_decay or None,
        global_clipnorm=settings.clip_norm,
    )
    if settings.mixed_precision:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    model.compile(
        optimizer,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,  # halves the speed of an LSTM on a CPU
    )
    optimizer.build(model.trainable_variables)
    return model


def _steps(rows: int, steps_before: int, settings: TrainSettings) -> int:
    """Batches of the next epoch: all rows, or what `max_steps` leaves of them."""
    steps = math.ceil(rows / settings.batch_size)
    return min(steps, settings.max_steps - steps_before) if settings.max_steps else steps


def _fit(
    model: keras.Model,
    data: TrainingData,
    settings: TrainSettings,
    number: int,
    steps: int,
    class_weights: dict[int, float] | None,
) -> dict[str, float]:
    """Trains for one epoch; returns Epoch's fields about it."""
    # The order of the rows follows from the seed and the epoch, so that a resumed run repeats it.
    seed = int(np.random.SeedSequence([settings.seed, number]).generate_state(1)[0])
    rows = batches.training_batches(data.train_files, data.max_length, settings.batch_size, seed)
    start = time.monotonic()
    fitted = model.fit(
        rows,
        steps_per_epoch=steps,
        class_weight=class_weights,
        callbacks=[_Progress(number, steps)],
        shuffle=False,
        verbose=0,
    ).history
    seconds = time.monotonic() - start
    return {
        "loss": fitted["loss"][0],
        "accuracy": fitted["accuracy"][0],
        "sentences_per_second": steps * settings.batch_size / seconds,
    }


def _evaluate(
    model: keras.Model, data: TrainingData, settings: TrainSettings, rows: int
) -> dict[str, float]:
    """Measures the model on eval; returns Epoch's fields about it."""
    batch_size = settings.batch_size
    evaluated = model.evaluate(
        batches.evaluation_batches(data.eval_files, data.max_length, batch_size),
        steps=math.ceil(rows / batch_size),
        verbose=0,
        return_dict=True,
    )
    return {"eval_loss": evaluated["loss"], "eval_accuracy": evaluated["accuracy"]}


def _refuse_divergence(number: int, epoch: Epoch, settings: TrainSettings) -> None:
    if not (math.isfinite(epoch.loss) and math.isfinite(epoch.eval_loss)):
        raise SentiflowError(
            f"training diverged: in epoch {number} the loss is {epoch.loss}, on eval "
            f"{epoch.eval_loss}; lower train.learning_rate ({settings.learning_rate:g}) or "
            f"train.clip_norm ({settings.clip_norm})"
        )


class _Progress(keras.callbacks.Callback):
    """Says where a long epoch stands."""

    def __init__(self, number: int, steps: int):
        super().__init__()
        self._number, self._steps = number, steps
        self._said = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        if time.monotonic() - self._said > PROGRESS_SECONDS:
            self._said = time.monotonic()
            log.info("epoch %d: batch %d of %d", self._number, batch + 1, self._steps)


def _class_weights(counts: list[int], settings: TrainSettings) -> dict[int, float] | None:
    """Weights that make every class count the same; the mean over the rows is 1."""
    if settings.class_weights == "none":
        return None
    share = sum(counts) / len(counts)
    return {label_id: share / max(count, 1) for label_id, count in enumerate(counts)}


def _save(
    model: keras.Model, checkpoint: Checkpoint, history: list[Epoch], best: list[np.ndarray]
) -> None:
    arrays = {f"now{i}": np.array(variable) for i, variable in enumerate(_variables(model))}
    arrays |= {f"best{i}": weight for i, weight in enumerate(best)}
    checkpoint.save(arrays, [dataclasses.asdict(epoch) for epoch in history])


def _restore(model: keras.Model, checkpoint: Checkpoint) -> tuple[list[Epoch], list[np.ndarray]]:
    """Brings the model to where the checkpoint was taken; returns the history, the best weights."""
    saved = checkpoint.load()
    if saved is None:
        return [], []
    arrays, epochs = saved
    for i, variable in enumerate(_variables(model)):
        variable.assign(arrays[f"now{i}"])
    log.info("resuming after epoch %d", len(epochs))
    best = [arrays[f"best{i}"] for i in range(len(model.weights))]
    return [Epoch(**epoch) for epoch in epochs], best


def _variables(model: keras.Model) -> list[keras.Variable]:
    """All that training changes: weights, the dropouts' random states, the optimizer's state."""
    return [*model.variables, *model.optimizer.variables]
