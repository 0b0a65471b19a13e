"""A stand-in for a cluster: MariaDB, a shared folder, and containers if an engine runs."""

import os
import shutil

import docker
import pytest

from tests.kubeflow import database
from tests.kubeflow.local_kfp import Cluster

IMAGE = "sentiflow:cpu"
PROCESSES = "SENTIFLOW_TEST_PROCESSES"
SENTENCES = "SENTIFLOW_TEST_SENTENCES"


def find_engine() -> tuple[docker.DockerClient | None, str]:
    """An engine that has the image, and how tasks therefore run."""
    if os.environ.get(PROCESSES):
        return None, "processes: no container engine with an image of these sources"
    try:
        engine = docker.from_env()
        engine.images.get(IMAGE)
    except docker.errors.ImageNotFound:
        return None, f"processes: the Docker engine has no image {IMAGE}"
    except docker.errors.DockerException:
        return None, "processes: no Docker engine answers"
    return engine, f"containers of {IMAGE}"


@pytest.fixture(scope="session", autouse=True)
def engine(pytestconfig):
    """The engine that runs the tasks' containers; None: they run as processes."""
    found, how = find_engine()
    with pytestconfig.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\nKubeflow tasks run as {how}")
    return found


@pytest.fixture(scope="session")
def secret(tmp_path_factory):
    """The credentials of a database that is empty at first."""
    if not (database.SERVER and database.INSTALLER and database.CLIENT):
        pytest.skip("no MariaDB server: apt-get install mariadb-server")
    with database.mariadb(tmp_path_factory.mktemp("mariadb")) as environment:
        yield environment


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, secret, engine):
    """The nodes' shared folder, with real sentences in `data/`."""
    if not (sentences := os.environ.get(SENTENCES)):
        pytest.skip(f"{SENTENCES} does not name a file of sentences; `make test-kubeflow` does")
    shared = tmp_path_factory.mktemp("shared")
    shared.chmod(0o777)  # the containers' user is another one
    shared.parent.chmod(0o711)
    (shared / "data").mkdir()
    shutil.copy(sentences, shared / "data" / "sentences.tsv")
    return Cluster(shared, secret, engine)
