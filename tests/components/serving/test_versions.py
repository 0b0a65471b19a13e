"""Finding versions and switching between them, with a loader that only pretends."""

import asyncio
import os
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from grpc import StatusCode

from components.serving.errors import ServingError, public_message
from components.serving.model_root import VersionPolicy, find_versions
from components.serving.versions import ModelVersions


def add(root: Path, name: str, content: str = "good") -> None:
    (root / "m" / name).mkdir(parents=True)
    (root / "m" / name / "saved_model.pb").write_text(content)


def configure(root: Path, policy: str, **labels: int) -> None:
    """Writes models.config."""
    named = "".join(f'version_labels {{ key: "{k}" value: {v} }}\n' for k, v in labels.items())
    (root / "models.config").write_text(
        f'model_config_list {{ config {{ name: "m" base_path: "/m" model_platform: "tensorflow"\n'
        f"model_version_policy {{ {policy} }}\n{named} }} }}"
    )


class Model:
    """What a version's saved_model.pb says; 'broken' does not load."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.closed = False

    def close(self) -> None:
        self.closed = True


class Loader:
    def __init__(self) -> None:
        self.loaded: list[str] = []

    def __call__(self, folder: Path) -> Model:
        self.loaded.append(folder.name)
        text = (folder / "saved_model.pb").read_text()
        if text == "broken":
            raise ServingError(StatusCode.DATA_LOSS, "no model")
        return Model(text)


class Queue:
    """Stands in for a Batcher; is busy until `idle` is set."""

    queued = 0

    def __init__(self, model: Model) -> None:
        self.idle = asyncio.Event()
        self.idle.set()

    async def drained(self) -> None:
        await self.idle.wait()


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def versions(tmp_path: Path, loader: Loader) -> ModelVersions:
    return ModelVersions(tmp_path, "m", loader, Queue)  # type: ignore[arg-type]


def run(coroutine: Coroutine) -> Any:
    return asyncio.run(coroutine)


async def refreshed(versions: ModelVersions, times: int = 1) -> None:
    """Refreshes, and waits until what is to be unloaded is."""
    for _ in range(times):
        await versions.refresh()
    await versions.close()


def text_of(versions: ModelVersions, *which: Any) -> str:
    return versions.get("m", *which).model.text  # type: ignore[attr-defined]


def states(versions: ModelVersions) -> list[tuple[int, str, str, str]]:
    found = versions.status("m")
    return [(each.version, each.state.value, each.code.name, each.message) for each in found]


def short_states(versions: ModelVersions) -> dict[int, str]:
    return {each.version: each.state.value for each in versions.status("m")}


def test_only_numbered_folders_with_a_model_are_versions(tmp_path: Path) -> None:
    for name in ("1", "12", ".3.tmp", "3.tmp", "-4", "latest", "٥"):
        add(tmp_path, name)
    (tmp_path / "m" / "5").mkdir()
    (tmp_path / "m" / "6").write_text("")
    folder = tmp_path / "m"
    assert find_versions(folder) == {1: folder / "1", 12: folder / "12"}


def test_a_version_may_be_a_link(tmp_path: Path) -> None:
    add(tmp_path / "elsewhere", "model")
    (tmp_path / "1").symlink_to(tmp_path / "elsewhere" / "m" / "model")
    assert find_versions(tmp_path) == {1: tmp_path / "1"}


def test_no_folder_no_versions(tmp_path: Path, versions: ModelVersions) -> None:
    assert find_versions(tmp_path / "none") == {}
    run(refreshed(versions))
    assert versions.served is None
    with pytest.raises(ServingError, match=r"^Could not find any versions of model m$"):
        versions.status("m")
    with pytest.raises(ServingError, match="^Model m is not available yet$") as failure:
        versions.get("m")
    assert failure.value.code is StatusCode.UNAVAILABLE


def test_the_newest_is_served_and_the_older_is_not_loaded(
    tmp_path: Path, versions: ModelVersions, loader: Loader
) -> None:
    add(tmp_path, "9")
    add(tmp_path, "10")
    run(refreshed(versions, times=2))
    assert versions.get("m").version == versions.get("m", 10).version == 10
    assert loader.loaded == ["10"]
    assert states(versions) == [(10, "AVAILABLE", "OK", "")]


def test_what_is_not_served_is_not_found(tmp_path: Path, versions: ModelVersions) -> None:
    add(tmp_path, "2")
    run(refreshed(versions))
    with pytest.raises(ServingError, match=r"^Servable not found for request: Specific\(m, 1\)$"):
        versions.get("m", 1)
    with pytest.raises(ServingError, match=r"^Servable not found for request: Latest\(other\)$"):
        versions.get("other")
    with pytest.raises(ServingError, match=r"^Could not find version 1 of model m$") as failure:
        versions.status("m", 1)
    assert failure.value.code is StatusCode.NOT_FOUND
    with pytest.raises(ServingError, match=r"^Could not find any versions of model other$"):
        versions.status("other")


def test_a_new_version_takes_over_and_the_old_one_is_closed(
    tmp_path: Path, versions: ModelVersions
) -> None:
    add(tmp_path, "1", "old")
    run(refreshed(versions))
    old = versions.get("m")
    add(tmp_path, "2", "new")
    run(refreshed(versions))
    assert text_of(versions) == "new"
    assert old.model.closed  # type: ignore[attr-defined]
    assert states(versions) == [(2, "AVAILABLE", "OK", ""), (1, "END", "OK", "")]
    assert [status.version for status in versions.status("m", 1)] == [1]


def test_the_old_version_is_closed_when_its_requests_are_answered(
    tmp_path: Path, versions: ModelVersions
) -> None:
    async def switch() -> None:
        add(tmp_path, "1")
        await versions.refresh()
        old = versions.get("m")
        old.batcher.idle.clear()  # type: ignore[attr-defined]
        add(tmp_path, "2")
        await versions.refresh()
        await asyncio.sleep(0.05)
        assert short_states(versions) == {2: "AVAILABLE", 1: "UNLOADING"}
        assert not old.model.closed  # type: ignore[attr-defined]
        with pytest.raises(ServingError):
            versions.get("m", 1)
        old.batcher.idle.set()  # type: ignore[attr-defined]
        await versions.close()
        assert old.model.closed  # type: ignore[attr-defined]
        assert short_states(versions) == {2: "AVAILABLE", 1: "END"}

    run(switch())


def test_while_a_version_loads_the_old_one_answers(tmp_path: Path) -> None:
    go_on = threading.Event()

    def load(folder: Path) -> Model:
        if folder.name == "2":
            assert go_on.wait(10)
        return Model(folder.name)

    async def switch() -> None:
        versions = ModelVersions(tmp_path, "m", load, Queue)  # type: ignore[arg-type]
        add(tmp_path, "1")
        await versions.refresh()
        add(tmp_path, "2")
        refreshing = asyncio.create_task(versions.refresh())
        while len(versions.known) < 2:
            await asyncio.sleep(0.01)
        assert versions.get("m").version == 1
        assert states(versions) == [(2, "LOADING", "OK", ""), (1, "AVAILABLE", "OK", "")]
        go_on.set()
        await refreshing
        assert versions.get("m").version == 2

    run(switch())


def test_a_broken_version_is_reported_once_and_the_old_one_goes_on(
    tmp_path: Path, versions: ModelVersions, loader: Loader
) -> None:
    add(tmp_path, "1")
    run(refreshed(versions))
    add(tmp_path, "2", "broken")
    run(refreshed(versions, times=2))
    assert versions.get("m").version == 1
    assert states(versions) == [(2, "END", "DATA_LOSS", "no model"), (1, "AVAILABLE", "OK", "")]
    assert loader.loaded == ["1", "2"]


def test_a_broken_version_whose_files_change_is_tried_again(
    tmp_path: Path, versions: ModelVersions
) -> None:
    add(tmp_path, "1", "broken")
    run(refreshed(versions))
    assert versions.served is None
    (tmp_path / "m" / "1" / "saved_model.pb").write_text("repaired")
    run(refreshed(versions))
    assert text_of(versions) == "repaired"


def test_at_the_start_a_broken_version_gives_way_to_an_older_one(
    tmp_path: Path, versions: ModelVersions
) -> None:
    for name, content in (("1", "old"), ("2", "good"), ("3", "broken")):
        add(tmp_path, name, content)
    run(refreshed(versions))
    assert versions.get("m").version == 2


def test_when_the_served_folder_is_gone_the_next_newest_is_served(
    tmp_path: Path, versions: ModelVersions
) -> None:
    add(tmp_path, "1", "old")
    add(tmp_path, "2", "new")
    run(refreshed(versions))
    (tmp_path / "m" / "2").rename(tmp_path / "m" / ".2.withdrawn")
    run(refreshed(versions))
    assert versions.get("m").version == 1
    (tmp_path / "m" / "1").rename(tmp_path / "m" / ".1.withdrawn")
    run(refreshed(versions))
    assert text_of(versions) == "old"  # nothing else is left: better than no answers


def test_models_config_says_what_is_loaded_and_labelled(
    tmp_path: Path, versions: ModelVersions
) -> None:
    for name in ("1", "2", "3"):
        add(tmp_path, name, f"text {name}")
    configure(tmp_path, "specific { versions: 1 versions: 2 }", stable=1, canary=2)
    run(refreshed(versions))
    assert short_states(versions) == {2: "AVAILABLE", 1: "AVAILABLE"}
    assert text_of(versions, None, "stable") == "text 1"
    assert text_of(versions, None, "canary") == "text 2"
    assert versions.get("m").version == 2  # the highest, as in TensorFlow Serving
    with pytest.raises(ServingError, match="^Unrecognized servable version label: other$"):
        versions.get("m", None, "other")
    configure(tmp_path, "all {}")
    run(refreshed(versions))
    assert short_states(versions) == {3: "AVAILABLE", 2: "AVAILABLE", 1: "AVAILABLE"}
    configure(tmp_path, "latest { num_versions: 2 }")
    run(refreshed(versions))
    assert short_states(versions) == {3: "AVAILABLE", 2: "AVAILABLE", 1: "END"}
    (tmp_path / "models.config").unlink()
    run(refreshed(versions))
    assert short_states(versions) == {3: "AVAILABLE", 2: "END", 1: "END"}


def test_a_label_stays_where_it_was_while_its_new_version_is_broken(
    tmp_path: Path, versions: ModelVersions
) -> None:
    add(tmp_path, "1")
    add(tmp_path, "2", "broken")
    configure(tmp_path, "specific { versions: 1 }", stable=1)
    run(refreshed(versions))
    configure(tmp_path, "specific { versions: 2 }", stable=2)
    run(refreshed(versions))
    assert versions.get("m", None, "stable").version == 1
    assert short_states(versions) == {2: "END", 1: "AVAILABLE"}
    (tmp_path / "m" / "2" / "saved_model.pb").write_text("repaired")
    run(refreshed(versions))
    assert versions.get("m", None, "stable").version == 2
    assert short_states(versions) == {2: "AVAILABLE", 1: "END"}


def test_a_broken_models_config_changes_nothing(
    tmp_path: Path, versions: ModelVersions, caplog: pytest.LogCaptureFixture
) -> None:
    add(tmp_path, "1")
    add(tmp_path, "2")
    configure(tmp_path, "specific { versions: 1 }", stable=1)
    run(refreshed(versions))
    (tmp_path / "models.config").write_text("model_config_list { nonsense }")
    run(refreshed(versions, times=2))
    assert versions.get("m", None, "stable").version == 1
    (record,) = caplog.records  # said once
    assert "expected a text ModelServerConfig: 1:21" in record.message


def test_a_policy_by_request_holds_until_models_config_changes(
    tmp_path: Path, versions: ModelVersions
) -> None:
    async def reload(policy: VersionPolicy) -> None:
        await versions.reload(policy)
        await refreshed(versions)

    add(tmp_path, "1")
    add(tmp_path, "2")
    run(refreshed(versions))
    run(reload(VersionPolicy(frozenset([1]), labels={"stable": 1})))
    assert short_states(versions) == {2: "END", 1: "AVAILABLE"}
    assert versions.get("m", None, "stable").version == 1
    with pytest.raises(ServingError, match="Request to assign label to version 7") as failure:
        run(reload(VersionPolicy(frozenset([1]), labels={"stable": 7})))
    assert failure.value.code is StatusCode.FAILED_PRECONDITION
    assert versions.get("m", None, "stable").version == 1
    configure(tmp_path, "specific { versions: 2 }")
    run(refreshed(versions))
    assert short_states(versions) == {2: "AVAILABLE", 1: "END"}


def test_a_look_that_fails_leaves_what_is_served(tmp_path: Path, versions: ModelVersions) -> None:
    add(tmp_path, "1")
    run(refreshed(versions))
    if os.geteuid() == 0:
        (tmp_path / "models.config").mkdir()  # cannot be read, even by root
    else:
        (tmp_path / "models.config").touch(mode=0o000)
    run(refreshed(versions))
    assert versions.get("m").version == 1


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("SavedModel file does not exist at: /srv/m/3/saved_model.pb", "at: saved_model.pb"),
        ("Error:/srv/m/3/variables/x not found", "Error:x not found"),
        ("cannot parse b'/srv/m/3/saved_model.pb'", "cannot parse b'saved_model.pb'"),
        ('first line\n  File "/usr/lib/x.py", line 3', "first line"),
        ("shape [2,3] and 1/2 at https://example.org/a/b", "1/2 at https://example.org/a/b"),
        ("", ""),
    ],
)
def test_messages_show_no_paths_of_the_machine(text: str, public: str) -> None:
    message = public_message(text)
    assert message.endswith(public)
    assert "/srv" not in message and "/usr" not in message
