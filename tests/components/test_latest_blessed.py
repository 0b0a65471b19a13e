"""The baseline of a comparison: the latest blessed model that is not the candidate."""

from tfx.types.standard_artifacts import Model, ModelBlessing

from components.latest_blessed import LatestOtherBlessedModel


def model(artifact_id):
    artifact = Model()
    artifact.id = artifact_id
    return artifact


def blessing(model_id, blessed=1):
    artifact = ModelBlessing()
    artifact.set_int_custom_property("blessed", blessed)
    artifact.set_int_custom_property("current_model_id", model_id)
    return artifact


def baseline(models, blessings, candidate):
    resolved = LatestOtherBlessedModel().resolve_artifacts(
        None, {"model": models, "model_blessing": blessings, "candidate": [model(candidate)]}
    )
    assert [artifact.id for artifact in resolved["candidate"]] == [candidate]
    return [artifact.id for artifact in resolved["model"]]


def test_nothing_before_the_first_model():
    assert baseline([model(1)], [], candidate=1) == []


def test_candidate_is_not_its_own_baseline():
    assert baseline([model(1)], [blessing(1)], candidate=1) == []


def test_latest_blessed_before_the_candidate():
    models = [model(1), model(2), model(3)]
    assert baseline(models, [blessing(1), blessing(2)], candidate=3) == [2]


def test_model_that_was_not_blessed_is_passed_over():
    models = [model(1), model(2), model(3)]
    assert baseline(models, [blessing(1), blessing(2, blessed=0)], candidate=3) == [1]


def test_reverted_candidate_is_compared_with_a_later_model():
    models = [model(1), model(2)]
    assert baseline(models, [blessing(1), blessing(2)], candidate=1) == [2]
