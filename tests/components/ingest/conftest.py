"""Writes data files and reads them back."""

import gzip

import pytest

from components.ingest.reader import read_rows
from components.settings import DataSettings


@pytest.fixture
def read(tmp_path):
    """read(name, content): the items that read_rows yields for a file of these bytes."""

    def read(name, content, require_label=True, **settings):
        path = tmp_path / name
        path.write_bytes(gzip.compress(content) if name.lower().endswith(".gz") else content)
        return list(read_rows(str(path), DataSettings(**settings), require_label))

    return read


@pytest.fixture
def read_short(read):
    """As read, each row as (record, label, text) and each reject as (record, reason)."""

    def read_short(*args, **kwargs):
        return [
            (item.record, item.reason)
            if hasattr(item, "reason")
            else (item.record, item.label, item.text)
            for item in read(*args, **kwargs)
        ]

    return read_short
