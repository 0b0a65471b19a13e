"""A job for the workers, as a step's: its task is a function of `jobs.py`."""

from tfx.orchestration.portable.data_types import ExecutionInfo
from tfx.proto.orchestration import executable_spec_pb2, pipeline_pb2

from pipeline.workers.messages import Job


def job(task, tmp_path, log=True, **parameters):
    given = {"task": task, "file": str(tmp_path / "file"), **parameters}
    info = ExecutionInfo(
        execution_id=1,
        exec_properties=given,
        input_dict={},
        output_dict={},
        execution_output_uri=str(tmp_path / "output"),
        stateful_working_dir=str(tmp_path / "stateful"),
        tmp_dir=str(tmp_path / "tmp"),
        pipeline_node=pipeline_pb2.PipelineNode(),
        pipeline_info=pipeline_pb2.PipelineInfo(id="p"),
        pipeline_run_id="r",
    )
    spec = executable_spec_pb2.PythonClassExecutableSpec(
        class_path="tests.pipeline.workers.jobs.Executor"
    )
    return Job(task, spec, info.to_proto(), str(tmp_path / "log") if log else None)


def silent(level, message):
    raise AssertionError(f"said: {message}")
