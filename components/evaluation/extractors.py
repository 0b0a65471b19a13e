"""What TFMA runs on the raw examples; TFX finds `custom_extractors` by the path of this module.

TFMA turns string labels into class ids only by a vocabulary that is among the model's outputs. Here
the class order comes from the eval config and from the model's own info file instead, so that the
exported model needs nothing but its serving contract.
"""

import functools
import json
import os
from collections.abc import Mapping, Sequence

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.extractors import (
    extractor,
    features_extractor,
    predictions_extractor,
    slice_key_extractor,
    unbatch_extractor,
)
from tensorflow_model_analysis.proto import config_pb2

from components.evaluation.slices import SLICE, label_slice, length_slice, parse_slice_names
from schema import features


def custom_extractors(
    eval_shared_model: tfma.EvalSharedModel | list[tfma.EvalSharedModel],
    eval_config: config_pb2.EvalConfig,
    tensor_adapter_config: object,
) -> list[extractor.Extractor]:
    """Raw examples -> predictions of all models -> class ids, probabilities and slices, per row."""
    del tensor_adapter_config  # raw text and label need no schema
    models = eval_shared_model if isinstance(eval_shared_model, list) else [eval_shared_model]
    specs = [spec for spec in eval_config.slicing_specs if spec.feature_values]
    labels, upper_ends = parse_slice_names(spec.feature_values[SLICE] for spec in specs)
    to_rows = functools.partial(
        to_scored_rows,
        labels=labels,
        upper_ends=upper_ends,
        model_labels={model.model_name: read_labels(model.model_path) for model in models},
    )
    return [
        features_extractor.FeaturesExtractor(eval_config=eval_config),
        predictions_extractor.PredictionsExtractor(
            eval_config=eval_config, eval_shared_model=eval_shared_model
        ),
        extractor.Extractor(stage_name="ScoredRows", ptransform=beam.Map(to_rows)),
        unbatch_extractor.UnbatchExtractor(),
        slice_key_extractor.SliceKeyExtractor(eval_config=eval_config, materialize=False),
    ]


def read_labels(model_path: str) -> list[str]:
    """The classes of an exported model, in the order of its probabilities."""
    with tf.io.gfile.GFile(os.path.join(model_path, features.MODEL_INFO)) as file:
        return json.load(file)["labels"]


def to_scored_rows(
    extracts: Mapping,
    labels: Sequence[str],
    upper_ends: Sequence[int],
    model_labels: Mapping[str, Sequence[str]],
) -> dict:
    """Turns a batch of features and predictions into what metrics and slices need, and no more.

    Args:
      extracts: `features` with `text` and `label`, bytes [batch] or [batch, 1]; `predictions` with
        `probabilities`, float32 [batch, classes of the model], by model name if there are several.
      labels: the classes, in the order of the configuration.
      upper_ends: of the length slices, in tokens.
      model_labels: each model's classes by the model's name.

    Returns:
      `labels`: int64 [batch]; `predictions`: float32 [batch, classes], by model name if there are
      several, in the order of `labels`; `features`: `slice`, bytes [batch, 2], and `text`, bytes
      [batch, 1].

    Raises:
      ValueError: a row's label is none of `labels`.
    """
    raw = extracts[tfma.FEATURES_KEY]
    texts = [text.decode() for text in np.ravel(raw[features.TEXT])]
    row_labels = [label.decode() for label in np.ravel(raw[features.LABEL])]
    ids = np.array([labels.index(label) for label in row_labels], np.int64)
    slices = [
        (label_slice(label).encode(), length_slice(text, upper_ends).encode())
        for label, text in zip(row_labels, texts, strict=True)
    ]
    predictions = extracts[tfma.PREDICTIONS_KEY]
    if len(model_labels) == 1:
        predictions = {name: predictions for name in model_labels}
    probabilities = {
        name: reorder(predictions[name][features.PROBABILITIES], own_labels, labels)
        for name, own_labels in model_labels.items()
    }
    only_one = len(probabilities) == 1
    return {
        tfma.LABELS_KEY: ids,
        tfma.PREDICTIONS_KEY: next(iter(probabilities.values())) if only_one else probabilities,
        tfma.FEATURES_KEY: {
            SLICE: np.array(slices, object),
            features.TEXT: np.reshape(raw[features.TEXT], [-1, 1]),
        },
    }


def reorder(
    probabilities: np.ndarray, own_labels: Sequence[str], labels: Sequence[str]
) -> np.ndarray:
    """Columns of `own_labels` in the order of `labels`.

    A blessed model may be older than today's `data.labels`: for a class that it does not know it
    gives 0. So does a model that diverged, for all: a prediction of NaN is none.

    Args:
      probabilities: float32 [batch, len(own_labels)].

    Returns:
      float32 [batch, len(labels)].
    """
    result = np.zeros((len(probabilities), len(labels)), np.float32)
    for column, label in enumerate(labels):
        if label in own_labels:
            result[:, column] = probabilities[:, own_labels.index(label)]
    return np.nan_to_num(result, nan=0.0)
