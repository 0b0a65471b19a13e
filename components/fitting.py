"""Epoch by epoch: the network is trained, measured, and saved so that a killed run can go on."""

import contextlib
import dataclasses
import logging
import math
import time
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from components.adam import RowAdam
from components.batches import SplitRows
from components.checkpoints import Checkpoint
from components.epochs import Epoch, best_epoch
from components.errors import DataRefused, SentiflowError, UsageError
from components.model import EMBEDDING, build_model
from components.settings import ModelSettings, TrainSettings
from components.word_vectors.embedding import Pretrained
from schema import features

log = logging.getLogger(__name__)

# Between two batches Keras's loop in Python takes a tenth of the time that a batch takes. With
# several devices it cannot put more than one batch into a call.
STEPS_PER_EXECUTION = 16
EVALUATION_BATCH = 256  # rows
PROGRESS_SECONDS = 30  # between two lines about the same epoch


@dataclasses.dataclass(frozen=True)
class TrainingData:
    """Transform's examples; the files are globs of gzipped TFRecords."""

    train_files: list[str]
    eval_files: list[str]
    max_length: int
    vocabulary_size: int  # the reserved ids included
    classes: int


class Fitting:
    """A training run: the network, the epochs so far, and the weights of the best of them."""

    def __init__(
        self,
        data: TrainingData,
        model_settings: ModelSettings,
        settings: TrainSettings,
        pretrained: Pretrained | None = None,
    ):
        self._data, self._settings = data, settings
        self._rows, self._counts = _counted_rows(data, features.TRAIN, data.train_files)
        eval_rows, _ = _counted_rows(data, features.EVAL, data.eval_files)
        strategy = _strategy()
        self._split_batches = strategy.num_replicas_in_sync > 1
        self._batches_per_epoch = _batches_per_epoch(
            sum(self._counts), settings.batch_size, strategy.num_replicas_in_sync
        )
        with strategy.scope():
            self._model = compiled_model(data, model_settings, settings, pretrained)
        fixed = self._model.get_layer(EMBEDDING).fixed
        self._learned = [weight for weight in self._model.weights if weight is not fixed]
        self._closed_epochs = pretrained.closed_epochs if pretrained else 0
        self._evaluate_batch = _batch_evaluation(self._model)
        self._eval_batches = eval_rows.evaluation_batches(EVALUATION_BATCH)
        self.history: list[Epoch] = []
        self.best: list[np.ndarray] = []  # of `_learned`

    def best_weights(self) -> list[np.ndarray]:
        """The weights of the best epoch, as `keras.Model.get_weights` gives them."""
        for variable, weight in zip(self._learned, self.best, strict=True):
            variable.assign(weight)
        return self._model.get_weights()

    def run_epoch(self) -> Epoch:
        """Trains for one epoch, or for what `max_steps` leaves of it, and evaluates."""
        number = len(self.history) + 1
        steps_before = self.history[-1].steps if self.history else 0
        steps = self._batches_per_epoch
        if self._settings.max_steps:
            steps = min(steps, self._settings.max_steps - steps_before)
        self._model.get_layer(EMBEDDING).let_gradients_pass(number > self._closed_epochs)
        fitted = self._fit(number, steps)
        with self._averaged_weights():
            epoch = Epoch(steps=steps_before + steps, **fitted, **self._evaluate())
            weights = [np.array(weight) for weight in self._learned]
        if not (math.isfinite(epoch.loss) and math.isfinite(epoch.eval_loss)):
            raise SentiflowError(
                f"training diverged: in epoch {number} the loss is {epoch.loss}, on eval "
                f"{epoch.eval_loss}; lower train.learning_rate ({self._settings.learning_rate:g}) "
                f"or train.clip_norm ({self._settings.clip_norm})"
            )
        self.history.append(epoch)
        if best_epoch(self.history) == number:
            self.best = weights
        return epoch

    def _fit(self, number: int, steps: int) -> dict[str, float]:
        """Trains; returns Epoch's fields about it."""
        # The order follows from the seed and the epoch's number: a resumed run repeats it.
        seed = np.random.SeedSequence([self._settings.seed, number]).generate_state(1)[0]
        rows = self._rows.training_batches(
            self._settings.batch_size, int(seed), drop_remainder=self._split_batches
        )
        sentences = min(sum(self._counts), steps * self._settings.batch_size)
        start = time.monotonic()
        fitted = self._model.fit(
            # Keras looks at `steps_per_epoch` between two calls only. Without it several devices
            # would take one more step, of no rows, at the end.
            rows.take(steps),
            steps_per_epoch=steps,
            class_weight=_class_weights(self._counts, self._settings),
            callbacks=[_Progress(number, steps)],
            shuffle=False,
            verbose=0,
        ).history
        seconds = time.monotonic() - start
        return {
            "loss": fitted["loss"][0],
            "accuracy": fitted["accuracy"][0],
            "sentences_per_second": sentences / seconds,
        }

    def _evaluate(self) -> dict[str, float]:
        """Measures the model on eval; returns Epoch's fields about it."""
        totals = np.zeros(3)
        for ids, label_ids in self._eval_batches:
            totals += self._evaluate_batch(ids, label_ids).numpy()
        rows, loss, right = totals.tolist()
        return {"eval_loss": loss / rows, "eval_accuracy": right / rows}

    @contextlib.contextmanager
    def _averaged_weights(self) -> Iterator[None]:
        """Puts the moving average of the weights in their place, to measure and to keep it."""
        if not self._settings.ema_momentum:
            yield
            return
        trained = [np.array(weight) for weight in self._learned]
        optimizer = self._model.optimizer
        adam = getattr(optimizer, "inner_optimizer", optimizer)  # inside of a LossScaleOptimizer
        adam.use_averages(self._model.trainable_variables)
        yield
        for variable, weight in zip(self._learned, trained, strict=True):
            variable.assign(weight)

    def save(self, checkpoint: Checkpoint) -> None:
        """Saves all that the rest of the run depends on."""
        arrays = {f"now{i}": np.array(variable) for i, variable in enumerate(self._variables())}
        arrays |= {f"best{i}": weight for i, weight in enumerate(self.best)}
        checkpoint.save(arrays, [dataclasses.asdict(epoch) for epoch in self.history])

    def restore(self, checkpoint: Checkpoint) -> None:
        """Goes to where the checkpoint was taken, if there is one."""
        saved = checkpoint.load()
        if saved is None:
            return
        arrays, epochs = saved
        for i, variable in enumerate(self._variables()):
            variable.assign(arrays[f"now{i}"])
        self.best = [arrays[f"best{i}"] for i in range(len(self._learned))]
        self.history = [Epoch(**epoch) for epoch in epochs]
        log.info("resuming after epoch %d", len(self.history))

    def _variables(self) -> list[keras.Variable]:
        """All that training changes: weights, random states of dropout, the optimizer's state."""
        fixed = self._model.get_layer(EMBEDDING).fixed
        variables = [*self._model.variables, *self._model.optimizer.variables]
        return [variable for variable in variables if variable is not fixed]


def _counted_rows(data: TrainingData, split: str, files: list[str]) -> tuple[SplitRows, list[int]]:
    """The rows, and how many of each class there are."""
    rows = SplitRows(files, data.max_length)
    counts = rows.count_labels(data.classes)
    if not sum(counts):
        raise DataRefused(f"split '{split}' has no rows in {', '.join(files)}: give it some")
    return rows, counts


def _strategy() -> tf.distribute.Strategy:
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()  # the default: one device


def compiled_model(
    data: TrainingData,
    model_settings: ModelSettings,
    settings: TrainSettings,
    pretrained: Pretrained | None,
) -> keras.Model:
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    dtype = "mixed_float16" if settings.mixed_precision else "float32"
    fixed_words = pretrained.fixed_words if pretrained else 0
    model = build_model(
        model_settings, data.vocabulary_size, data.classes, fixed_words, dtype=dtype
    )
    embedding = model.get_layer(EMBEDDING)
    if pretrained:
        embedding.start_from(pretrained.table)
    optimizer = RowAdam(
        embedding.trained,
        learning_rate=settings.learning_rate,
        name="adam",
        weight_decay=settings.weight_decay or None,
        global_clipnorm=settings.clip_norm,
        use_ema=settings.ema_momentum > 0,
        ema_momentum=settings.ema_momentum,
    )
    if settings.mixed_precision:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    model.compile(
        optimizer,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,  # halves the speed of an LSTM on a CPU
        steps_per_execution=1 if replicas > 1 else STEPS_PER_EXECUTION,
    )
    optimizer.build(model.trainable_variables)
    return model


def _batches_per_epoch(rows: int, batch_size: int, replicas: int) -> int:
    if replicas == 1:
        return math.ceil(rows / batch_size)
    if batch_size % replicas or rows < batch_size:
        raise UsageError(
            f"train.batch_size must be a multiple of the {replicas} GPUs and at most the {rows} "
            f"rows of train, got {batch_size}"
        )
    return rows // batch_size


def _batch_evaluation(model: keras.Model):
    """Makes a function from a batch to float32 [3]: rows, sum of the losses, right answers.

    keras.Model.evaluate would have to split batches of any size over the GPUs.
    """

    @tf.function(
        input_signature=[tf.TensorSpec([None, None], tf.int64), tf.TensorSpec([None], tf.int64)],
        autograph=False,
    )
    def evaluate_batch(ids, label_ids):
        logits = model(ids, training=False)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(label_ids, logits)
        right = tf.cast(tf.argmax(logits, axis=1) == label_ids, tf.float32)
        rows = tf.cast(tf.size(label_ids), tf.float32)
        return tf.stack([rows, tf.reduce_sum(losses), tf.reduce_sum(right)])

    return evaluate_batch


class _Progress(keras.callbacks.Callback):
    """Says where a long epoch stands."""

    def __init__(self, number: int, steps: int):
        super().__init__()
        self._number, self._steps = number, steps
        self._said = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        if time.monotonic() - self._said > PROGRESS_SECONDS:
            self._said = time.monotonic()
            done = min(batch + 1, self._steps)
            log.info("epoch %d: batch %d of %d", self._number, done, self._steps)


def _class_weights(counts: list[int], settings: TrainSettings) -> dict[int, float] | None:
    """Weights that make every class count the same; the mean over the rows is 1."""
    if settings.class_weights == "none":
        return None
    share = sum(counts) / len(counts)
    return {label_id: share / max(count, 1) for label_id, count in enumerate(counts)}
