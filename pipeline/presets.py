"""The configurations that have a name."""

from pathlib import Path

PRESETS = Path(__file__).parent / "configs"


def preset_names() -> list[str]:
    """The names that `--config` knows."""
    return sorted(path.stem for path in PRESETS.glob("*.yaml"))
