"""The Trainer: fits the network on Transform's examples, and exports it."""

import dataclasses
import json
import logging

import keras
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from components.batches import SplitRows
from components.calibration import Calibration, calibrate, logits_of
from components.checkpoints import Checkpoint
from components.epochs import best_epoch, finished, progress_line, write_summary
from components.export import export_model
from components.fitting import Fitting, TrainingData
from components.model import build_model
from components.settings import ModelSettings, TextSettings, TrainSettings
from components.training_inputs import pretrained_vectors, training_data
from components.tuning.values import in_words, with_values
from components.word_vectors.embedding import Pretrained
from schema import features

log = logging.getLogger(__name__)

CALIBRATION_BATCH = 256  # rows
CALIBRATION_BATCHES = 400  # about 100,000 rows of eval are more than enough for one number


def run_fn(fn_args) -> None:
    """What TFX's Trainer calls: trains, calibrates, writes the model and forgets the checkpoint.

    Args:
      fn_args: TFX's FnArgs; its `custom_config` holds the sections `model`, `train` and `text`,
        `fine_tune_after`, `labels`, `checkpoint_root` and `code_fingerprint`, and if there are
        word vectors, in `word_vectors` the folder of the SelectedVectors artifact. If there was
        a Tuner, the best values in `hyperparameters` take the place of those in the sections.
    """
    given = fn_args.custom_config
    text = TextSettings(**given["text"])
    tuned = fn_args.hyperparameters["values"] if fn_args.hyperparameters else {}
    if tuned:
        log.info("from the Tuner: %s", in_words(tuned))
    model_settings, settings = with_values(
        ModelSettings(**given["model"]), TrainSettings(**given["train"]), tuned
    )
    data = training_data(fn_args)
    checkpoint = Checkpoint(
        given["checkpoint_root"],
        identity={
            **given,
            "tuned": tuned,
            "graph": fn_args.transform_graph_path,
            **dataclasses.asdict(data),
        },
    )
    pretrained = pretrained_vectors(given)
    weights = train(data, model_settings, settings, fn_args.model_run_dir, checkpoint, pretrained)

    # The export never holds the cuDNN kernel: it would not load where there is no GPU.
    twin = build_model(
        model_settings,
        data.vocabulary_size,
        data.classes,
        pretrained.fixed_words if pretrained else 0,
        use_cudnn=False,
    )
    twin.set_weights(weights)
    calibration = calibrate_on_eval(twin, data, settings.seed)
    with tf.io.gfile.GFile(f"{fn_args.model_run_dir}/{features.CALIBRATION}", "w") as file:
        json.dump(dataclasses.asdict(calibration), file, indent=1)
    sections = {"text": text, "model": model_settings, "train": settings}
    config = {name: section.model_dump(mode="json") for name, section in sections.items()}
    info = {"labels": given["labels"], "config": config}
    transform_output = tft.TFTransformOutput(fn_args.transform_graph_path)
    export_model(twin, calibration.temperature, transform_output, info, fn_args.serving_model_dir)
    checkpoint.remove()


def train(
    data: TrainingData,
    model_settings: ModelSettings,
    settings: TrainSettings,
    run_dir: str,
    checkpoint: Checkpoint,
    pretrained: Pretrained | None = None,
) -> list[np.ndarray]:
    """Fits the network, going on from the checkpoint if there is one.

    Writes TensorBoard logs and `history.json`, a list of `Epoch`, to `run_dir`.

    Returns:
      The weights after the epoch with the best accuracy on eval (equal accuracies: the least loss),
      as `keras.Model.get_weights` gives them.

    Raises:
      DataRefused: a split has no rows.
      UsageError: a batch cannot be split over the GPUs.
      SentiflowError: the loss became infinite or not a number.
    """
    keras.utils.set_random_seed(settings.seed)
    fitting = Fitting(data, model_settings, settings, pretrained)
    fitting.restore(checkpoint)
    writer = tf.summary.create_file_writer(run_dir)
    for number, epoch in enumerate(fitting.history, start=1):
        write_summary(writer, number, epoch)
    while not finished(fitting.history, settings):
        epoch = fitting.run_epoch()
        fitting.save(checkpoint)
        write_summary(writer, len(fitting.history), epoch)
        log.info(progress_line(fitting.history, settings))
    log.info("keeping the weights of epoch %d", best_epoch(fitting.history))
    with tf.io.gfile.GFile(f"{run_dir}/{features.HISTORY}", "w") as file:
        json.dump([dataclasses.asdict(epoch) for epoch in fitting.history], file, indent=1)
    return fitting.best_weights()


def calibrate_on_eval(model: keras.Model, data: TrainingData, seed: int) -> Calibration:
    """Fits the temperature on eval: on all its rows, or on a shuffled part where it is large.

    Early stopping has looked at these rows too, but train, which the network knows, would do worse.

    Args:
      model: with its final weights.
      data: of the training run.
      seed: of the order of the rows.
    """
    eval_rows = SplitRows(data.eval_files, data.max_length)
    rows = eval_rows.training_batches(CALIBRATION_BATCH, seed)
    calibration = calibrate(*logits_of(model, rows.take(CALIBRATION_BATCHES)))
    log.info(
        "temperature %.2f: calibration error %.3f -> %.3f on eval",
        calibration.temperature,
        calibration.error_before,
        calibration.error_after,
    )
    return calibration
