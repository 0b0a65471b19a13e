"""When training stops, which epoch wins, and what a person reads."""

import tensorflow as tf

from components.epochs import Epoch, best_epoch, finished, progress_line, write_summary
from components.settings import TrainSettings


def _history(*evaluations: tuple[float, float]) -> list[Epoch]:
    """Epochs of 10 steps with these accuracies and losses on eval."""
    return [
        Epoch(
            steps=10 * number,
            loss=0.412,
            accuracy=0.8132,
            eval_loss=loss,
            eval_accuracy=accuracy,
            sentences_per_second=2900.4,
        )
        for number, (accuracy, loss) in enumerate(evaluations, start=1)
    ]


def test_the_best_epoch_has_the_best_accuracy():
    assert best_epoch(_history((0.5, 0.1), (0.75, 0.9), (0.6, 0.2))) == 2


def test_equal_accuracies_are_decided_by_the_loss_then_by_the_order():
    assert best_epoch(_history((0.75, 0.5), (0.75, 0.4), (0.75, 0.4))) == 2


def test_stops_when_patience_is_used_up():
    settings = TrainSettings(max_epochs=20, patience=2)
    assert not finished([], settings)
    assert not finished(_history((0.7, 0.5), (0.6, 0.5)), settings)
    assert finished(_history((0.7, 0.5), (0.6, 0.5), (0.65, 0.5)), settings)
    assert not finished(_history((0.7, 0.5), (0.6, 0.5), (0.71, 0.5)), settings)


def test_never_stops_early_without_patience():
    settings = TrainSettings(max_epochs=9, patience=None)
    assert not finished(_history(*[(0.7, 0.5)] * 8), settings)
    assert finished(_history(*[(0.7, 0.5)] * 9), settings)


def test_stops_after_max_steps():
    settings = TrainSettings(max_epochs=None, max_steps=30, patience=None)
    assert not finished(_history(*[(0.7, 0.5)] * 2), settings)
    assert finished(_history(*[(0.7, 0.5)] * 3), settings)


def test_progress_line():
    history = _history((0.7, 0.5), (0.7, 0.5), (0.799, 0.5))
    assert progress_line(history, TrainSettings(max_epochs=20)) == (
        "epoch 3/20  loss 0.412  accuracy 81.3 %  eval 79.9 %  2,900 sentences/s"
    )
    unbounded = TrainSettings(max_epochs=None, max_steps=1000)
    assert progress_line(history, unbounded).startswith("epoch 3  loss 0.412")


def test_summaries_hold_the_values_of_the_epoch(tmp_path):
    writer = tf.summary.create_file_writer(str(tmp_path))
    write_summary(writer, 4, _history((0.75, 0.5))[0])
    (file,) = tmp_path.iterdir()
    events = tf.compat.v1.train.summary_iterator(str(file))
    values = {value.tag: (event.step, value.simple_value) for event in events
              for value in event.summary.value}  # fmt: skip
    assert values["eval_accuracy"] == (4, 0.75)
    assert values["steps"] == (4, 10.0)
