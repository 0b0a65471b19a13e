"""The model in Beam's RunInference."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from apache_beam.ml.inference.base import ModelHandler

from components.batch.blocks import BLOCK_ROWS, Block
from components.serving.client import Prediction
from components.serving.lean_tensorflow import import_tensorflow
from components.serving.predict import BATCH_SIZE, LocalPredictor, Predictor


class LoadedBlock(NamedTuple):
    """A block and its sentences."""

    block: Block
    sentences: list[str]


class PredictedBlock(NamedTuple):
    """A block and the predictions of its sentences, in their order."""

    block: Block
    predictions: list[Prediction]


class SentenceModel(ModelHandler[LoadedBlock, PredictedBlock, LocalPredictor]):
    """A SavedModel with the serving contract, one for all threads of a process.

    A batch is one whole block, or as many small ones as make up BLOCK_ROWS sentences, so that ten
    thousand files of ten lines are not ten thousand calls of the model.

    Args:
      model_dir: the folder that holds saved_model.pb.
    """

    def __init__(self, model_dir: str) -> None:
        super().__init__()
        self._model_dir = model_dir

    def load_model(self) -> LocalPredictor:
        """Called once in each process."""
        import_tensorflow()
        return LocalPredictor(self._model_dir)

    def batch_elements_kwargs(self) -> dict[str, Any]:
        """A fixed size in sentences: Beam would otherwise try out sizes in blocks."""
        return {
            "min_batch_size": BLOCK_ROWS,
            "max_batch_size": BLOCK_ROWS,
            "element_size_fn": _weight,
        }

    def run_inference(
        self,
        batch: Sequence[LoadedBlock],
        model: LocalPredictor,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterable[PredictedBlock]:
        """Classifies the sentences of some blocks together."""
        texts = [text for loaded in batch for text in loaded.sentences]
        predictions: Iterator[Prediction] = iter(predict_by_length(model, texts))
        return [
            PredictedBlock(block, list(itertools.islice(predictions, len(sentences))))
            for block, sentences in batch
        ]

    def get_num_bytes(self, batch: Sequence[LoadedBlock]) -> int:
        """For Beam's metrics; its own way pickles the batch."""
        return sum(len(text.encode()) for loaded in batch for text in loaded.sentences)

    def get_metrics_namespace(self) -> str:
        """Beam's metrics of the inference have this name."""
        return "sentiflow_batch"


def predict_by_length(predictor: Predictor, texts: Sequence[str]) -> list[Prediction]:
    """Classifies sentences, like lengths together; returns the predictions in the texts' order.

    A call of the model takes as many LSTM steps as its longest sentence has tokens. Every call is
    filled up with empty sentences: matrices of another height are multiplied by other instructions,
    and a sentence's probabilities would depend, in the last digit, on which others are with it.
    """
    filled = [*texts, *[""] * (-len(texts) % BATCH_SIZE)]
    order = sorted(range(len(filled)), key=lambda index: len(filled[index].split()))
    predictions: list[Prediction | None] = [None] * len(filled)
    for index, prediction in zip(order, predictor([filled[i] for i in order]), strict=True):
        predictions[index] = prediction
    return predictions[: len(texts)]  # type: ignore[return-value]  # each index was in `order`


def _weight(loaded: LoadedBlock) -> int:
    """An empty block weighs something, so that not all of them end up in one batch."""
    return max(1, len(loaded.sentences))
