"""The network: embedding -> LSTM -> pooling -> dense, from token ids to logits."""

from typing import Literal

import keras
import tensorflow as tf
from keras import layers, ops

from components.recurrence import FastLSTM
from components.settings import ModelSettings
from schema import features

EMBEDDING = "embedding"  # name of the layer


def build_model(
    settings: ModelSettings,
    vocabulary_size: int,
    classes: int,
    fixed_words: int = 0,
    use_cudnn: bool | Literal["auto"] = "auto",
    dtype: str = "float32",
) -> keras.Model:
    """Builds the classifier, untrained.

    Args:
        settings: sizes, pooling and dropout.
        vocabulary_size: number of ids, the reserved ones included.
        classes: number of classes.
        fixed_words: how many of the last ids have an embedding that is not trained, because
            training never sees them.
        use_cudnn: "auto", for training, takes the cuDNN kernel where a GPU is visible, and a faster
            loop where there is none; False takes Keras's own, which is what a model needs that must
            load without a GPU.
        dtype: Keras dtype policy, "float32" or "mixed_float16"; the logits are float32 in both.

    Returns:
        A model from `ids` int64 [batch, length], padded on the right with 0 and with at least one
        token a row, to logits float32 [batch, classes]. Any length will do.
    """
    ids = keras.Input((None,), dtype="int64", name=features.IDS)  # [batch, length]
    real = ops.not_equal(ids, features.PADDING_ID)  # bool [batch, length]
    embedding = WordEmbedding(
        vocabulary_size, settings.embedding_dim, fixed_words, dtype=dtype, name=EMBEDDING
    )
    known = WordDropout(settings.word_dropout, name="word_dropout")(ids)  # [batch, length]
    x = embedding(known)  # [batch, length, embedding_dim]
    x = layers.Dropout(settings.embedding_dropout, dtype=dtype, name="embedding_dropout")(x)
    lstm = _lstm_class(use_cudnn)(
        settings.units,
        return_sequences=settings.pooling != "last",
        use_cudnn=use_cudnn,
        dtype=dtype,
        name="lstm",
    )
    if settings.bidirectional:
        lstm = layers.Bidirectional(lstm, dtype=dtype, name="bidirectional")
    x = lstm(x, mask=real)  # [batch, length, features]; pooling "last": [batch, features]
    if settings.pooling != "last":
        x = pool(x, real, settings.pooling)  # [batch, features]
    x = layers.Dropout(settings.output_dropout, dtype=dtype, name="output_dropout")(x)
    dense = layers.Dense(
        classes,
        kernel_initializer=_DENSE_INITIALIZERS[settings.dense_initializer](),
        bias_initializer=keras.initializers.Constant(settings.dense_bias),
        dtype="float32",
        name="dense",
    )
    return keras.Model(ids, dense(x), name="classifier")  # [batch, classes]


def _lstm_class(use_cudnn: bool | Literal["auto"]) -> type[layers.LSTM]:
    if use_cudnn == "auto" and not tf.config.list_logical_devices("GPU"):
        return FastLSTM
    return layers.LSTM


class WordEmbedding(layers.Layer):
    """Looks words up in two tables: one is trained, the other is for ids that training lacks.

    The second one, which may be much larger, needs no state of the optimizer.

    Args:
      words: number of ids.
      dimension: of the vectors.
      fixed: how many of the last ids are in the second table.

    Input: ids int64 [batch, length]. Output: float [batch, length, dimension].
    """

    def __init__(self, words: int, dimension: int, fixed: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.trained = self.add_weight(
            (words - fixed, dimension), "uniform", autocast=False, name="trained"
        )
        self.fixed = self.add_weight((fixed, dimension), "zeros", trainable=False, name="fixed")
        self.open = self.add_weight((), "ones", trainable=False, name="open")

    def start_from(self, table) -> None:
        """Sets both tables.

        Args:
          table: float32 [words, dimension].
        """
        trained = self.trained.shape[0]
        self.trained.assign(table[:trained])
        self.fixed.assign(table[trained:])

    def let_gradients_pass(self, wanted: bool) -> None:
        """Whether training changes the first table; where no gradient comes, Adam changes nothing.

        A layer's `trainable` is fixed when the model is compiled.
        """
        self.open.assign(float(wanted))

    def call(self, ids):
        # TensorFlow's gather, of the variable: after an update of rows a read copies all of it.
        rows = ops.minimum(ids, self.trained.shape[0] - 1)
        first = ops.cast(tf.gather(self.trained.value, rows), self.compute_dtype)
        first = first * self.open + ops.stop_gradient(first) * (1 - self.open)
        if not self.fixed.shape[0]:
            return first
        second = ops.take(self.fixed, ops.maximum(ids - self.trained.shape[0], 0), axis=0)
        return ops.where(ops.expand_dims(ids < self.trained.shape[0], -1), first, second)


class WordDropout(layers.Layer):
    """In training, replaces tokens by the unknown one, so that it comes to mean "some word".

    Without it the unknown token's embedding is never trained where every training word is known.
    Source: Iyyer et al., "Deep Unordered Composition Rivals Syntactic Methods for Text
    Classification", ACL 2015.

    Args:
      rate: share of tokens that are replaced; padding never is.

    Input and output: ids int64 [batch, length].
    """

    def __init__(self, rate: float, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, ids, training=False):
        if not training or not self.rate:
            return ids
        chosen = keras.random.uniform(ops.shape(ids), seed=self.seed_generator) < self.rate
        replaced = ops.logical_and(chosen, ops.not_equal(ids, features.PADDING_ID))
        return ops.where(replaced, ops.cast(features.UNKNOWN_ID, ids.dtype), ids)


_DENSE_INITIALIZERS = {
    "glorot_uniform": keras.initializers.GlorotUniform,
    # The defaults of TensorFlow 1's tf.truncated_normal, which the article uses.
    "truncated_normal": lambda: keras.initializers.TruncatedNormal(mean=0.0, stddev=1.0),
}


def pool(states, real, pooling: Literal["max", "mean"]):
    """Reduces states [batch, length, features] to [batch, features].

    Args:
      states: float [batch, length, features], each in (-1, 1) as an LSTM gives them.
      real: bool [batch, length], false where there is padding; true at least once in each row.
      pooling: the largest or the mean state of the real tokens, feature by feature.
    """
    weights = ops.cast(ops.expand_dims(real, -1), states.dtype)  # [batch, length, 1]
    if pooling == "mean":
        return ops.sum(states * weights, axis=1) / ops.sum(weights, axis=1)
    # An LSTM's state lies in (-1, 1): at -1 or below no padding wins.
    return ops.max(states * weights - (1 - weights), axis=1)
