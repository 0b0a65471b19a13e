"""`sentiflow lineage --mysql`: the same answers from the cluster's database."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.kubeflow.database import mysql_connection
from tests.pipeline.lineage_rules import check_lineage

pytestmark = pytest.mark.kubeflow

SENTIFLOW = str(Path(sys.executable).with_name("sentiflow"))


def lineage(secret: dict[str, str], *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [SENTIFLOW, "lineage", "--mysql", "--set", "name=films", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **secret},
        timeout=120,
    )


def test_lineage_in_mysql(secret):
    check_lineage(mysql_connection(secret))
    done = lineage(secret, "--version", "2", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["data"]["files"][0]["sha256"] == "a" * 64


def test_credentials_that_are_missing():
    done = lineage({"SENTIFLOW_METADATA_HOST": ""})
    assert done.returncode == 2
    assert done.stderr.startswith("sentiflow: metadata database: SENTIFLOW_METADATA_HOST")
    assert len(done.stderr.splitlines()) == 1
