"""Training speed, in sentences per second, beside others on the same rows, in one run.

    python -m benchmarks.training --data FOLDER [--torch PYTHON] [--rounds N] [--quick] [--gpu]

FOLDER holds train.tsv (or .csv, …); PYTHON is an interpreter with PyTorch. All take turns, so what
else the machine does hits all alike; a row is the best of its turns, after one that does not count,
in which graphs are made. The second number, sentences per second of CPU time, hardly depends on
what else the machine does; on several cores it tells nothing about how well these are used.
"""

import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import click

from benchmarks.turns import Best, Contestant, Turn, best, process, timed
from components.threads import share_cores

OURS = "sentiflow's Trainer"
PADDED_OURS = "… on rows padded to max_length"
PADDED = "(a) Keras's LSTM and Adam, rows padded to max_length"
EXAMPLE = "(b) TFX's imdb example: its input pipeline and model"
TORCH = "(c) PyTorch's packed LSTM, our batches in memory"
QUICK_ROWS = 640
AIMS = {PADDED: 3.0, EXAMPLE: 5.0, TORCH: 1.0}


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


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--torch", type=click.Path(exists=True, path_type=Path), help="A Python with torch.")
@click.option("--rounds", type=click.IntRange(2), default=5, show_default=True)
@click.option("--quick", is_flag=True, help="Few rows and turns: to try the script.")
@click.option("--gpu", is_flag=True, help="Do nothing where TensorFlow sees no GPU.")
def main(data: Path, torch: Path | None, rounds: int, quick: bool, gpu: bool) -> None:
    """Print the table of training speeds."""
    # Of several processes the first would take all of a GPU's memory.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    own = dict(os.environ)  # of the contestants that choose their threads themselves
    share_cores()
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if gpu and not gpus:
        print("bench-gpu: SKIPPED, TensorFlow sees no GPU on this machine")
        return
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        contestants = _contestants(
            data, torch, QUICK_ROWS if quick else None, Path(folder), own, stack
        )
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
    data: Path,
    torch: Path | None,
    rows: int | None,
    folder: Path,
    own: dict[str, str],
    stack: ExitStack,
) -> dict[str, Contestant]:
    import keras

    from benchmarks import padded
    from benchmarks.rows import read_sentences, save_batches, transformed, write_tsv
    from components.batches import SplitRows
    from components.fitting import Fitting
    from pipeline.config import load_config

    config = load_config()
    sentences = read_sentences(next(data.glob("train.*")), rows)
    count = len(sentences.texts)
    training_data = transformed(sentences, config.text, folder)
    keras.utils.set_random_seed(config.train.seed)
    ours = Fitting(training_data, config.trained_model, config.train)
    padded_rows = padded.our_model(training_data, config), training_data, config, count

    def our_epoch() -> int:
        ours.run_epoch()
        return count

    (folder / "rows").mkdir()
    write_tsv(sentences, folder / "rows" / "train.tsv")
    example = ["-m", "benchmarks.imdb_example", "--turns"]
    example += ["--data", str(folder / "rows"), "--workdir", str(folder)]
    padded.save(training_data, folder / "data.json")
    keras_padded = ["-m", "benchmarks.padded", str(folder / "data.json"), f"--sentences={count}"]
    contestants: dict[str, Contestant] = {
        OURS: timed(our_epoch),
        PADDED_OURS: timed(padded.padded_epoch(*padded_rows)),
        PADDED: stack.enter_context(process([sys.executable, *keras_padded], own)),
        EXAMPLE: stack.enter_context(process([sys.executable, *example], own)),
    }
    if torch is None:
        return contestants
    rows = SplitRows(training_data.train_files, training_data.max_length)
    shuffled = rows.training_batches(config.train.batch_size, config.train.seed)
    save_batches(shuffled, folder / "batches.npz")
    script = [str(Path(__file__).with_name("torch_lstm.py")), str(folder / "batches.npz")]
    options = {
        "words": training_data.vocabulary_size,
        "classes": training_data.classes,
        "embedding-dim": config.trained_model.embedding_dim,
        "units": config.model.units,
    }
    script += [f"--{name}={value}" for name, value in options.items()]
    return {**contestants, TORCH: stack.enter_context(process([str(torch), *script], own))}


if __name__ == "__main__":
    main()
