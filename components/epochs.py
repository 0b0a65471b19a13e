"""The epochs of a training run: which was best, when to stop, and what a person reads of them.

TensorFlow is imported inside, because the record of a run is made without it.
"""

import dataclasses
from typing import TYPE_CHECKING

from components.settings import TrainSettings

if TYPE_CHECKING:
    import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Epoch:
    """What one pass over the training split came to."""

    steps: int  # batches since the first epoch
    loss: float
    accuracy: float
    eval_loss: float
    eval_accuracy: float
    sentences_per_second: float  # in training


def best_epoch(history: list[Epoch]) -> int:
    """The number of the first epoch with the best accuracy on eval, the loss breaking ties."""
    ranks = [(epoch.eval_accuracy, -epoch.eval_loss) for epoch in history]
    return ranks.index(max(ranks)) + 1


def finished(history: list[Epoch], settings: TrainSettings) -> bool:
    """Whether training ends with the last epoch of the history."""
    if not history:
        return False
    if settings.max_epochs and len(history) >= settings.max_epochs:
        return True
    if settings.max_steps and history[-1].steps >= settings.max_steps:
        return True
    waited = len(history) - best_epoch(history)
    return settings.patience is not None and waited >= settings.patience


def progress_line(history: list[Epoch], settings: TrainSettings) -> str:
    """One line about the last epoch of the history."""
    epoch = history[-1]
    planned = f"/{settings.max_epochs}" if settings.max_epochs else ""
    return (
        f"epoch {len(history)}{planned}  loss {epoch.loss:.3f}  accuracy {epoch.accuracy:.1%}  "
        f"eval {epoch.eval_accuracy:.1%}  {epoch.sentences_per_second:,.0f} sentences/s"
    ).replace("%", " %")


def write_summary(writer: "tf.summary.SummaryWriter", number: int, epoch: Epoch) -> None:
    """TensorBoard's curves, over the epochs."""
    import tensorflow as tf

    # tf.summary.scalar would need the tensorboard package only to write these few bytes.
    values = [
        tf.compat.v1.Summary.Value(tag=name, simple_value=value)
        for name, value in dataclasses.asdict(epoch).items()
    ]
    summary = tf.compat.v1.Summary(value=values).SerializeToString()
    with writer.as_default():
        tf.summary.experimental.write_raw_pb(summary, step=number)
    writer.flush()
