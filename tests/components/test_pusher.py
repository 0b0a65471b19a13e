"""Versions 1, 2, 3, …, whole or not at all, and no second copy of the same model."""

import os
import time

import pytest

from components import pusher

CARD = "assets.extra/card.md"


def push(model, base, text="A card."):
    return pusher.push_model(
        str(model), str(base), lambda version: {CARD: f"{version}: {text}".encode()}
    )


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables/variables.index").write_bytes(b"weights")
    return folder


def test_first_push_is_version_1(model, tmp_path):
    assert push(model, tmp_path / "serving/m") == 1
    pushed = tmp_path / "serving/m/1"
    assert (pushed / "saved_model.pb").read_bytes() == b"graph"
    assert (pushed / "variables/variables.index").read_bytes() == b"weights"
    assert (pushed / CARD).read_bytes() == b"1: A card."


def test_same_model_is_not_pushed_again(model, tmp_path):
    base = str(tmp_path / "m")
    assert [push(model, base) for _ in range(2)] == [1, 1]
    assert pusher.versions(base) == [1]


def test_same_model_with_another_card_gets_it_without_a_new_version(model, tmp_path):
    base = tmp_path / "m"
    push(model, base)
    assert push(model, base, "A corrected card.") == 1
    assert (base / "1" / CARD).read_bytes() == b"1: A corrected card."
    assert [path.name for path in base.iterdir()] == ["1"]  # no partial copy is left


def test_changed_model_and_the_one_before_it_get_new_versions(model, tmp_path):
    base = str(tmp_path / "m")
    push(model, base)
    (model / "variables/variables.index").write_bytes(b"better")
    assert push(model, base) == 2
    (model / "variables/variables.index").write_bytes(b"weights")
    assert push(model, base) == 3


def test_renamed_file_is_a_change(model, tmp_path):
    base = str(tmp_path / "m")
    push(model, base)
    (model / "variables/variables.index").rename(model / "variables/other.index")
    assert push(model, base) == 2


def test_versions_are_numbers_in_numeric_order(tmp_path):
    for name in ("2", "10", "9", ".11.partial", "notes"):
        (tmp_path / name).mkdir()
    assert pusher.versions(str(tmp_path)) == [2, 9, 10]


def test_rest_of_a_killed_push_is_removed_once_it_is_old(model, tmp_path):
    old, young = tmp_path / "m/.aa.partial", tmp_path / "m/.bb.partial"
    for rest in (old, young):
        rest.mkdir(parents=True)
        (rest / "stray").write_bytes(b"half")
    an_hour_ago = time.time() - pusher.ABANDONED_SECONDS - 1
    os.utime(old, (an_hour_ago, an_hour_ago))
    assert push(model, tmp_path / "m") == 1
    assert not (tmp_path / "m/1/stray").exists()
    assert not old.exists()
    assert young.exists()  # it may be another push at work


def test_two_pushes_at_once_get_two_versions(model, tmp_path, monkeypatch):
    base = tmp_path / "m"
    copy_dir = pusher.io_utils.copy_dir

    def overtaken(source, destination):
        copy_dir(source, destination)
        monkeypatch.setattr(pusher.io_utils, "copy_dir", copy_dir)
        other = tmp_path / "other"
        copy_dir(source, str(other))
        (other / "variables/variables.index").write_bytes(b"of the other run")
        assert push(other, base) == 1

    monkeypatch.setattr(pusher.io_utils, "copy_dir", overtaken)
    assert push(model, base) == 2
    assert (base / "1/variables/variables.index").read_bytes() == b"of the other run"
    assert (base / "2/variables/variables.index").read_bytes() == b"weights"
    assert [(base / n / CARD).read_text() for n in "12"] == ["1: A card.", "2: A card."]


def test_failed_copy_leaves_no_version(model, tmp_path, monkeypatch):
    def fail(source, destination):
        raise OSError("disk full")

    monkeypatch.setattr(pusher.io_utils, "copy_dir", fail)
    with pytest.raises(OSError, match="disk full"):
        push(model, tmp_path / "m")
    assert pusher.versions(str(tmp_path / "m")) == []
