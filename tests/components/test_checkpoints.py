"""Checkpoints: whole or not at all, and never another run's."""

import numpy as np

from components.checkpoints import Checkpoint


def test_load_gives_what_was_saved_last(tmp_path):
    checkpoint = Checkpoint(str(tmp_path), {"seed": 1})
    assert checkpoint.load() is None
    checkpoint.save({"a": np.array([1.0, 2.0], np.float32)}, [{"loss": 0.5}])
    checkpoint.save({"a": np.array([3.5], np.float32), "step": np.array(7)}, ["ü", 2])
    arrays, state = checkpoint.load()
    assert state == ["ü", 2]
    assert list(arrays) == ["a", "step"]
    assert arrays["a"].dtype == np.float32 and arrays["a"].tolist() == [3.5]
    assert arrays["step"].shape == () and arrays["step"] == 7


def test_only_the_last_is_kept_and_none_after_removal(tmp_path):
    checkpoint = Checkpoint(str(tmp_path), {})
    checkpoint.save({"a": np.zeros(10)}, [])
    checkpoint.save({"a": np.ones(10)}, [])
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1
    checkpoint.remove()
    checkpoint.remove()
    assert list(tmp_path.iterdir()) == []
    assert checkpoint.load() is None


def test_runs_that_differ_do_not_share_a_checkpoint(tmp_path):
    Checkpoint(str(tmp_path), {"seed": 1, "files": ["x"]}).save({"a": np.zeros(1)}, [])
    assert Checkpoint(str(tmp_path), {"seed": 2, "files": ["x"]}).load() is None
    assert Checkpoint(str(tmp_path), {"files": ["x"], "seed": 1}).load() is not None


def test_a_save_cut_short_leaves_the_one_before(tmp_path):
    checkpoint = Checkpoint(str(tmp_path), {})
    checkpoint.save({"a": np.arange(3)}, ["first"])
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    file.with_name(file.name + ".tmp").write_bytes(file.read_bytes()[:50])
    assert checkpoint.load()[1] == ["first"]
    checkpoint.save({"a": np.arange(4)}, ["second"])
    assert checkpoint.load()[1] == ["second"]


def test_a_damaged_file_is_not_used_and_said(tmp_path, caplog):
    checkpoint = Checkpoint(str(tmp_path), {})
    checkpoint.save({"a": np.arange(100)}, [])
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    whole = file.read_bytes()
    for content in (whole[:-8], whole[:20], b"", b"not a checkpoint"):
        caplog.clear()
        file.write_bytes(content)
        assert checkpoint.load() is None
        assert "cannot read checkpoint" in caplog.text and "starting again" in caplog.text
