import re

from pipeline.submission.package import content_hash, node_names, version_name


def test_nodes_in_groups_are_found_and_groups_are_none(package, tmp_path):
    path = tmp_path / "pipeline.yaml"
    path.write_text(package, "utf-8")

    assert node_names(path) == {
        "transform": "Transform",
        "trainer": "Trainer",
        "report": "report",
        "Transform": "Transform",
        "Trainer": "Trainer",
    }


def test_a_version_is_named_after_time_and_content(tmp_path):
    path = tmp_path / "pipeline.yaml"
    path.write_bytes(b"abc")

    assert content_hash(path) == "ba7816bf8f01"
    name = version_name("reviews", content_hash(path))
    assert re.fullmatch(r"reviews-20\d{6}-\d{6}-ba7816bf8f01", name)
