"""The pipeline's wiring: what each step's executor is given."""

import json

import pytest
from tfx.dsl.compiler import compiler
from tfx.dsl.components.base import base_executor
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.proto.orchestration import executable_spec_pb2
from tfx.utils import import_utils

from components.errors import UsageError
from pipeline.config import load_config
from pipeline.definition import Locations, create_pipeline

LOCAL_RUNNER = "--runner=pipeline.beam_runner.LocalRunner"
BEAM_STEPS = {"SentenceExampleGen", "StatisticsGen", "WordVectors", "Transform", "Evaluator"}


def compile_pipeline(tmp_path, *overrides):
    return compiler.Compiler().compile(
        create_pipeline(
            load_config(None, overrides),
            "data.csv",
            Locations.below(tmp_path),
            metadata.sqlite_metadata_connection_config(str(tmp_path / "metadata.db")),
        )
    )


def beam_args(ir):
    """Beam's options of each step that has any, {node id: list}."""
    deployment = runner_utils.extract_local_deployment_config(ir)
    specs = {
        wrapper.pipeline_node.node_info.id: runner_utils.extract_executor_spec(
            deployment, wrapper.pipeline_node.node_info.id
        )
        for wrapper in ir.nodes
    }
    return {
        node_id: list(spec.beam_pipeline_args)
        for node_id, spec in specs.items()
        if isinstance(spec, executable_spec_pb2.BeamExecutableSpec)
    }


def test_every_beam_step_gets_the_common_options_once(tmp_path):
    for _ in range(2):  # TFX adds options to the steps' specs: a second pipeline must not add more
        args = beam_args(compile_pipeline(tmp_path, "beam.workers=2"))
    assert args.keys() == BEAM_STEPS
    for options in args.values():
        assert options == [
            "--beam_plugins=tfx",
            LOCAL_RUNNER,
            "--direct_num_workers=2",
            "--direct_running_mode=in_memory",
            "--sdk_container_image=none",
        ]


def test_one_step_runs_elsewhere(tmp_path):
    runner = ["--runner=PortableRunner", "--job_endpoint=flink-job-server:8099"]
    args = beam_args(compile_pipeline(tmp_path, f"beam.nodes.Transform={runner}"))
    assert args["Transform"] == ["--beam_plugins=tfx", *runner]
    for node_id in BEAM_STEPS - {"Transform"}:
        assert LOCAL_RUNNER in args[node_id]


def test_options_of_batch_predictions_are_none_of_the_pipelines_business(tmp_path):
    args = beam_args(compile_pipeline(tmp_path, "beam.nodes.batch=[--x=1]"))
    assert all("--x=1" not in options for options in args.values())


@pytest.mark.parametrize("name", ["Trainer", "Transfrom"])
def test_beam_options_of_a_step_that_does_not_run_on_beam_are_refused(tmp_path, name):
    with pytest.raises(UsageError) as refusal:
        compile_pipeline(tmp_path, f"beam.nodes.{name}=[--x=1]")
    assert str(refusal.value) == (
        f"beam.nodes: {name}: expected steps that run on Beam: "
        "SentenceExampleGen, StatisticsGen, WordVectors, Transform, Evaluator"
    )


def test_word_vectors_are_a_step_of_their_own_if_there_are_any(tmp_path):
    without = compile_pipeline(tmp_path, "vectors.package=null")
    ir = compile_pipeline(tmp_path, "vectors.path=/vectors.txt", "beam.workers=2")
    nodes = {wrapper.pipeline_node.node_info.id: wrapper.pipeline_node for wrapper in ir.nodes}
    assert len(nodes) == len(without.nodes) + 1
    assert set(nodes["WordVectors"].upstream_nodes) == {"SentenceExampleGen"}
    for reader in ("Transform", "Trainer"):
        assert "WordVectors" in nodes[reader].upstream_nodes
        assert "word_vectors" in nodes[reader].inputs.inputs
    assert beam_args(ir)["WordVectors"] == beam_args(ir)["Transform"]


def nodes_of(ir):
    return {wrapper.pipeline_node.node_info.id: wrapper.pipeline_node for wrapper in ir.nodes}


def custom_config(node):
    return json.loads(node.parameters.parameters["custom_config"].field_value.string_value)


def test_the_tuner_is_a_step_of_its_own_if_it_is_enabled(tmp_path):
    without = nodes_of(compile_pipeline(tmp_path))
    nodes = nodes_of(compile_pipeline(tmp_path, "tune.enabled=true", "tune.max_trials=3"))
    assert nodes.keys() - without.keys() == {"Tuner"}
    assert set(nodes["Tuner"].upstream_nodes) == {"Transform", "WordVectors"}
    assert "Tuner" in nodes["Trainer"].upstream_nodes
    assert set(nodes["Trainer"].inputs.inputs) - set(without["Trainer"].inputs.inputs) == {
        "hyperparameters"
    }
    # What the Tuner depends on; the Trainer depends on its output instead of `tune`.
    tuner, trainer = custom_config(nodes["Tuner"]), custom_config(nodes["Trainer"])
    assert tuner["tune"]["max_trials"] == 3
    assert tuner.keys() - trainer.keys() == {"tune"}
    assert trainer == custom_config(without["Trainer"])


def test_the_tuner_gets_the_word_vectors_too(tmp_path):
    nodes = nodes_of(compile_pipeline(tmp_path, "tune.enabled=true", "vectors.path=/vectors.txt"))
    assert set(nodes["Tuner"].upstream_nodes) == {"Transform", "WordVectors"}
    assert "word_vectors" in nodes["Tuner"].inputs.inputs


def test_every_executor_is_where_the_definition_says(tmp_path):
    ir = compile_pipeline(tmp_path, "tune.enabled=true")
    deployment = runner_utils.extract_local_deployment_config(ir)
    found = {}
    for wrapper in ir.nodes:
        node = wrapper.pipeline_node.node_info.id
        if spec := runner_utils.extract_executor_spec(deployment, node):
            spec = getattr(spec, "python_executor_spec", spec)
            found[node] = import_utils.import_class_by_path(spec.class_path)
    assert len(found) == 14  # all but the Resolver
    assert all(issubclass(executor, base_executor.BaseExecutor) for executor in found.values())
    assert len(set(found.values())) == 14
