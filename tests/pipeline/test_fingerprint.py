"""Code fingerprints follow the imports of a step and nothing else."""

import pytest

from pipeline import fingerprint


@pytest.fixture
def project(tmp_path, monkeypatch):
    for package in ("components", "schema"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("")
    (tmp_path / "components/step.py").write_text("from components.helper import f\nimport os\n")
    (tmp_path / "components/helper.py").write_text("from schema import names\nf = 1\n")
    (tmp_path / "components/other.py").write_text("g = 1\n")
    (tmp_path / "schema/names.py").write_text("TEXT = 'text'\n")
    (tmp_path / "schema/schema.pbtxt").write_text("# v1\n")
    monkeypatch.setattr(fingerprint, "ROOT", tmp_path)
    fingerprint.code_fingerprint.cache_clear()
    yield tmp_path
    fingerprint.code_fingerprint.cache_clear()


def changed_by(project, file, text):
    before = fingerprint.code_fingerprint("components.step")
    (project / file).write_text(text)
    fingerprint.code_fingerprint.cache_clear()
    return fingerprint.code_fingerprint("components.step") != before


def test_is_stable(project):
    assert not changed_by(project, "components/helper.py", "from schema import names\nf = 1\n")


@pytest.mark.parametrize(
    "file",
    ["components/step.py", "components/helper.py", "schema/names.py", "schema/schema.pbtxt"],
)
def test_changes_with_its_own_code_and_what_it_imports(project, file):
    assert changed_by(project, file, "# changed\n")


def test_does_not_change_with_other_code(project):
    assert not changed_by(project, "components/other.py", "g = 2\n")


def test_changes_with_a_package_version(project, monkeypatch):
    before = fingerprint.code_fingerprint("components.step")
    monkeypatch.setattr(fingerprint, "package_versions", lambda: {"tensorflow": "99"})
    fingerprint.code_fingerprint.cache_clear()
    assert fingerprint.code_fingerprint("components.step") != before


def test_unknown_module_is_an_error(project):
    with pytest.raises(ModuleNotFoundError, match="components.nope"):
        fingerprint.code_fingerprint("components.nope")
