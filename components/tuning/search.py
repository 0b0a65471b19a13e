"""The search: KerasTuner proposes hyperparameters, and learns what each trial came to."""

import dataclasses
import logging
import math

from keras_tuner import HyperParameters, Objective
from keras_tuner.engine import base_tuner
from keras_tuner.engine.trial import Trial, TrialStatus
from keras_tuner.errors import FailedTrialError, FatalError
from keras_tuner.oracles import BayesianOptimizationOracle
from tfx.components.tuner.component import TunerFnResult

from components.checkpoints import Checkpoint
from components.errors import SentiflowError
from components.settings import ModelSettings, TrainSettings, TuneSettings
from components.training_inputs import pretrained_vectors, training_data
from components.tuning.trials import Trials
from components.tuning.values import in_words

log = logging.getLogger(__name__)

SCORE = "eval_accuracy"
CHOICES = ("units", "batch_size")
RANGES = {"embedding_dropout": "linear", "output_dropout": "linear", "learning_rate": "log"}


def tuner_fn(fn_args) -> TunerFnResult:
    """What TFX's Tuner calls.

    Args:
      fn_args: TFX's FnArgs; its `custom_config` is that of the Trainer, and the section `tune`.
    """
    given = fn_args.custom_config
    model, train = ModelSettings(**given["model"]), TrainSettings(**given["train"])
    tune = TuneSettings(**given["tune"])
    data = training_data(fn_args)
    identity = {
        **given,
        "step": "Tuner",
        "graph": fn_args.transform_graph_path,
        **dataclasses.asdict(data),
    }
    trials = Trials(
        data,
        model,
        train.model_copy(update={"max_epochs": tune.max_epochs or train.max_epochs}),
        pretrained_vectors(given),
        Checkpoint(given["checkpoint_root"], identity),
        tune.max_minutes,
    )
    oracle = ConfiguredFirst(trials, tune, search_space(tune, model, train))
    return TunerFnResult(tuner=Search(oracle, trials, fn_args.working_dir), fit_kwargs={})


def search_space(tune: TuneSettings, model: ModelSettings, train: TrainSettings) -> HyperParameters:
    """What `tune` gives, widened where need be to hold the configured values: the defaults."""
    configured = {**model.model_dump(), **train.model_dump()}
    space = HyperParameters()
    for name in CHOICES:
        if choices := getattr(tune, name):
            default = configured[name]
            space.Choice(name, sorted({*choices, default}), default=default)
    for name, sampling in RANGES.items():
        if ends := getattr(tune, name):
            default = configured[name]
            low, high = min(*ends, default), max(*ends, default)
            space.Float(name, low, high, sampling=sampling, default=default)
    return space


class ConfiguredFirst(BayesianOptimizationOracle):
    """Proposes the configured values, then random ones, and in a long search the most promising.

    KerasTuner fits its Gaussian process after three trials for each hyperparameter.
    """

    def __init__(self, trials: Trials, tune: TuneSettings, space: HyperParameters):
        super().__init__(
            Objective(SCORE, "max"),
            max_trials=tune.max_trials,
            seed=tune.seed,
            hyperparameters=space,
            max_consecutive_failed_trials=tune.max_trials + 1,  # Search looks at them in the end
        )
        self.verbose = 0  # prints tables
        self._trials = trials

    def populate_space(self, trial_id: str) -> dict:
        """As KerasTuner's."""
        if not self.trials:
            return {"status": TrialStatus.RUNNING, "values": dict(self.hyperparameters.values)}
        if self._trials.out_of_time:
            log.info("tune.max_minutes are over")
            return {"status": TrialStatus.STOPPED, "values": None}
        return super().populate_space(trial_id)


class Search(base_tuner.BaseTuner):
    """KerasTuner's loop around our trials."""

    def __init__(self, oracle: ConfiguredFirst, trials: Trials, folder: str):
        super().__init__(oracle, directory=folder, overwrite=True)
        self._trials = trials
        self._best = -math.inf
        self._problem: str | None = None  # of the last trial that had one

    def search(self, *fit_args, **fit_kwargs) -> None:
        """As KerasTuner's.

        Raises:
          DataRefused: a split has no rows.
          SentiflowError: no trial could be trained.
        """
        try:
            super().search(*fit_args, **fit_kwargs)
        except FatalError as error:
            raise error.__cause__ or error from None
        tried = len(self.oracle.trials)
        if self._best == -math.inf:
            raise SentiflowError(f"none of {tried} trials could be trained; last: {self._problem}")
        best = self.get_best_hyperparameters()[0].values
        log.info("best of %d trials: %s", tried, in_words(best))
        self._trials.forget()

    def run_trial(self, trial: Trial, *fit_args, **fit_kwargs) -> dict[str, float]:
        """As KerasTuner's."""
        values = trial.hyperparameters.values
        name = f"trial {len(self.oracle.trials)}/{self.oracle.max_trials}  {in_words(values)}"
        try:
            outcome = self._trials.outcome(values)
        except Exception as error:
            raise FatalError from error  # any other makes KerasTuner go on with the next trial
        if outcome.accuracy is None:
            self._problem = outcome.problem
            log.info("%s  failed: %s", name, outcome.problem)
            raise FailedTrialError(outcome.problem)
        self._best = max(self._best, outcome.accuracy)
        percent = f"eval {outcome.accuracy:.1%}  (best {self._best:.1%})".replace("%", " %")
        log.info("%s  %s", name, percent)
        return {SCORE: outcome.accuracy}
