"""The model card of the version that a run pushed, beside the run's report."""

import shutil
from pathlib import Path

from pipeline.record import RunRecord
from schema import features

FOLDER = "report"  # in the workdir


def copy_card(record: RunRecord, workdir: Path) -> None:
    """Copies the card out of the served version; a run that pushed nothing leaves none there."""
    (workdir / FOLDER).mkdir(exist_ok=True)
    for name in (features.MODEL_CARD_MARKDOWN, features.MODEL_CARD_JSON):
        copy = workdir / FOLDER / Path(name).name
        copy.unlink(missing_ok=True)
        if record.pushed_version is not None:
            model = workdir / "serving" / record.config["serving"]["model_name"]
            card = model / str(record.pushed_version) / name
            if card.is_file():  # nobody has removed it since
                shutil.copyfile(card, copy)
