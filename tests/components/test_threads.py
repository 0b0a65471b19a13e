"""How TensorFlow shares a machine's cores."""

import pytest

from components import threads


@pytest.mark.parametrize(
    ("cores", "lanes", "for_one"), [(1, 1, "1"), (2, 2, "1"), (6, 4, "2"), (16, 4, "4")]
)
def test_cores_are_shared_among_lanes(monkeypatch, cores, lanes, for_one):
    environment: dict[str, str] = {}
    monkeypatch.setattr(threads.os, "environ", environment)
    monkeypatch.setattr(threads, "_CORES", cores)
    monkeypatch.setattr(threads, "LANES", lanes)
    threads.share_cores()
    assert environment == {"TF_NUM_INTRAOP_THREADS": for_one}


def test_what_the_user_has_set_stays(monkeypatch):
    monkeypatch.setattr(threads.os, "environ", {"TF_NUM_INTRAOP_THREADS": "7"})
    threads.share_cores()
    assert threads.os.environ == {"TF_NUM_INTRAOP_THREADS": "7"}
