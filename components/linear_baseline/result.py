"""What LinearBaseline leaves: `linear_baseline.json`. Light: the Evaluator's outcome reads it."""

import json
import os
from dataclasses import asdict, dataclass

FILE = "linear_baseline.json"


@dataclass(frozen=True)
class LinearBaselineResult:
    """Scores on eval, as `components.evaluation.scores` defines them, and what they rest on."""

    accuracy: float
    macro_f1: float
    example_count: int  # rows of eval
    train_rows: int
    trained_on: int  # that many of the train_rows
    ngrams: int  # that have a weight

    def beside(self, accuracy: float) -> str:
        """What it reaches, and how a network of this accuracy stands to it, in a line."""
        sample = ""
        if self.trained_on < self.train_rows:
            sample = f", trained on {self.trained_on:,} of {self.train_rows:,} rows"
        points = round(100 * (accuracy - self.accuracy), 1)
        side = "above" if points > 0 else "below"
        stands = f"{abs(points):.1f} points {side} it" if points else "level with it"
        return f"{self.accuracy:.3f} by a linear model on n-grams{sample}; the LSTM is {stands}"

    def write(self, folder: str) -> None:
        """Writes `linear_baseline.json`."""
        from tfx.dsl.io import fileio

        with fileio.open(os.path.join(folder, FILE), "w") as file:
            file.write(json.dumps(asdict(self), indent=2) + "\n")


def read(folder: str) -> LinearBaselineResult:
    """What `write` wrote to a folder."""
    from tfx.dsl.io import fileio

    with fileio.open(os.path.join(folder, FILE)) as file:
        return LinearBaselineResult(**json.loads(file.read()))
