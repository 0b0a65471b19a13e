"""The parts of the Beam pipeline without Beam: held-out digests, memory, remote files."""

import gzip
import json
import os
from pathlib import Path

import pyarrow
import pytest
import tensorflow as tf
from pyarrow import parquet

from components.errors import DataRefused
from components.ingest.pipeline import HeldOut, OutputDirs, ingest_file, pack_digests
from components.ingest.reader import read_rows
from components.ingest.source import SourceFile, hash_files, list_source
from components.ingest.splitting import text_digest
from components.settings import DataSettings


@pytest.mark.parametrize("ending", ["tsv", "tsv.gz", "parquet"])
def test_remote_files_are_read(tmp_path, ending):
    rows = [(("negative", "positive")[n % 2], f"Sentence number {n}") for n in range(3000)]
    local = tmp_path / f"a.{ending}"
    if ending == "parquet":
        columns = {"label": [row[0] for row in rows], "text": [row[1] for row in rows]}
        parquet.write_table(pyarrow.table(columns), local)
    else:
        content = "".join(f"{a}\t{b}\n" for a, b in [("label", "text"), *rows]).encode()
        local.write_bytes(gzip.compress(content) if ending == "tsv.gz" else content)
    remote = f"ram://bucket/{ending}/a.{ending}"
    tf.io.gfile.copy(str(local), remote, overwrite=True)
    assert [(row.label, row.text) for row in read_rows(remote, DataSettings())] == rows
    assert list_source(f"ram://bucket/{ending}") == ([(remote, None)], [])
    assert hash_files([(remote, None)])[0].sha256 == hash_files([(str(local), None)])[0].sha256
    with pytest.raises(DataRefused, match="ram://bucket/none.tsv: cannot be read: "):
        list(read_rows("ram://bucket/none.tsv", DataSettings()))
    with pytest.raises(DataRefused, match="ram://bucket/none.tsv: expected a data file or a fold"):
        list_source("ram://bucket/none.tsv")


def test_held_out_digests():
    digests = [text_digest(f"sentence {n}") for n in range(1000)]
    parts = [b"".join(digests[:600]), b"".join(digests[400:]), b""]
    held_out = HeldOut(pack_digests(parts))
    assert len(pack_digests(parts)) == 8 * 1000
    assert all(digest in held_out for digest in digests)
    assert not any(text_digest(f"another {n}") in held_out for n in range(1000))
    assert b"\xff" * 8 not in held_out
    assert digests[0] not in HeldOut(pack_digests([]))


@pytest.fixture
def dirs(tmp_path):
    for name in ("examples/Split-train", "examples/Split-eval", "rejects", "temporary"):
        (tmp_path / name).mkdir(parents=True)
    return OutputDirs(*(str(tmp_path / name) for name in ("examples", "rejects", "temporary")))


def test_unknown_labels_are_counted(tmp_path, dirs):
    labels = ["neutral"] * 3 + ["positive", " mixed ", "neutral", ""]
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(f"Fine,{x}\n" for x in labels))
    file = SourceFile(str(tmp_path / "a.csv"), None, "")
    outcome = ingest_file(file, "00000", HeldOut(b""), DataSettings(), dirs)
    assert outcome.unknown_labels == {"'neutral'": 4, "'mixed'": 1}
    assert outcome.rejected == {"unknown_label": 5, "missing_label": 1}


def test_different_unknown_labels_are_counted_up_to_a_number(tmp_path, dirs):
    labels = [*range(1000), *range(1000)]
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(f"Fine,{x}\n" for x in labels))
    file = SourceFile(str(tmp_path / "a.csv"), None, "")
    outcome = ingest_file(file, "00000", HeldOut(b""), DataSettings(), dirs)
    assert outcome.unknown_labels == {f"'{n}'": 2 for n in range(50)}
    assert outcome.rejected == {"unknown_label": 2000}


def test_memory_does_not_grow_with_the_file(tmp_path, dirs, monkeypatch):
    """100 MB of text, of which nothing may stay while the file is read."""
    line = json.dumps({"label": "positive", "text": "word " * 1600}) + "\n"
    (tmp_path / "a.jsonl").write_text(line * 12_500)
    resident = []

    def watched_rows(path, settings):
        for row in read_rows(path, settings):
            if row.record % 500 == 0:
                pages = int(Path("/proc/self/statm").read_text().split()[1])
                resident.append(pages * os.sysconf("SC_PAGE_SIZE"))
            yield row

    monkeypatch.setattr("components.ingest.pipeline.read_rows", watched_rows)
    file = SourceFile(str(tmp_path / "a.jsonl"), None, "")
    assert ingest_file(file, "00000", HeldOut(b""), DataSettings(), dirs).read == 12_500
    assert len(resident) == 25
    assert max(resident) - resident[2] < 30e6
