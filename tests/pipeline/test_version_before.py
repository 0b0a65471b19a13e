"""As which version the blessed model before was pushed: a real store with hand-made pushes."""

import ml_metadata
import pytest
from ml_metadata.proto import metadata_store_pb2 as pb

from pipeline.record import version_found
from pipeline.store import NodeExecution, RunStore, StoredArtifact

MODELS = 3


@pytest.fixture
def store(connection):
    """Three models: the first was pushed as 4 and again as 6, the second as 5, the third never."""
    raw = ml_metadata.MetadataStore(connection)
    node_type = raw.put_context_type(pb.ContextType(name="node"))
    step_type = raw.put_execution_type(pb.ExecutionType(name="Step"))
    file_type = raw.put_artifact_type(pb.ArtifactType(name="File"))
    models = raw.put_artifacts([pb.Artifact(type_id=file_type) for _ in range(MODELS)])

    def event(kind, key):
        event = pb.Event(type=kind)
        event.path.steps.add().key = key
        event.path.steps.add().index = 0
        return event

    for model, version in ((models[0], "4"), (models[1], "5"), (models[0], "6"), (models[2], None)):
        [read] = raw.get_artifacts_by_id([model])
        pushed = pb.Artifact(type_id=file_type)
        if version:  # the Pusher also leaves one when it did not push
            pushed.custom_properties["pushed_version"].string_value = version
        raw.put_execution(
            pb.Execution(type_id=step_type, last_known_state=pb.Execution.COMPLETE),
            [
                (read, event(pb.Event.INPUT, "model")),
                (pushed, event(pb.Event.OUTPUT, "pushed_model")),
            ],
            [pb.Context(type_id=node_type, name="films.Pusher")],
            reuse_context_if_already_exist=True,
        )
    return RunStore(connection, "films"), models


@pytest.mark.parametrize(("model", "version"), [(0, 6), (1, 5), (2, None)])
def test_version_of_the_model_that_the_resolver_found(store, model, version):
    runs, models = store
    outputs = {"model": [StoredArtifact(models[model], "", {})], "candidate": []}
    assert version_found(NodeExecution(1, "COMPLETE", {}, {}, outputs), runs) == version


def test_the_resolver_found_none(store):
    assert version_found(NodeExecution(1, "COMPLETE", {}, {}, {"candidate": []}), store[0]) is None
