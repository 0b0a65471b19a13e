"""The linear baseline: n-grams, weighted by naive Bayes, and logistic regression."""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

LONGEST_NGRAM = 2  # words
MAX_NGRAMS = 200_000  # the most frequent ones; bounds the memory, of the weights above all
SMOOTHING = 1.0  # added to the count of each n-gram in each class
INVERSE_REGULARISATION = 1.0
SEED = 1  # of the solver


class NbLogisticRegression:
    """NB-SVM with logistic regression in the SVM's place.

    An n-gram that a sentence holds counts as the log-ratio of its frequency in the class to that in
    all other classes. Each class has a model of its own, against the rest; of two classes, one.

    Source: Wang and Manning, "Baselines and Bigrams: Simple, Good Sentiment and Topic
    Classification", ACL 2012.
    """

    def fit(self, sentences: Sequence[str], label_ids: np.ndarray) -> "NbLogisticRegression":
        """Trains; the result depends on nothing but the arguments.

        Args:
          sentences: tokens joined by blanks; at least one token in all of them.
          label_ids: int64 [sentences]. A class without a sentence is never predicted.
        """
        self._vectorizer = CountVectorizer(
            tokenizer=str.split,
            token_pattern=None,
            lowercase=False,
            ngram_range=(1, LONGEST_NGRAM),
            max_features=MAX_NGRAMS,
            binary=True,
        )
        ngrams = self._vectorizer.fit_transform(sentences)  # int64 [sentences, n-grams]
        self._classes = np.unique(label_ids)
        # With two classes the first scores 0: a positive score of the second is enough to win.
        scored = self._classes if len(self._classes) > 2 else self._classes[1:]
        self._weights = np.zeros((ngrams.shape[1], len(self._classes)))
        self._bias = np.zeros(len(self._classes))
        for label_id in scored:
            column = np.searchsorted(self._classes, label_id)
            weights, bias = _fit_one(ngrams, label_ids == label_id)
            self._weights[:, column], self._bias[column] = weights, bias
        return self

    def predict(self, sentences: Sequence[str]) -> np.ndarray:
        """The likeliest class of each sentence: int64 [sentences]."""
        scores = self._vectorizer.transform(sentences) @ self._weights + self._bias
        return self._classes[scores.argmax(axis=1)]

    @property
    def ngrams(self) -> int:
        """The number of n-grams that have a weight."""
        return self._weights.shape[0]


def _fit_one(ngrams: csr_matrix, in_class: np.ndarray) -> tuple[np.ndarray, float]:
    """One class against the rest: weights float64 [n-grams] and bias."""
    ratio = log_count_ratio(ngrams, in_class)
    solver = LogisticRegression(
        C=INVERSE_REGULARISATION, solver="liblinear", dual=True, max_iter=1000, random_state=SEED
    )
    solver.fit(ngrams.multiply(ratio).tocsr(), in_class)
    return ratio * solver.coef_[0], float(solver.intercept_[0])


def log_count_ratio(ngrams: csr_matrix, in_class: np.ndarray) -> np.ndarray:
    """log of (frequency in the class / frequency in the others), smoothed.

    Args:
      ngrams: [sentences, n-grams], 1 where a sentence holds an n-gram, else 0.
      in_class: bool [sentences].

    Returns:
      float64 [n-grams].
    """
    counts = [
        SMOOTHING + np.asarray(ngrams[rows].sum(axis=0)).ravel() for rows in (in_class, ~in_class)
    ]
    inside, outside = (count / count.sum() for count in counts)
    return np.log(inside / outside)
