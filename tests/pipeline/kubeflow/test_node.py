"""What a node of a run is made of."""

import pytest

from components.errors import UsageError
from pipeline.kubeflow.node import _ir_of_run
from pipeline.kubeflow.task import _parse
from tests.pipeline.kubeflow.task_arguments import arguments

NODES = (
    "SchemaImporter,SentenceExampleGen,StatisticsGen,ExampleValidator,DataGate,ProfileGen,"
    "LinearBaseline,WordVectors,Transform,Trainer,Resolver,Evaluator,ServeCheck,Pusher"
)


def task(tmp_path, overrides):
    given = arguments(tmp_path, overrides=overrides)
    given[given.index("--nodes") + 1] = NODES
    return _parse(given)


def test_an_override_compiles_the_node_anew(tmp_path):
    given = task(tmp_path, "train.seed=7")
    ir = _ir_of_run(given, given.config_of_run())
    assert [node.pipeline_node.node_info.id for node in ir.nodes] == ["Trainer"]
    settings = ir.nodes[0].pipeline_node.parameters.parameters["custom_config"]
    assert '"seed": 7' in settings.field_value.string_value


@pytest.mark.parametrize(
    ("overrides", "step"),
    [("vectors.package=null", "WordVectors"), ("tune.enabled=true", "Tuner")],
)
def test_an_override_cannot_change_which_steps_there_are(tmp_path, overrides, step):
    given = task(tmp_path, overrides)
    with pytest.raises(UsageError, match=f"overrides: {step}: the package's steps are fixed"):
        _ir_of_run(given, given.config_of_run())
