"""That what the pages tell a reader to write and apply is right."""

import re
from pathlib import Path

import pytest
import yaml

from pipeline.config import load_config
from tests.k8s.manifests import K8S

DOCS = K8S.parent / "docs"
PAGES = ("kubeflow.md", "scale-out.md")


def code_blocks(page):
    """The indented blocks of a page, without their indentation."""
    text = (DOCS / page).read_text(encoding="utf-8")
    blocks = re.findall(r"(?:^(?: {4}.*)?\n)+", text, re.MULTILINE)
    return [re.sub(r"^ {4}", "", block, flags=re.MULTILINE) for block in blocks if block.strip()]


def configurations():
    sections = ("data:", "beam:", "kubeflow:")
    return [
        pytest.param(block, id=f"{page}-{number}")
        for page in PAGES
        for number, block in enumerate(code_blocks(page))
        if block.strip().startswith(sections)
    ]


def test_pages_hold_configurations():
    assert len(configurations()) == 5


@pytest.mark.parametrize("block", configurations())
def test_configuration_is_accepted(tmp_path, block):
    file = tmp_path / "cluster.yaml"
    file.write_text(block, encoding="utf-8")
    config = load_config(str(file))
    for section, values in yaml.safe_load(block).items():
        assert getattr(config, section) != getattr(load_config(), section), section
        assert values.keys() <= getattr(config, section).model_fields_set


@pytest.mark.parametrize("page", PAGES)
def test_folders_that_are_applied_exist(page):
    text = (DOCS / page).read_text(encoding="utf-8")
    applied = set(re.findall(r"-k (k8s/[a-z/-]+)", text))
    applied |= {f"k8s/{path}" for path in re.findall(r"\.\./sentiflow/k8s/([a-z/-]+)", text)}
    assert applied
    for path in applied:
        assert (K8S.parent / path / "kustomization.yaml").is_file(), path


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)\)", (DOCS / page).read_text(encoding="utf-8"))
    assert links and all((DOCS / Path(link)).is_file() for link in links)
