"""TFX's own imdb example (tfx.examples.imdb of the installed TFX, Apache-2.0), as it is.

`python -m benchmarks.imdb_example --data FOLDER --workdir DIR` runs its whole pipeline on FOLDER's
train.* and eval.*; the only changes are where it reads and writes, and that Beam gets the runner
that sentiflow uses too, since its own downloads a program. The pipeline ends with a line of JSON.
"""

import csv
import json
import os
import sys
import time
from pathlib import Path

import click

MODULE = "imdb_utils_native_keras"
STEPS = 31  # of a turn; the 500 that it comes with would take minutes


def write_csv(folder: Path, texts: list[str], label_ids: list[int]) -> None:
    """Writes the rows as the example reads them: columns text and label, classes as numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "rows.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows(zip(texts, label_ids, strict=True))


def answer_turns(texts: list[str], label_ids: list[int], folder: Path) -> None:
    """Trains the example's model through its input pipeline, a turn for each line of the input.

    The rows have gone through the example's text handling. Answers each line with a line of JSON:
    sentences, seconds and CPU seconds. A turn's first step is left out: with it the file is opened.
    """
    import tensorflow as tf
    from tfx.components.util import tfxio_utils
    from tfx.examples.imdb import imdb_utils_native_keras as example
    from tfx.proto import example_gen_pb2
    from tfx_bsl.tfxio import dataset_options

    from benchmarks.rows import numbered, write_examples

    # Its _tokenize_review: split at white space; frequent words from 1 on, the others one id.
    tokens = [text.split() for text in texts]
    ids, _ = numbered(
        tokens, example._VOCAB_SIZE, example._MAX_LEN, first=1, unknown=example._VOCAB_SIZE + 1
    )
    ids_name = example._transformed_name(example._FEATURE_KEY, is_input=True)
    label_name = example._transformed_name(example._LABEL_KEY)
    path = folder / "imdb_example.gz"
    rows = list(zip(ids, label_ids, strict=True))
    write_examples(path, rows, example._MAX_LEN, (ids_name, label_name), padding=0)
    tfxio = tfxio_utils.make_tfxio(
        str(path),
        telemetry_descriptors=[],
        payload_format=example_gen_pb2.PayloadFormat.FORMAT_TF_EXAMPLE,
        schema=_schema({ids_name: example._MAX_LEN, label_name: 1}),
    )
    options = dataset_options.TensorFlowDatasetOptions(
        batch_size=example._TRAIN_BATCH_SIZE, label_key=label_name
    )
    batches = tfxio.TensorFlowDataset(options).repeat()
    with tf.distribute.MirroredStrategy().scope():
        model = example._build_keras_model()

    class Clock(tf.keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 0:
                self.start, self.cpu_start = time.perf_counter(), time.process_time()

    for _ in sys.stdin:
        clock = Clock()
        model.fit(batches, steps_per_epoch=STEPS, verbose=0, callbacks=[clock])
        turn = {
            "sentences": (STEPS - 1) * example._TRAIN_BATCH_SIZE,
            "seconds": time.perf_counter() - clock.start,
            "cpu_seconds": time.process_time() - clock.cpu_start,
        }
        print(json.dumps(turn), flush=True)


def _schema(lengths: dict[str, int]):
    from tensorflow_metadata.proto.v0 import schema_pb2

    schema = schema_pb2.Schema()
    for name, length in lengths.items():
        feature = schema.feature.add(name=name, type=schema_pb2.INT)
        feature.shape.dim.add(size=length)
        feature.presence.min_fraction = 1.0
        schema.tensor_representation_group[""].tensor_representation[
            name
        ].dense_tensor.column_name = name
        schema.tensor_representation_group[""].tensor_representation[
            name
        ].dense_tensor.shape.dim.add(size=length)
    return schema


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--workdir", type=click.Path(path_type=Path), required=True)
@click.option("--turns", is_flag=True, help="Only train, as benchmarks.training asks for it.")
def main(data: Path, workdir: Path, turns: bool) -> None:
    """Run the example's pipeline once, or train a while for each line of the input."""
    from benchmarks.rows import read_sentences
    from pipeline.config import BeamSettings

    if turns:
        answer_turns(*read_sentences(next(data.glob("train.*"))), workdir)
        return
    splits = [read_sentences(next(data.glob(f"{split}.*"))) for split in ("train", "eval")]
    texts = [text for split in splits for text in split.texts]
    write_csv(workdir / "data", texts, [label for split in splits for label in split.label_ids])
    os.environ.setdefault("HOME", str(workdir))  # the module makes paths of it when imported

    from tfx import examples
    from tfx.examples.imdb import imdb_pipeline_native_keras as example
    from tfx.orchestration.beam.beam_dag_runner import BeamDagRunner

    pipeline = example._create_pipeline(
        pipeline_name="imdb_example",
        pipeline_root=str(workdir / "pipeline"),
        data_root=str(workdir / "data"),
        module_file=str(Path(examples.__path__[0]) / "imdb" / f"{MODULE}.py"),
        serving_model_dir=str(workdir / "serving"),
        metadata_path=str(workdir / "metadata.db"),
        beam_pipeline_args=BeamSettings().pipeline_args("Transform"),
    )
    BeamDagRunner().run(pipeline)
    print(json.dumps({"rows": len(texts), "accuracy": _accuracy(workdir / "pipeline")}))


def _accuracy(pipeline_root: Path) -> float:
    """What its Evaluator measured."""
    import tensorflow_model_analysis as tfma

    (folder,) = (pipeline_root / "Evaluator" / "evaluation").iterdir()
    ((_, metrics),) = tfma.load_eval_result(str(folder)).slicing_metrics
    return metrics[""][""]["binary_accuracy"]["doubleValue"]


if __name__ == "__main__":
    main()
