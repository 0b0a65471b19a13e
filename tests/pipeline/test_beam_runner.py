"""Beam's runner on this machine: what its workers in other processes know."""

import json
import os
import sys

import apache_beam as beam
import pytest
from tfx.utils import dependency_utils

from pipeline.config import BeamSettings


def surroundings(_):
    """What a worker sees: its process, and whether tfx was imported."""
    return json.dumps({"pid": os.getpid(), "tfx": "tfx" in sys.modules})


@pytest.mark.parametrize("running_mode", ["in_memory", "multi_threading", "multi_processing"])
def test_workers_import_tfx(tmp_path, running_mode):
    settings = BeamSettings(workers=2, running_mode=running_mode)
    with beam.Pipeline(argv=settings.pipeline_args("StatisticsGen")) as pipeline:
        (
            pipeline
            | beam.Create([None])
            | beam.Map(surroundings)
            | beam.io.WriteToText(str(tmp_path / "out"), shard_name_template="")
        )
    seen = json.loads((tmp_path / "out").read_text(encoding="utf-8"))
    assert (seen["pid"] != os.getpid()) == (running_mode == "multi_processing")
    assert seen["tfx"]


def test_tfx_does_not_pack_itself_for_local_workers():
    args = BeamSettings().pipeline_args("Transform")
    assert dependency_utils.make_beam_dependency_flags(list(args)) == args
