"""A folder in which the documented commands find what they name, and run quickly."""

import gzip
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.e2e.made_up import SMALL, WORDS, made_up_sentences, write_tsv

SENTIFLOW = str(Path(sys.executable).with_name("sentiflow"))
LABELS = ("negative", "positive")
QUESTIONS = {"description": "what", "entity": "which", "person": "who", "number": "many"}
VERSIONS = 8  # pages promote the seventh and the eighth
SECONDS = 1800  # for one command, on a busy machine


def shell(text: str, place: Path) -> subprocess.CompletedProcess[str]:
    """Runs a command line in the folder; a run of the pipeline is made small."""
    small = " ".join(f"--set {value}" for value in (*SMALL, "tune.max_trials=2"))
    text = text.replace(".venv/bin/sentiflow", "sentiflow")
    text = re.sub(r"\bsentiflow run\b", f"sentiflow run {small}", text)
    path = f"{Path(SENTIFLOW).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=place,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def make(place: Path) -> None:
    """Writes the files and makes one run in `work`, with the first documented command."""
    rows = made_up_sentences(LABELS, 300, seed=1)
    _write_csv(place / "sentences.csv", ("text", "label"), [(text, label) for label, text in rows])
    _write_csv(place / "new.csv", ("text",), [(text,) for _, text in rows[:5]])
    questions = [
        f"{kind}\tTell me, {word} {noun} of {number}?"
        for (kind, word), noun, number in itertools.product(
            QUESTIONS.items(), ("river", "king", "book", "city", "song"), range(10)
        )
    ]
    (place / "questions.tsv").write_text("\n".join(["type\tquestion", *questions]) + "\n")
    for number, day in enumerate(("2026-01-01", "2026-01-02")):
        folder = place / "days" / day
        folder.mkdir(parents=True)
        write_tsv(folder / "reviews.tsv", rows[10 * number :][:10])
    _write_parquet(place / "reviews.parquet", [text for _, text in rows[:10]])
    _write_vectors(place / "glove.6B.zip")
    texts = [text for _, text in rows]
    _write_request_log(place / "requests.jsonl", texts)
    (place / "week-1").mkdir()
    with gzip.open(place / "week-1" / "asked.jsonl.gz", "wt") as file:
        file.writelines(json.dumps({"text": text}) + "\n" for text in texts)
    data = "/sentiflow/data/sentences.csv"
    (place / "cluster.yaml").write_text(json.dumps({"data": {"path": data}}))  # JSON is YAML

    done = shell("sentiflow run --data sentences.csv --workdir work", place)
    assert done.returncode == 0, done.stderr
    model = place / "work/serving/sentiment"
    for version in range(2, VERSIONS + 1):
        shutil.copytree(model / "1", model / str(version))
    for version in ("7", "8"):
        promoted = shell(f"sentiflow promote {version} --workdir work", place)
        assert promoted.returncode == 0, promoted.stderr
    for name in ("sentiflow-workdir", "A", "B"):  # the default of --workdir; two runs to compare
        (place / name).symlink_to("work")


def _write_csv(path: Path, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    lines = [",".join(f'"{cell}"' for cell in row) for row in (header, *rows)]
    path.write_text("\n".join(lines) + "\n")


def _write_parquet(path: Path, texts: list[str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": texts}), path)


def _write_request_log(path: Path, texts: list[str]) -> None:
    """As serving.request_log, a request for each sentence, all answered alike."""
    answer = {
        "time": "2026-01-01T12:00:00.000+00:00", "version": 8, "protocol": "REST", "ms": 2.0,
        "labels": ["positive"], "probabilities": [[0.1, 0.9]], "classes": LABELS,
    }  # fmt: skip
    lines = [json.dumps({**answer, "sentences": [text]}) for text in texts]
    path.write_text("\n".join(lines) + "\n")


def _write_vectors(path: Path) -> None:
    """GloVe's text with 100 dimensions."""
    words = ["the", "film", *itertools.chain.from_iterable(WORDS.values())]
    lines = [f"{word} {' '.join(str((i * j) % 7 - 3) for j in range(100))}"
             for i, word in enumerate(words)]  # fmt: skip
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("glove.6B.100d.txt", "\n".join(lines) + "\n")
