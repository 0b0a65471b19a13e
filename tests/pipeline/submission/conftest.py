"""A server, a small package in place of the whole pipeline's, and the command."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from kfp import compiler, dsl, kubernetes

from pipeline.config import Config
from pipeline.submission import watch
from tests.pipeline.submission.kfp_server import KfpServer


@dsl.container_component
def transform():  # noqa: ANN201
    return dsl.ContainerSpec(image="sentiflow:cpu", command=["true"])


@dsl.container_component
def trainer():  # noqa: ANN201
    return dsl.ContainerSpec(image="sentiflow:cpu", command=["true"])


@dsl.container_component
def report():  # noqa: ANN201
    return dsl.ContainerSpec(image="sentiflow:cpu", command=["true"])


@dsl.pipeline(name="sentiflow")
def small_pipeline(data_path: str = "", epochs: int = 0, overrides: str = "") -> None:
    last = report().set_caching_options(False)
    with dsl.ExitHandler(last, name="nodes"):
        first = transform().set_display_name("Transform").set_caching_options(False)
        trainer().set_display_name("Trainer").after(first).set_caching_options(False)
    kubernetes.mount_pvc(first, pvc_name="sentiflow", mount_path="/sentiflow")


@dataclass
class Result:
    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A package of few nodes, with the real one's group and runtime parameters."""
    path = tmp_path_factory.mktemp("package") / "pipeline.yaml"
    compiler.Compiler().compile(small_pipeline, str(path))
    return path.read_text("utf-8")


@pytest.fixture
def server() -> Iterator[KfpServer]:
    with KfpServer().running() as running:
        yield running


@pytest.fixture
def submit(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    package: str,
    server: KfpServer,
    tmp_path: Path,
) -> Callable[..., Result]:
    """Calls `sentiflow submit --host <server> --data … <arguments>` in this process."""

    def compile_package(config: Config, path: Path, which: str) -> None:
        path.write_text(f"{package}# {which}, seed {config.train.seed}\n", "utf-8")

    runner = ModuleType("pipeline.kubeflow_runner")
    runner.compile_package = compile_package  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pipeline.kubeflow_runner", runner)
    monkeypatch.setattr(watch, "POLL_SECONDS", 0.01)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    # Whatever kfp finds or leaves in a home is not to matter.
    monkeypatch.setenv("HOME", str(tmp_path))

    def run(*arguments: str, host: str | None = None, data: bool = True) -> Result:
        from pipeline.cli import main

        given = ["--data", "/sentiflow/data.tsv"] if data else []
        command = ["sentiflow", "submit", *given, *arguments]
        if host != "":
            command += ["--host", host or server.url]
        monkeypatch.setattr(sys, "argv", command)
        capfd.readouterr()
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        assert err.count("\n") == (1 if code else 0)
        return Result(code, out, err)

    return run
