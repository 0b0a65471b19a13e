"""Names of features, files, splits and signatures, and the reserved ids: each written once."""

# Raw examples: what SentenceExampleGen writes and the `examples` signature parses.
TEXT = "text"  # bytes, one value: the sentence, UTF-8
LABEL = "label"  # bytes, one value: one of `data.labels`

# Transformed examples: what Transform writes and the Trainer reads.
IDS = "ids"  # int64 [max_length]: token ids, padded on the right
LABEL_ID = "label_id"  # int64 []: position of the label in `data.labels`

PADDING_ID = 0
UNKNOWN_ID = 1
RESERVED_IDS = 2  # the vocabulary's first token has this id
VOCABULARY = "vocabulary"  # asset of the transform graph: a token a line, most frequent first
WORD_VECTORS = "word_vectors"  # the steps' input of this name, and its folder in custom_config

TRAIN, EVAL, TEST = "train", "eval", "test"
SPLITS = (TRAIN, EVAL, TEST)

# The exported model.
SERVING_SIGNATURE = "serving_default"  # text: string [batch] -> label, probabilities
EXAMPLES_SIGNATURE = "examples"  # examples: string [batch] -> label, probabilities
EXAMPLES = "examples"
PROBABILITIES = "probabilities"  # float32 [batch, classes], in the order of `data.labels`
MODEL_INFO = "assets.extra/sentiflow.json"  # {"labels": [...], "config": {...}}
REFERENCE_PROFILE = "assets.extra/reference_profile.json"  # TextProfile in components/drift
WARMUP_REQUESTS = "assets.extra/tf_serving_warmup_requests"
MODEL_CARD_MARKDOWN = "assets.extra/model_card.md"  # written by the Pusher, as the next
MODEL_CARD_JSON = "assets.extra/model_card.json"  # what docs/model-card.md describes

# Beside TensorBoard's logs, in the Trainer's ModelRun artifact.
HISTORY = "history.json"  # a list of Epoch in components/epochs.py
CALIBRATION = "calibration.json"  # what Calibration in components/calibration.py describes

# The Rejects artifact, and `rejects/` in the workdir.
REJECTS_PREFIX = "rejects"  # rejects-*.jsonl: {"file", "record", "reason", "detail", "raw"}
INGEST_SUMMARY = "summary.json"  # what IngestSummary in components/ingest describes
