"""The pipeline with pre-trained word vectors: from their file to the served answer."""

import numpy as np
import pytest

from components.errors import DataRefused, UsageError
from pipeline.ask import predictor
from pipeline.local_runner import run_pipeline
from pipeline.summary import summary
from tests.e2e.made_up import LABELS, NOUNS, WORDS, run_json, small_config, write_splits

pytestmark = pytest.mark.e2e

# Words of a class point the same way; train has none of these.
UNSEEN = {"negative": "horrid", "neutral": "belated", "positive": "delightful"}
DIMENSION = 16
SUBWORD_DIM = 4  # few: the vectors alone tell the class


def write_vectors(path):
    """GloVe's text format: the words that decide, three that train lacks, most of the nouns."""
    random = np.random.default_rng(7)
    directions = dict(zip(LABELS, random.normal(size=(len(LABELS), DIMENSION)), strict=True))
    lines = []
    for label in LABELS:
        for word in [*WORDS[label], UNSEEN[label]]:
            vector = directions[label] + 0.1 * random.normal(size=DIMENSION)
            lines.append(f"{word} {' '.join(f'{value:.5f}' for value in vector)}")
    for noun in NOUNS[1:]:  # not `film`
        vector = 0.3 * random.normal(size=DIMENSION)
        lines.append(f"{noun} {' '.join(f'{value:.5f}' for value in vector)}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_splits(tmp_path_factory.mktemp("data") / "films", LABELS)


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    path = tmp_path_factory.mktemp("vectors") / "vectors.txt"
    write_vectors(path)
    return path


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def config(vectors):
    return small_config(
        None,
        LABELS,
        f"vectors.path={vectors}",
        f"vectors.subword_dim={SUBWORD_DIM}",
        "vectors.fine_tune_after=1",
    )


@pytest.fixture(scope="module")
def fresh(data, workdir, config):
    return run_pipeline(config, str(data), workdir)


def test_the_record_tells_the_coverage(fresh, workdir):
    order = [step.id for step in fresh.steps]
    assert order.index("WordVectors") < order.index("Transform")
    coverage = run_json(workdir)["vectors"]
    assert coverage["types_known"] == 5 * len(LABELS) + len(NOUNS) - 1
    assert coverage["extra_words"] == len(UNSEEN)
    assert coverage["subword_dim"] == SUBWORD_DIM
    counts = [count for _, count in coverage["missing"]]
    assert counts == sorted(counts, reverse=True)
    assert {"the", "."} < dict(coverage["missing"]).keys()
    told = f"{len(UNSEEN)} more added, {SUBWORD_DIM} numbers of sub-words each"
    assert told in summary(fresh, workdir)


def test_the_served_model_knows_words_that_training_never_saw(fresh, workdir, config):
    sentences = [f"The film is {word}." for word in [*UNSEEN.values(), "qwertz"]]
    with predictor(config, workdir) as ask:
        answers = ask(sentences)
    assert [answer.label for answer in answers[:3]] == list(UNSEEN)
    for answer in answers[:3]:
        unknown = answers[3].probabilities[answer.label]
        assert answer.probabilities[answer.label] > unknown + 0.1


def test_second_run_takes_everything_from_the_cache(fresh, data, workdir, config):
    record = run_pipeline(config, str(data), workdir)
    assert [step.id for step in record.steps if step.state == "run"] == ["Resolver"]
    assert record.vectors == fresh.vectors


def test_changed_vectors_run_what_depends_on_them(fresh, data, workdir, config, vectors):
    content = vectors.read_bytes()
    vectors.write_bytes(content.replace(b"delightful", b"delightfuL"))  # as long as before
    record = run_pipeline(config, str(data), workdir)
    vectors.write_bytes(content)
    ran = {step.id: step.why for step in record.steps if step.state == "run"}
    assert ran["WordVectors"] == "vectors changed"
    assert {"Transform", "Trainer", "Evaluator"} <= set(ran)
    assert "SentenceExampleGen" not in ran
    assert record.vectors["extra_words"] == len(UNSEEN) - 1  # no token has a capital letter


@pytest.mark.parametrize(
    ("override", "error", "message"),
    [
        ("model.embedding_dim=50", UsageError, "vectors of 16 numbers, model.embedding_dim is 50"),
        ("vectors.path=/no/such/file", UsageError, "/no/such/file: no such file (vectors.path)"),
        ("vectors.subword_dim=300", UsageError, "of 256 numbers, vectors.subword_dim is 300: set"),
        ("vectors.subwords=/no/such/", UsageError, "/no/such/: no such folder (vectors.subwords)"),
        ("vectors.path=BROKEN", DataRefused, "broken.txt: line 2: expected a word and 16 numbers"),
    ],
)
def test_wrong_vectors_end_the_run_with_one_line(
    fresh, data, workdir, vectors, override, error, message
):
    broken = vectors.with_name("broken.txt")
    broken.write_bytes(vectors.read_bytes().splitlines()[0] + b"\nodd 1 2\n")
    override = override.replace("BROKEN", str(broken))
    config = small_config(None, LABELS, f"vectors.path={vectors}", override)
    with pytest.raises(error) as failure:
        run_pipeline(config, str(data), workdir)
    assert message in str(failure.value)
    assert "\n" not in str(failure.value)
    steps = run_json(workdir)["steps"]
    assert [step["id"] for step in steps if step["state"] == "failed"] == ["WordVectors"]
