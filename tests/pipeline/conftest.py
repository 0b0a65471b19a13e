"""What tests of the pipeline's parts use."""

import pytest
from ml_metadata.proto import metadata_store_pb2


@pytest.fixture
def connection(tmp_path):
    """To a metadata store in SQLite that is made when it is first used."""
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(tmp_path / "metadata.db")
    config.sqlite.connection_mode = (
        metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    )
    return config
