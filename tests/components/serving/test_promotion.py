"""Promotion and roll-back, as TensorFlow Serving's models.config says it."""

from pathlib import Path

import pytest
from google.protobuf import text_format

from components.errors import UsageError
from components.serving.model_root import ModelServerConfig, find_model, read_models_config
from components.serving.promotion import STABLE, list_versions, promote, roll_back, unpin


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Versions 1 to 5."""
    for version in range(1, 6):
        folder = tmp_path / "m" / str(version)
        folder.mkdir(parents=True)
        (folder / "saved_model.pb").touch()
    return tmp_path


def written(root: Path) -> tuple[list[int], dict[str, int]]:
    """Loaded versions and labels of models.config."""
    model = find_model(read_models_config(root) or ModelServerConfig(), "m")
    assert model is not None
    return list(model.model_version_policy.specific.versions), dict(model.version_labels)


def test_the_file_is_tensorflow_servings_own(root: Path) -> None:
    assert promote(root, "m", 2) == 2
    config = text_format.Parse((root / "models.config").read_text(), ModelServerConfig())
    (model,) = config.model_config_list.config
    assert (model.name, model.model_platform) == ("m", "tensorflow")
    assert model.base_path == str(root.resolve() / "m")
    assert written(root) == ([2], {"stable": 2})


def test_the_version_before_stays_loaded_while_it_is_lower(root: Path) -> None:
    promote(root, "m", 3)
    promote(root, "m")
    assert written(root) == ([3, 5], {"stable": 5})
    promote(root, "m", 4)  # a higher one would answer requests that name no version
    assert written(root) == ([4], {"stable": 4})


def test_roll_back_goes_through_history(root: Path) -> None:
    for version in (1, 3, 5):
        promote(root, "m", version)
    assert roll_back(root, "m") == 3
    assert written(root) == ([3], {"stable": 3})
    assert roll_back(root, "m") == 1
    promote(root, "m", 4)
    assert roll_back(root, "m") == 1  # not to the versions that were rolled back


def test_the_first_roll_back_is_to_the_next_lower_version(root: Path) -> None:
    assert roll_back(root, "m") == 4
    assert roll_back(root, "m") == 3
    promote(root, "m", 1)
    assert roll_back(root, "m") == 3  # what was stable before


def test_a_deleted_version_is_passed_over(root: Path) -> None:
    for version in (2, 3, 4):
        promote(root, "m", version)
    (root / "m" / "3" / "saved_model.pb").unlink()
    assert roll_back(root, "m") == 2


def test_nothing_to_roll_back_to(root: Path) -> None:
    promote(root, "m", 1)
    unpin(root, "m")
    promote(root, "m", 1)
    for version in (2, 3, 4, 5):
        (root / "m" / str(version) / "saved_model.pb").unlink()
    with pytest.raises(UsageError, match="no earlier version to roll back to"):
        roll_back(root, "m")


def test_a_canary_beside_the_stable_version(root: Path) -> None:
    promote(root, "m", 3)
    promote(root, "m", 5, "canary")
    assert written(root) == ([3, 5], {"stable": 3, "canary": 5})
    assert roll_back(root, "m", "canary") is None
    assert written(root) == ([3], {"stable": 3})
    promote(root, "m", 4, "canary")
    promote(root, "m", 4)  # the canary has become the stable version
    assert written(root) == ([3, 4], {"stable": 4})


def test_a_canary_without_a_stable_version_keeps_the_newest_one(root: Path) -> None:
    promote(root, "m", 2, "canary")
    assert written(root) == ([2, 5], {"canary": 2, "stable": 5})


def test_roll_back_takes_a_higher_canary_away(root: Path) -> None:
    promote(root, "m", 3)
    promote(root, "m", 4)
    promote(root, "m", 5, "canary")
    assert roll_back(root, "m") == 3
    assert written(root) == ([3], {"stable": 3})


def test_what_else_stands_in_the_file_is_kept(root: Path) -> None:
    (root / "models.config").write_text(
        """model_config_list {
          config { name: "other" base_path: "/models/other" model_platform: "tensorflow" }
          config { name: "m" base_path: "/models/m" model_platform: "tensorflow" }
        }"""
    )
    promote(root, "m", 2)
    config = read_models_config(root)
    assert config is not None
    assert [model.base_path for model in config.model_config_list.config] == [
        "/models/other",
        "/models/m",
    ]


def test_unpin_follows_the_newest_version_again(root: Path) -> None:
    promote(root, "m", 2)
    unpin(root, "m")
    assert written(root) == ([], {})
    assert [(each.version, each.loaded) for each in list_versions(root, "m")][:2] == [
        (5, True),
        (4, False),
    ]


def test_list_versions(root: Path) -> None:
    assert [each.loaded for each in list_versions(root, "m")] == [True] + 4 * [False]
    promote(root, "m", 2)
    promote(root, "m", 4)
    listed = [(each.version, each.labels, each.loaded) for each in list_versions(root, "m")]
    assert listed == [
        (5, (), False),
        (4, (STABLE,), True),
        (3, (), False),
        (2, (), True),
        (1, (), False),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model_config_list { nonsense }", r"expected a text ModelServerConfig: 1:21"),
        ("custom_model_config {}", "expected a model_config_list"),
        ("", "expected a model_config_list"),
    ],
)
def test_a_wrong_file_is_left_alone(root: Path, text: str, message: str) -> None:
    (root / "models.config").write_text(text)
    with pytest.raises(UsageError, match=message):
        promote(root, "m", 2)
    assert (root / "models.config").read_text() == text


def test_versions_that_do_not_exist(root: Path) -> None:
    with pytest.raises(UsageError, match=r"m: no version 9; there are: 1, 2, 3, 4, 5$"):
        promote(root, "m", 9)
    with pytest.raises(UsageError, match="other: no version to promote"):
        promote(root, "other")
    with pytest.raises(UsageError, match="no version has the label 'canary'"):
        roll_back(root, "m", "canary")
    assert not (root / "models.config").exists()


@pytest.mark.parametrize("label", ["bad label!", "", "a/b", "grün", "canary\n"])
def test_a_label_that_a_url_cannot_hold(root: Path, label: str) -> None:
    with pytest.raises(UsageError) as refusal:
        promote(root, "m", 2, label)
    assert str(refusal.value) == f"label {label!r}: expected letters, digits, _ and -, as canary"
    assert not (root / "models.config").exists()


def test_a_label_of_ones_own(root: Path) -> None:
    assert promote(root, "m", 2, "A-b_9") == 2
    assert written(root)[1] == {"A-b_9": 2, "stable": 5}
