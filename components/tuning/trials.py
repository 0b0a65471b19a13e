"""Trains with given hyperparameters, as the Trainer would, and remembers the outcome."""

import dataclasses
import logging
import math
import time
from collections.abc import Callable

import keras
import tensorflow as tf

from components.checkpoints import Checkpoint
from components.epochs import Epoch, finished
from components.errors import DataRefused, SentiflowError
from components.fitting import Fitting, TrainingData
from components.settings import ModelSettings, TrainSettings
from components.tuning.values import Values, with_values
from components.word_vectors.embedding import Pretrained

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a trial came to."""

    values: Values
    accuracy: float | None  # on eval, after the best epoch; None: it could not be trained
    seconds: float
    problem: str | None = None


class Trials:
    """All trials of a search, within its time; a killed search trains none of them again.

    KerasTuner could go on from its own files, but a kill can leave them half-written, and they hold
    neither the state of its random numbers nor the finished epochs of a trial. So a search starts
    anew, proposes the same values again, and gets the outcomes from here.
    """

    def __init__(
        self,
        data: TrainingData,
        model: ModelSettings,
        train: TrainSettings,
        pretrained: Pretrained | None,
        checkpoint: Checkpoint,
        max_minutes: float | None,
        clock: Callable[[], float] = time.monotonic,
    ):
        """Goes on from the checkpoint, if there is one.

        Args:
          data: as the Trainer's.
          model: as configured.
          train: as configured, but for the epochs of a trial.
          pretrained: word vectors, if there are any.
          checkpoint: of the outcomes so far; the running trial's lies in its folder.
          max_minutes: of all trials together; None: any.
          clock: seconds since any moment.
        """
        self._data, self._model, self._train = data, model, train
        self._pretrained, self._checkpoint, self._clock = pretrained, checkpoint, clock
        self._seconds = math.inf if max_minutes is None else 60 * max_minutes
        saved = checkpoint.load()
        self._known = [Outcome(**outcome) for outcome in saved[1]] if saved else []
        self._asked: list[Outcome] = []
        if self._known:
            log.info("resuming after trial %d", len(self._known))

    @property
    def out_of_time(self) -> bool:
        """Whether no further trial may start."""
        return self._seconds_left <= 0

    @property
    def _seconds_left(self) -> float:
        return self._seconds - sum(outcome.seconds for outcome in self._asked)

    def outcome(self, values: Values) -> Outcome:
        """Trains with these values, unless that was done before.

        Raises:
          DataRefused: a split has no rows.
        """
        outcome = next((known for known in self._known if known.values == values), None)
        if outcome is None:
            outcome = self._run(values)
            self._known.append(outcome)
            self._checkpoint.save({}, [dataclasses.asdict(known) for known in self._known])
        if outcome not in self._asked:
            self._asked.append(outcome)
        return outcome

    def forget(self) -> None:
        """Deletes what was saved: the search has its result."""
        self._checkpoint.remove()

    def _run(self, values: Values) -> Outcome:
        start = self._clock()
        checkpoint = Checkpoint(self._checkpoint.folder, values)
        accuracy, problem = None, None
        try:
            history = self._fit(values, checkpoint, end=start + self._seconds_left)
            accuracy = max(epoch.eval_accuracy for epoch in history)
        except DataRefused:
            raise
        # It diverged, does not fit on the GPU, or has a batch that several GPUs cannot share.
        except (SentiflowError, tf.errors.ResourceExhaustedError) as error:
            problem = " ".join(str(error).split())[:300]
        checkpoint.remove()
        return Outcome(values, accuracy, self._clock() - start, problem)

    def _fit(self, values: Values, checkpoint: Checkpoint, end: float) -> list[Epoch]:
        """Trains as the Trainer does, but at most to the end of the epoch in which time is over."""
        model, train = with_values(self._model, self._train, values)
        keras.utils.clear_session()  # the graphs of the trial before would stay in memory
        keras.utils.set_random_seed(train.seed)
        fitting = Fitting(self._data, model, train, self._pretrained)
        fitting.restore(checkpoint)
        while not finished(fitting.history, train):
            fitting.run_epoch()
            fitting.save(checkpoint)
            if self._clock() >= end:
                break
        return fitting.history
