"""NB-SVM, the linear model that a small LSTM has to beat."""

from collections.abc import Sequence

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline

from components.settings import TextSettings


class NaiveBayesWeights(ClassifierMixin, BaseEstimator):
    """Two classes: a linear model on features weighted by their naive Bayes log-count ratio.

    Source: Wang & Manning, "Baselines and Bigrams: Simple, Good Sentiment and Topic
    Classification", ACL 2012. With logistic regression in the place of the SVM, as many do: on
    these data, at C = 1, it is the stronger of the two, and a rival should be.

    Args:
      beta: how much of the fitted weights is taken; the rest is their mean magnitude, which leaves
        naive Bayes. The paper takes 0.25; 1 takes the fitted weights alone.
    """

    def __init__(self, beta: float = 0.25):
        self.beta = beta

    def fit(self, counts, classes):
        """Fits on binary counts, sparse [rows, n-grams], and the classes of the rows."""
        classes = np.asarray(classes)
        self.classes_ = np.unique(classes)
        last = classes == self.classes_[-1]
        p, q = (1 + np.asarray(counts[rows].sum(axis=0))[0] for rows in (last, ~last))
        self.ratio_ = np.log((p / p.sum()) / (q / q.sum()))
        linear = LogisticRegression(max_iter=1000).fit(counts.multiply(self.ratio_), last)
        weights = linear.coef_[0]
        self.weights_ = (1 - self.beta) * np.abs(weights).mean() + self.beta * weights
        self.bias_ = linear.intercept_[0]
        return self

    def decision_function(self, counts):
        """Positive for the last class: float [rows]."""
        return counts.multiply(self.ratio_) @ self.weights_ + self.bias_

    def predict(self, counts):
        """The classes, [rows]."""
        return self.classes_[(self.decision_function(counts) > 0).astype(int)]


def tokens_of(texts: Sequence[str], settings: TextSettings) -> list[list[str]]:
    """The LSTM's own tokens, so that both models read the same."""
    import tensorflow as tf

    from components.text import tokenize

    tokens = tokenize(tf.constant(list(texts)), settings.lowercase, settings.split_hyphens)
    return [[token.decode() for token in row] for row in tokens.to_list()]


def nb_svm_accuracy(
    train: tuple[Sequence[str], Sequence[str]],
    evaluation: tuple[Sequence[str], Sequence[str]],
    settings: TextSettings,
    beta: float,
) -> float:
    """Share of right answers on the second of two (texts, labels), after fitting on the first."""
    model = Pipeline(
        [
            ("bigrams", CountVectorizer(analyzer=_uni_and_bigrams, binary=True)),
            ("nb_svm", OneVsRestClassifier(NaiveBayesWeights(beta))),
        ]
    )
    model.fit(tokens_of(train[0], settings), train[1])
    return model.score(tokens_of(evaluation[0], settings), evaluation[1])


def _uni_and_bigrams(tokens: list[str]) -> list[str]:
    return tokens + [" ".join(pair) for pair in zip(tokens, tokens[1:], strict=False)]
