"""Transform: sentences to padded token ids, labels to class numbers, as one graph."""

from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from components.settings import TextSettings
from components.text import tokenize
from schema import features


def preprocessing_fn(
    inputs: dict[str, tf.Tensor], custom_config: dict[str, Any]
) -> dict[str, tf.Tensor]:
    """TFX Transform calls this by its import path.

    The vocabulary is that of the word vectors if there are any, else `corpus_vocabulary`.

    Args:
        inputs: `features.TEXT` and `features.LABEL`, both string [batch].
        custom_config: "text": TextSettings as a dict; "labels": the classes in the model's order.
            "word_vectors": folder of a SelectedVectors artifact, if there is one. Other keys are
            only part of the cache key.

    Returns:
        `features.IDS`: int64 [batch, max_length], see `to_ids`;
        `features.LABEL_ID`: int64 [batch], see `to_label_id`.
    """
    settings = TextSettings.model_validate(custom_config["text"])
    tokens = tokenize(inputs[features.TEXT], settings.lowercase, settings.split_hyphens)
    if word_vectors := custom_config.get(features.WORD_VECTORS):
        vocabulary = f"{word_vectors}/{features.VOCABULARY}"
        tft.annotate_asset(features.VOCABULARY, features.VOCABULARY)
    else:
        vocabulary = corpus_vocabulary(tokens, settings)
    return {
        features.IDS: to_ids(tokens, vocabulary, settings.max_length),
        features.LABEL_ID: to_label_id(inputs[features.LABEL], custom_config["labels"]),
    }


def corpus_vocabulary(tokens: tf.RaggedTensor, settings: TextSettings) -> tf.Tensor:
    """The tokens that occur at least `min_count` times, the `vocab_size` most frequent of them.

    Args:
        tokens: string [batch, (tokens)], of the train split.
        settings: the bounds.

    Returns:
        string [], path of a file with a token a line, the most frequent first; equally frequent
        ones stand in reverse byte order.
    """
    return tft.vocabulary(
        tokens,
        top_k=settings.vocab_size,
        frequency_threshold=settings.min_count,
        vocab_filename=features.VOCABULARY,
    )


def to_ids(tokens: tf.RaggedTensor, vocabulary: tf.Tensor | str, max_length: int) -> tf.Tensor:
    """Looks tokens up.

    Args:
        tokens: string [batch, (tokens)].
        vocabulary: string, path of a file with a token a line.
        max_length: where rows are cut, and up to where they are padded.

    Returns:
        int64 [batch, max_length]: `PADDING_ID` on the right, `UNKNOWN_ID` for a token that is not
        in the vocabulary, else its line + `RESERVED_IDS`. A row without tokens has one unknown:
        an LSTM must not get a row that is all padding.
    """
    lines = tft.apply_vocabulary(
        tokens[:, :max_length],
        vocabulary,
        default_value=features.UNKNOWN_ID - features.RESERVED_IDS,
    )
    ids = (lines + features.RESERVED_IDS).to_tensor(
        features.PADDING_ID, shape=[None, max_length]
    )  # [batch, max_length]
    first = tf.maximum(ids[:, :1], features.UNKNOWN_ID)
    return tf.concat([first, ids[:, 1:]], axis=1)


def to_label_id(label: tf.Tensor, labels: list[str]) -> tf.Tensor:
    """Numbers labels.

    Args:
        label: string [batch].
        labels: the classes.

    Returns:
        int64 [batch]: the label's position in `labels`, -1 for one that is not among them.
    """
    matches = tf.equal(label[:, tf.newaxis], tf.constant(labels))  # [batch, classes]
    return tf.where(tf.reduce_any(matches, axis=1), tf.argmax(matches, axis=1), -1)
