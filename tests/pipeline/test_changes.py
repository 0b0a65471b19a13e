"""Why a step ran, in words."""

import json

from pipeline.changes import why
from pipeline.store import NodeExecution, StoredArtifact


def execution(state="COMPLETE", properties=None, **inputs):
    artifacts = {key: [StoredArtifact(i, f"/{i}", {}) for i in ids] for key, ids in inputs.items()}
    return NodeExecution(1, state, properties or {}, artifacts, {})


def test_cached():
    assert why(execution("CACHED"), execution()) == "nothing changed"


def test_first_run():
    assert why(execution(), None) == "first run"


def test_changed_setting_inside_json_is_named():
    before = {"settings": json.dumps({"train": {"seed": 1, "batch_size": 8}})}
    after = {"settings": json.dumps({"train": {"seed": 2, "batch_size": 8}})}
    reason = why(execution(properties=after), execution(properties=before))
    assert reason == "train.seed: 1 -> 2"


def test_values_too_long_for_a_line_are_not_told():
    before = {"eval_config": json.dumps({"metrics_specs": [{"threshold": n} for n in range(20)]})}
    after = {"eval_config": json.dumps({"metrics_specs": [{"threshold": 1}]})}
    reason = why(execution(properties=after), execution(properties=before))
    assert reason == "eval_config.metrics_specs changed"


def test_changed_code_and_data_are_named():
    before = {"code_fingerprint": "a", "input_fingerprint": "x"}
    after = {"code_fingerprint": "b", "input_fingerprint": "y"}
    reason = why(execution(properties=after), execution(properties=before))
    assert reason == "code changed, data changed"


def test_new_input_is_named():
    reason = why(execution(examples=[7], model=[3]), execution(examples=[5], model=[3]))
    assert reason == "new examples"


def test_new_and_gone_keys_are_changes():
    reason = why(execution(properties={"a": 1}), execution(properties={"b": 2}))
    assert reason == "a: None -> 1, b: 2 -> None"


def test_only_three_changes_are_named():
    before = {key: 0 for key in "abcde"}
    after = {key: 1 for key in "abcde"}
    reason = why(execution(properties=after), execution(properties=before))
    assert reason == "a: 0 -> 1, b: 0 -> 1, c: 0 -> 1 and 2 more"


def test_same_again_after_a_failure():
    assert why(execution(), execution("FAILED")) == "the last try did not finish"


def test_same_again_without_usable_output():
    assert why(execution(), execution()) == "no earlier output to use"


def test_what_the_driver_found_out_is_not_stored_with_a_failure():
    found = {"vectors_fingerprint": "x", "input_fingerprint": "y"}
    reason = why(execution(properties=found), execution("FAILED"))
    assert reason == "the last try did not finish"
