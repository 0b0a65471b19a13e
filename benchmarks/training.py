"""Training speed, in sentences per second, beside others on the same rows, in one run.

    python -m benchmarks.training --data FOLDER [--torch PYTHON] [--rounds N] [--quick] [--gpu]

FOLDER holds train.tsv (or .csv, …); PYTHON is an interpreter with PyTorch. All take turns, so what
else the machine does hits all alike; a row is the best of its turns, after one that does not count,
in which graphs are made. The second number, sentences per second of CPU time, hardly depends on
what else the machine does; on several cores it tells nothing about how well these are used.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import click

OURS = "sentiflow's Trainer"
PADDED_OURS = "… on rows padded to max_length"
PADDED = "(a) Keras's LSTM and Adam, rows padded to max_length"
EXAMPLE = "(b) TFX's imdb example: its input pipeline and model"
TORCH = "(c) PyTorch's packed LSTM, our batches in memory"
QUICK_ROWS = 640
AIMS = {PADDED: 3.0, EXAMPLE: 5.0, TORCH: 1.0}


class Turn(NamedTuple):
    """A contestant's work in one turn."""

    sentences: int
    seconds: float
    cpu_seconds: float


class Best(NamedTuple):
    """Sentences per second, and per second of CPU time, of the best turns."""

    wall: float
    cpu: float


Contestant = Callable[[], Turn]


def best(turns: list[Turn]) -> Best:
    """Takes each number from the turn where it was best; the first turn is for warming up."""
    counted = turns[1:]
    return Best(
        max(turn.sentences / turn.seconds for turn in counted),
        max(turn.sentences / turn.cpu_seconds for turn in counted),
    )


def table(results: dict[str, Best]) -> list[str]:
    """The lines of the table; ratios say how many times faster the first row is."""
    ours = results[OURS]
    lines = [
        "| training | sentences/s | ours is × | aim | sentences per CPU second | ours is × |",
        "|---|---|---|---|---|---|",
    ]
    for name, result in results.items():
        ratio, cpu_ratio = ours.wall / result.wall, ours.cpu / result.cpu
        aim = ""
        if name in AIMS:
            aim = f"≥ {AIMS[name]:g}: {'met' if ratio >= AIMS[name] else 'missed'}"
        lines.append(
            f"| {name} | {result.wall:.0f} | {ratio:.2f} | {aim} "
            f"| {result.cpu:.0f} | {cpu_ratio:.2f} |"
        )
    return lines


def timed(work: Callable[[], int]) -> Contestant:
    """A contestant of a function that returns how many sentences it trained on."""

    def turn() -> Turn:
        start, cpu_start = time.perf_counter(), time.process_time()
        sentences = work()
        return Turn(sentences, time.perf_counter() - start, time.process_time() - cpu_start)

    return turn


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--torch", type=click.Path(exists=True, path_type=Path), help="A Python with torch.")
@click.option("--rounds", type=click.IntRange(2), default=5, show_default=True)
@click.option("--quick", is_flag=True, help="Few rows and turns: to try the script.")
@click.option("--gpu", is_flag=True, help="Do nothing where TensorFlow sees no GPU.")
def main(data: Path, torch: Path | None, rounds: int, quick: bool, gpu: bool) -> None:
    """Print the table of training speeds."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if gpu and not gpus:
        print("bench-gpu: SKIPPED, TensorFlow sees no GPU on this machine")
        return
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        contestants = _contestants(data, torch, QUICK_ROWS if quick else None, Path(folder), stack)
        turns: dict[str, list[Turn]] = {name: [] for name in contestants}
        for round_ in range(2 if quick else rounds):
            for name, contestant in contestants.items():
                turns[name].append(contestant())
                print(f"round {round_}: {name}: {turns[name][-1]}", file=sys.stderr)
    print(f"on {'a GPU' if gpus else 'the CPU'}, best of {len(turns[OURS]) - 1} turns each\n")
    print("\n".join(table({name: best(of_name) for name, of_name in turns.items()})))
    if torch is None:
        print("\n(c) SKIPPED: no Python with PyTorch was given (--torch)")


def _contestants(
    data: Path, torch: Path | None, rows: int | None, folder: Path, stack: ExitStack
) -> dict[str, Contestant]:
    import keras

    from benchmarks.rows import read_sentences, save_batches, transformed, write_tsv
    from components import batches
    from components.fitting import Fitting
    from pipeline.config import load_config

    config = load_config()
    sentences = read_sentences(next(data.glob("train.*")), rows)
    count = len(sentences.texts)
    training_data = transformed(sentences, config.text, folder)
    keras.utils.set_random_seed(config.train.seed)
    ours = Fitting(training_data, config.model, config.train)

    def our_epoch() -> int:
        ours.run_epoch()
        return count

    (folder / "rows").mkdir()
    write_tsv(sentences, folder / "rows" / "train.tsv")
    example = ["-m", "benchmarks.imdb_example", "--turns"]
    example += ["--data", str(folder / "rows"), "--workdir", str(folder)]
    contestants: dict[str, Contestant] = {
        OURS: timed(our_epoch),
        PADDED_OURS: timed(_padded(training_data, config, count, as_ours=True)),
        PADDED: timed(_padded(training_data, config, count, as_ours=False)),
        EXAMPLE: stack.enter_context(_process([sys.executable, *example])),
    }
    if torch is None:
        return contestants
    save_batches(
        batches.training_batches(
            training_data.train_files,
            training_data.max_length,
            config.train.batch_size,
            config.train.seed,
        ),
        folder / "batches.npz",
    )
    script = [str(Path(__file__).with_name("torch_lstm.py")), str(folder / "batches.npz")]
    options = {
        "words": training_data.vocabulary_size,
        "classes": training_data.classes,
        "embedding-dim": config.model.embedding_dim,
        "units": config.model.units,
    }
    script += [f"--{name}={value}" for name, value in options.items()]
    return {**contestants, TORCH: stack.enter_context(_process([str(torch), *script]))}


@contextmanager
def _process(command: list[str]) -> Iterator[Contestant]:
    """A contestant with a process of its own: a line on its input asks it for a turn."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin and process.stdout
    asked, answers = process.stdin, process.stdout

    def turn() -> Turn:
        asked.write("\n")
        asked.flush()
        if not (line := answers.readline()):
            raise click.ClickException(f"{command} ended with exit code {process.wait()}")
        return Turn(**json.loads(line))

    try:
        yield turn
    finally:
        process.kill()
        process.communicate()


def _padded(data, config, sentences: int, as_ours: bool) -> Callable[[], int]:
    """Trains the same layers with the same settings on batches that are not cut."""
    import keras
    import tensorflow as tf

    from components.fitting import compiled_model
    from components.model import build_model
    from schema import features

    if as_ours:
        model = compiled_model(data, config.model, config.train, None)
    else:
        gpus = tf.config.list_physical_devices("GPU")
        model = build_model(
            config.model, data.vocabulary_size, data.classes, use_cudnn="auto" if gpus else False
        )
        model.compile(
            keras.optimizers.Adam(
                config.train.learning_rate,
                use_ema=config.train.ema_momentum > 0,
                ema_momentum=config.train.ema_momentum,
            ),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            jit_compile=False,
        )
    spec = {
        features.IDS: tf.io.FixedLenFeature([data.max_length], tf.int64),
        features.LABEL_ID: tf.io.FixedLenFeature([], tf.int64),
    }

    def parsed(serialized):
        row = tf.io.parse_example(serialized, spec)
        return row[features.IDS], row[features.LABEL_ID]

    size = config.train.batch_size
    rows = tf.data.TFRecordDataset(data.train_files, "GZIP").shuffle(100_000)
    padded = rows.batch(size).map(parsed).prefetch(tf.data.AUTOTUNE)

    def train() -> int:
        model.fit(padded, shuffle=False, verbose=0)
        return sentences

    return train


if __name__ == "__main__":
    main()
