"""The order of steps that depend on each other, two at a time."""

import threading
import time

import pytest

from pipeline.schedule import run_in_order

DIAMOND = {"read": [], "left": ["read"], "right": ["read"], "join": ["left", "right"]}


class Steps:
    """Notes when steps begin and end; `act` is what a step does."""

    def __init__(self, act=lambda step: None):
        self.events, self._act, self._lock = [], act, threading.Lock()
        self.running = self.most_running = 0

    def run(self, step):
        with self._lock:
            self.events.append(("begin", step))
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        try:
            self._act(step)
        finally:
            with self._lock:
                self.running -= 1
                self.events.append(("end", step))

    def order(self, event):
        return [step for what, step in self.events if what == event]


def unexpected(error):
    raise AssertionError(f"stopped by {error!r}")


def test_steps_that_do_not_depend_on_each_other_run_together():
    together = threading.Barrier(2, timeout=10)
    steps = Steps(lambda step: together.wait() if step in ("left", "right") else None)
    run_in_order(DIAMOND, steps.run, 2, unexpected)
    assert steps.events[:2] == [("begin", "read"), ("end", "read")]
    assert sorted(steps.order("begin")[1:3]) == ["left", "right"]
    assert steps.events[-2:] == [("begin", "join"), ("end", "join")]


def test_one_at_a_time_they_keep_their_order():
    steps = Steps()
    run_in_order(DIAMOND, steps.run, 1, unexpected)
    assert steps.order("begin") == steps.order("end") == list(DIAMOND)
    assert steps.most_running == 1


def test_never_more_than_allowed_run_together():
    steps = Steps(lambda step: time.sleep(0.01))
    run_in_order({str(number): [] for number in range(12)}, steps.run, 3, unexpected)
    assert len(steps.order("end")) == 12
    assert steps.most_running == 3


def test_a_failure_stops_what_runs_and_what_waits():
    stopped, errors = threading.Event(), []

    def act(step):
        if step == "left":
            raise ValueError("broken")
        if step == "right":
            assert stopped.wait(10)
            raise RuntimeError("stopped")

    def stop(error):
        errors.append(error)
        stopped.set()

    steps = Steps(act)
    with pytest.raises(ValueError, match="broken"):
        run_in_order(DIAMOND, steps.run, 2, stop)
    assert [str(error) for error in errors] == ["broken"]
    assert "join" not in steps.order("begin")
    assert sorted(steps.order("end")) == ["left", "read", "right"]


def test_of_two_failures_the_first_in_order_is_told():
    together = threading.Barrier(2, timeout=10)

    def act(step):
        if step != "read":
            together.wait()
            raise ValueError(step)

    for _ in range(20):
        with pytest.raises(ValueError) as failure:
            run_in_order(DIAMOND, Steps(act).run, 2, lambda error: None)
        assert str(failure.value) in ("left", "right")
