"""The linear baseline as a plain function of sentences and class numbers."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from components.linear_baseline.classifier import NbLogisticRegression, log_count_ratio

SENTENCES = ["good", "very good", "dull", "very dull"]
LABEL_IDS = np.array([1, 1, 0, 0])


def test_log_count_ratio_by_hand():
    # Columns: good, dull, very. In the class 2, 0 and 1 and one more each, so 3, 1 and 2 of 6;
    # outside 0, 1 and 0, so 1, 2 and 1 of 4.
    ngrams = csr_matrix([[1, 0, 1], [1, 0, 0], [0, 1, 0]])
    ratio = log_count_ratio(ngrams, np.array([True, True, False]))
    assert ratio == pytest.approx(np.log([(3 / 6) / (1 / 4), (1 / 6) / (2 / 4), (2 / 6) / (1 / 4)]))


def test_two_classes():
    classifier = NbLogisticRegression().fit(SENTENCES, LABEL_IDS)
    assert classifier.predict(["dull", "so good", "a very dull day"]).tolist() == [0, 1, 0]
    assert classifier.ngrams == 5  # very, good, dull, "very good", "very dull"


def test_weights_of_two_classes_are_one_model():
    classifier = NbLogisticRegression().fit(SENTENCES, LABEL_IDS)
    assert not classifier._weights[:, 0].any()
    vocabulary = classifier._vectorizer.vocabulary_
    weights = classifier._weights[:, 1]
    assert weights[vocabulary["good"]] == pytest.approx(-weights[vocabulary["dull"]], abs=1e-3)
    assert weights[vocabulary["very"]] == pytest.approx(0, abs=1e-3)


def test_the_order_of_words_counts():
    sentences = ["not good but dull", "good not dull"] * 3
    classifier = NbLogisticRegression().fit(sentences, np.array([0, 1] * 3))
    assert classifier.predict(["not good", "good not"]).tolist() == [0, 1]


def test_many_classes_not_all_of_which_occur():
    words = [f"word{label_id}" for label_id in range(12)]
    label_ids = np.array([label_id for label_id in range(12) if label_id != 3] * 3)
    sentences = [f"some {words[label_id]} here" for label_id in label_ids]
    classifier = NbLogisticRegression().fit(sentences, label_ids)
    expected = [label_id for label_id in range(12) if label_id != 3]
    assert classifier.predict([words[label_id] for label_id in expected]).tolist() == expected
    assert classifier.predict(["word3"])[0] != 3


def test_one_class_is_always_the_answer():
    classifier = NbLogisticRegression().fit(["a b", "c"], np.array([2, 2]))
    assert classifier.predict(["a", "z", ""]).tolist() == [2, 2, 2]


def test_the_same_every_time():
    random = np.random.default_rng(1)
    sentences = [" ".join(random.choice(list("abcdefgh"), 6)) for _ in range(200)]
    label_ids = random.integers(0, 3, 200)
    first, second = (NbLogisticRegression().fit(sentences, label_ids) for _ in range(2))
    assert np.array_equal(first._weights, second._weights)
