"""What tests of the pipeline's parts use."""

import shutil

import pytest
from ml_metadata.proto import metadata_store_pb2

from schema import features
from tests.pipeline.drift_sentences import FILMS, sentences


@pytest.fixture
def connection(tmp_path):
    """To a metadata store in SQLite that is made when it is first used."""
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(tmp_path / "metadata.db")
    config.sqlite.connection_mode = (
        metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    )
    return config


@pytest.fixture(scope="module")
def pushed(tmp_path_factory):
    """A model root with versions 1 and 2, whose reference is films."""
    from components.drift.reading import answer, profile_answers
    from components.serving.predict import LocalPredictor
    from components.serving.vocabulary import Vocabulary
    from tests.components.serving import tiny_model

    root = tmp_path_factory.mktemp("pushed") / "serving"
    first = root / "sentiment" / "1"
    tiny_model.save(first)
    answers = answer(sentences(FILMS, 600, seed=1), LocalPredictor(first))
    reference = profile_answers(answers, Vocabulary(first))
    (first / features.REFERENCE_PROFILE).write_text(reference.to_json(), "utf-8")
    shutil.copytree(first, root / "sentiment" / "2")
    return root
