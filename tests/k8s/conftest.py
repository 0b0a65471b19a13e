"""The manifests as `kubectl kustomize` renders them, with made-up passwords."""

import functools
import shutil
import subprocess

import pytest
import yaml

from tests.k8s.manifests import K8S, PASSWORD, ROOTS


@pytest.fixture(scope="session")
def render(tmp_path_factory):
    """Returns a function: folder below k8s/ -> its objects, a list of dicts."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed: the manifests are not checked")
    folder = tmp_path_factory.mktemp("manifests") / "k8s"
    shutil.copytree(K8S, folder, ignore=shutil.ignore_patterns("*.env"))
    for example in folder.rglob("*.env.example"):
        text = example.read_text(encoding="utf-8")
        filled = text.replace("password=\n", f"password={PASSWORD}\n")
        assert filled != text, f"{example}: no empty password to fill in"
        example.with_suffix("").write_text(filled, encoding="utf-8")

    @functools.cache
    def rendered(root):
        done = subprocess.run(
            ["kubectl", "kustomize", str(folder / root)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return [document for document in yaml.safe_load_all(done.stdout) if document]

    return rendered


@pytest.fixture(params=ROOTS)
def objects(request, render):
    """The objects of one overlay after the other."""
    return render(request.param)
