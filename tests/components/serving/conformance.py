"""What the conformance tables are about: version 3 of the tiny model in TensorFlow Serving.

The model `sentiment` is loaded under the labels `stable` and `canary`.

    python -m tests.components.serving.conformance FOLDER

writes it, with TensorFlow Serving's models.config.
"""

from pathlib import Path

from tests.components.serving.tiny_model import save

VERSION = 3

MODELS_CONFIG = """model_config_list {{
  config {{
    name: "sentiment"
    base_path: "{base_path}"
    model_platform: "tensorflow"
    model_version_policy {{ specific {{ versions: 3 }} }}
    version_labels {{ key: "stable" value: 3 }}
    version_labels {{ key: "canary" value: 3 }}
  }}
}}
"""


def write_model_root(root: Path) -> None:
    """Writes what the table is about: version 3 of the tiny model, and models.config."""
    save(root / "sentiment" / str(VERSION))
    (root / "sentiment" / "vocabulary").unlink()  # the source of the asset
    config = MODELS_CONFIG.format(base_path=(root / "sentiment").resolve())
    (root / "models.config").write_text(config)


if __name__ == "__main__":
    import sys

    write_model_root(Path(sys.argv[1]))
