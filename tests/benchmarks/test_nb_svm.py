"""NB-SVM: its weights on a handful of sentences, and that it learns."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from benchmarks.nb_svm import NaiveBayesWeights, nb_svm_accuracy
from components.settings import TextSettings


def test_log_count_ratio():
    # Class 1 has the features 0 and 1, class 0 has 1 and 2 twice; every count starts at 1.
    counts = csr_matrix([[1, 1, 0], [0, 1, 1], [0, 1, 1]])
    model = NaiveBayesWeights(beta=1).fit(counts, ["b", "a", "a"])
    p, q = np.array([2, 2, 1]) / 5, np.array([1, 3, 3]) / 7
    np.testing.assert_allclose(model.ratio_, np.log(p / q))


def test_beta_0_leaves_naive_bayes():
    counts = csr_matrix([[1, 1, 0], [0, 1, 1], [0, 1, 1]])
    model = NaiveBayesWeights(beta=0).fit(counts, [1, 0, 0])
    assert len(set(model.weights_.tolist())) == 1


@pytest.mark.parametrize("labels", [["bad", "good"], ["bad", "good", "so-so"]])
@pytest.mark.parametrize("beta", [0.25, 1.0])
def test_learns_and_tells_words_apart_by_their_neighbours(labels, beta):
    words = {"bad": "not good", "good": "very good", "so-so": "fairly good"}
    texts = [f"The film {i} is {words[label]}." for i in range(10) for label in labels]
    asked = [f"A play: {words[label]}!" for label in labels]
    accuracy = nb_svm_accuracy((texts, labels * 10), (asked, labels), TextSettings(), beta)
    assert accuracy == 1.0
