"""The pinned requirements: complete, hashed, and CUDA where it belongs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = tuple(f"requirements{name}.txt" for name in ("", "-dev", "-gpu", "-torch", "-uv"))


def pins(file):
    """Maps each package to its version."""
    text = (ROOT / file).read_text("utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", text, re.MULTILINE))


@pytest.mark.parametrize("file", FILES)
def test_every_package_is_pinned_with_hashes_and_no_registry_is_named(file):
    text = (ROOT / file).read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert all(re.match(r"[a-z0-9-]+==\S+ \\$|    --hash=sha256:[0-9a-f]{64}", x) for x in lines)
    assert len(pins(file)) >= 1
    assert "://" not in "".join(lines)


def test_the_gpu_image_has_cuda_and_is_otherwise_the_cpu_image():
    cpu, gpu = pins("requirements.txt"), pins("requirements-gpu.txt")
    added = set(gpu) - set(cpu)
    assert {"nvidia-cudnn-cu12", "nvidia-nccl-cu12"} <= added
    assert all(name.startswith("nvidia-") for name in added)
    assert {name: gpu[name] for name in cpu} == cpu


def test_tests_run_what_is_shipped():
    cpu, development = pins("requirements.txt"), pins("requirements-dev.txt")
    assert {name: development[name] for name in cpu} == cpu
