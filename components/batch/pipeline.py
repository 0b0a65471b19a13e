"""The Beam pipeline of a batch: read, cut into blocks, spread, predict, write."""

from collections.abc import Sequence

import apache_beam as beam
from apache_beam.ml.inference.base import RunInference

from components.batch.blocks import Block, read_sentences, write_blocks
from components.batch.inference import LoadedBlock, PredictedBlock, SentenceModel
from components.batch.outputs import Format, write_predictions
from components.settings import DataSettings


def predict_files(
    pipeline: beam.Pipeline,
    files: Sequence[tuple[str, str]],
    model_dir: str,
    labels: Sequence[str],
    settings: DataSettings,
    format_: Format,
) -> None:
    """Adds to `pipeline` the steps that predict files.

    Blocks are spread over the workers, not files: two workers share one large file. Through Beam go
    only the blocks' places; between the shuffle and the end all steps run on one block at a time.

    Args:
      files: [(path, folder for its blocks, where what is there already is not done again)].
      model_dir: the SavedModel.
      labels: its classes, in its order.
    """
    _ = (
        pipeline
        | "Files" >> beam.Create(files, reshuffle=True)
        | "WriteBlocks" >> beam.FlatMap(_write_blocks, settings)
        | "SpreadBlocks" >> beam.Reshuffle()
        | "ReadBlock" >> beam.Map(_load)
        | "Predict" >> RunInference(SentenceModel(model_dir))
        | "WritePredictions" >> beam.Map(_write, tuple(labels), format_)
    )


def _write_blocks(file: tuple[str, str], settings: DataSettings) -> list[Block]:
    return write_blocks(*file, settings)


def _load(block: Block) -> LoadedBlock:
    return LoadedBlock(block, read_sentences(block))


def _write(predicted: PredictedBlock, labels: Sequence[str], format_: Format) -> None:
    write_predictions(predicted.block, predicted.predictions, labels, format_)
