"""Finding versions and switching between them, with a loader that only pretends."""

import threading
from pathlib import Path

import pytest
from grpc import StatusCode

from components.serving.errors import ServingError, public_message
from components.serving.versions import ModelVersions, find_versions


def add(folder: Path, name: str, content: str = "good") -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "saved_model.pb").write_text(content)


class Loader:
    """Loads a version as the text of its saved_model.pb; 'broken' does not load."""

    def __init__(self) -> None:
        self.loaded: list[str] = []

    def __call__(self, folder: Path) -> str:
        self.loaded.append(folder.name)
        text = (folder / "saved_model.pb").read_text()
        if text == "broken":
            raise ServingError(StatusCode.DATA_LOSS, "no model")
        return text


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def versions(tmp_path: Path, loader: Loader) -> ModelVersions:
    return ModelVersions(tmp_path, "m", loader)


def states(versions: ModelVersions) -> list[tuple[int, str, str, str]]:
    found = versions.status("m")
    return [(each.version, each.state.value, each.code.name, each.message) for each in found]


def test_only_numbered_folders_with_a_model_are_versions(tmp_path: Path) -> None:
    for name in ("1", "12", ".3.tmp", "3.tmp", "-4", "latest", "٥"):
        add(tmp_path, name)
    (tmp_path / "5").mkdir()
    (tmp_path / "6").write_text("")
    assert find_versions(tmp_path) == {1: tmp_path / "1", 12: tmp_path / "12"}


def test_a_version_may_be_a_link(tmp_path: Path) -> None:
    add(tmp_path / "elsewhere", "model")
    (tmp_path / "1").symlink_to(tmp_path / "elsewhere" / "model")
    assert find_versions(tmp_path) == {1: tmp_path / "1"}


def test_no_folder_no_versions(tmp_path: Path, versions: ModelVersions) -> None:
    assert find_versions(tmp_path / "none") == {}
    versions.refresh()
    assert versions.served is None
    with pytest.raises(ServingError, match=r"^Could not find any versions of model m$"):
        versions.status("m")


def test_the_newest_is_served_and_the_older_is_not_loaded(
    tmp_path: Path, versions: ModelVersions, loader: Loader
) -> None:
    add(tmp_path, "9")
    add(tmp_path, "10")
    versions.refresh()
    versions.refresh()
    assert versions.get("m").version == versions.get("m", 10).version == 10
    assert loader.loaded == ["10"]
    assert states(versions) == [(10, "AVAILABLE", "OK", "")]


def test_what_is_not_served_is_not_found(tmp_path: Path, versions: ModelVersions) -> None:
    with pytest.raises(ServingError, match=r"^Servable not found for request: Latest\(m\)$"):
        versions.get("m")
    add(tmp_path, "2")
    versions.refresh()
    with pytest.raises(ServingError, match=r"^Servable not found for request: Specific\(m, 1\)$"):
        versions.get("m", 1)
    with pytest.raises(ServingError, match=r"^Servable not found for request: Latest\(other\)$"):
        versions.get("other")
    with pytest.raises(ServingError, match=r"^Could not find version 1 of model m$") as failure:
        versions.status("m", 1)
    assert failure.value.code is StatusCode.NOT_FOUND
    with pytest.raises(ServingError, match=r"^Could not find any versions of model other$"):
        versions.status("other")


def test_a_new_version_takes_over(tmp_path: Path, versions: ModelVersions) -> None:
    add(tmp_path, "1", "old")
    versions.refresh()
    held = versions.get("m")
    add(tmp_path, "2", "new")
    versions.refresh()
    assert versions.get("m").model == "new"
    assert held.model == "old"
    assert states(versions) == [(2, "AVAILABLE", "OK", ""), (1, "END", "OK", "")]
    assert [status.version for status in versions.status("m", 1)] == [1]


def test_while_a_version_loads_the_old_one_answers(tmp_path: Path) -> None:
    loading, go_on = threading.Event(), threading.Event()

    def load(folder: Path) -> str:
        if folder.name == "2":
            loading.set()
            assert go_on.wait(10)
        return folder.name

    versions = ModelVersions(tmp_path, "m", load)
    add(tmp_path, "1")
    versions.refresh()
    add(tmp_path, "2")
    thread = threading.Thread(target=versions.refresh)
    thread.start()
    assert loading.wait(10)
    assert versions.get("m").version == 1
    assert states(versions) == [(2, "LOADING", "OK", ""), (1, "AVAILABLE", "OK", "")]
    go_on.set()
    thread.join()
    assert versions.get("m").version == 2


def test_a_broken_version_is_reported_once_and_the_old_one_goes_on(
    tmp_path: Path, versions: ModelVersions, loader: Loader
) -> None:
    add(tmp_path, "1")
    versions.refresh()
    add(tmp_path, "2", "broken")
    versions.refresh()
    versions.refresh()
    assert versions.get("m").version == 1
    assert states(versions) == [(2, "END", "DATA_LOSS", "no model"), (1, "AVAILABLE", "OK", "")]
    assert loader.loaded == ["1", "2"]


def test_a_broken_version_whose_files_change_is_tried_again(
    tmp_path: Path, versions: ModelVersions
) -> None:
    add(tmp_path, "1", "broken")
    versions.refresh()
    assert versions.served is None
    (tmp_path / "1" / "saved_model.pb").write_text("repaired")
    versions.refresh()
    assert versions.get("m").model == "repaired"


def test_at_the_start_a_broken_version_gives_way_to_an_older_one(
    tmp_path: Path, versions: ModelVersions
) -> None:
    for name, content in (("1", "old"), ("2", "good"), ("3", "broken")):
        add(tmp_path, name, content)
    versions.refresh()
    assert versions.get("m").version == 2


def test_when_the_served_folder_is_gone_the_next_newest_is_served(
    tmp_path: Path, versions: ModelVersions
) -> None:
    add(tmp_path, "1", "old")
    add(tmp_path, "2", "new")
    versions.refresh()
    (tmp_path / "2").rename(tmp_path / ".2.withdrawn")
    versions.refresh()
    assert versions.get("m").version == 1
    (tmp_path / "1").rename(tmp_path / ".1.withdrawn")
    versions.refresh()
    assert versions.get("m").model == "old"  # nothing else is left: better than no answers


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
