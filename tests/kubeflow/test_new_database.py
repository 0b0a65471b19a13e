"""The first nodes of a new installation all find an empty database, at the same moment."""

import os
import subprocess
import sys

import pytest

from tests.kubeflow import database

pytestmark = pytest.mark.kubeflow

OPEN = """
import os
from pipeline.kubeflow.database import mysql_connection, open_store
store = open_store(mysql_connection(os.environ), "films")
print(store.latest("Trainer"))
"""


def test_nodes_that_find_an_empty_database_together(tmp_path):
    if not database.SERVER:
        pytest.skip("no MariaDB server: apt-get install mariadb-server")
    with database.mariadb(tmp_path) as secret:
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", OPEN],
                env={**os.environ, **secret},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(4)
        ]
        ended = [(process.communicate(), process.returncode) for process in processes]
    assert [(output, code) for (output, _), code in ended] == [("None\n", 0)] * 4
