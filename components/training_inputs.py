"""What the Trainer and the Tuner train on, from what TFX gives them."""

import tensorflow_transform as tft

from components.fitting import TrainingData
from components.word_vectors.embedding import Pretrained, load_pretrained
from schema import features


def training_data(fn_args) -> TrainingData:
    """Transform's examples.

    Args:
      fn_args: TFX's FnArgs; its `custom_config` holds the section `text`, and `labels`.
    """
    given = fn_args.custom_config
    transform_output = tft.TFTransformOutput(fn_args.transform_graph_path)
    tokens = transform_output.vocabulary_size_by_name(features.VOCABULARY)
    return TrainingData(
        train_files=fn_args.train_files,
        eval_files=fn_args.eval_files,
        max_length=given["text"]["max_length"],
        vocabulary_size=tokens + features.RESERVED_IDS,
        classes=len(given["labels"]),
    )


def pretrained_vectors(custom_config: dict) -> Pretrained | None:
    """The selected word vectors, if there are any.

    Args:
      custom_config: its `word_vectors` is the folder of the SelectedVectors artifact, if there is
        one; and it holds `fine_tune_after` and the section `train`.
    """
    if features.WORD_VECTORS not in custom_config:
        return None
    return load_pretrained(
        custom_config[features.WORD_VECTORS],
        custom_config["fine_tune_after"],
        custom_config["train"]["seed"],
    )
