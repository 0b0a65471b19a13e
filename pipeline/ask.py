"""`sentiflow predict`: which model is asked, and how its answers are shown."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from components.errors import DataRefused, UsageError
from components.serving.client import DEFAULT_OPTIONS, ClientOptions, Prediction, RestPredictor
from components.serving.lean_tensorflow import import_tensorflow
from components.serving.predict import LocalPredictor, Predictor, predict_file
from pipeline.config import Config
from pipeline.console import silent_stderr
from pipeline.outputs import keep_foreign
from pipeline.pushed import find_model, model_in

ANSWER_KEYS = ({"text", "label", "probabilities"}, {"text", "error", "record"})


@contextlib.contextmanager
def predictor(
    config: Config,
    workdir: Path,
    model_dir: str | None = None,
    url: str | None = None,
    labels: Sequence[str] | None = None,
    options: ClientOptions = DEFAULT_OPTIONS,
) -> Iterator[Predictor]:
    """The model that is asked.

    Args:
      config: gives the model's name.
      workdir: the version that it serves is asked if neither of the following is given.
      model_dir: a SavedModel's folder.
      url: of a server, or of a model on it; REST, or gRPC by `grpc://`.
      labels: the classes, for a server that cannot tell them.
      options: for a server.

    Raises:
      UsageError: there is no such model.
    """
    name = config.serving.model_name
    if url and url.startswith("grpc"):
        with silent_stderr():
            import_tensorflow()
            from components.serving.grpc_client import GrpcPredictor
        with GrpcPredictor(url, labels, model_name=name, options=options) as over_grpc:
            yield over_grpc
    elif url:
        with RestPredictor(url, labels, model_name=name, options=options) as over_rest:
            yield over_rest
    else:
        model = model_in(Path(model_dir)) if model_dir else find_model(workdir / "serving", name)
        with silent_stderr():
            import_tensorflow()
            local = LocalPredictor(model.folder)
        yield local


def about_sentences(ask: Predictor, sentences: Sequence[str], as_json: bool) -> str:
    """The answers to sentences: a line each, as JSON or for a person."""
    show = _json_line if as_json else _readable_line
    return "\n".join(show(prediction) for prediction in ask(sentences))


def about_file(ask: Predictor, input_file: str, output_file: str, config: Config) -> str:
    """Writes the answers to a file's sentences; returns what there is to say of it.

    Raises:
      UsageError: the output cannot be written, or would take a file that is none of these.
      DataRefused: the file as a whole cannot be read, or too many of its records, in which case
        the output is written all the same.
    """
    if Path(output_file).suffix in (".csv", ".tsv", ".parquet", ".gz"):
        raise UsageError(f"{output_file}: what is written is JSON lines: name it ….jsonl")
    keep_foreign(Path(output_file), _is_answer, "file of answers")
    # On stderr, and only where that is a terminal.
    with tqdm(unit=" sentences", disable=None, leave=False) as bar:
        counts = predict_file(
            ask, input_file, output_file, config.data.settings(), progress=bar.update
        )
    unread = ""
    if rejected := counts.rejected.total():
        reasons = ", ".join(f"{n:,} {reason}" for reason, n in counts.rejected.most_common(3))
        unread = f", {rejected:,} of {counts.rows:,} records could not be read ({reasons})"
    said = f"{counts.rows - rejected:,} sentences predicted{unread}: {output_file}"
    if rejected > config.data.max_reject_fraction * counts.rows:
        limit = config.data.max_reject_fraction
        raise DataRefused(f"{said}; data.max_reject_fraction is {limit}")
    return said


def _is_answer(line: bytes) -> bool:
    """Whether a line is one that `about_file` writes."""
    try:
        return json.loads(line).keys() in ANSWER_KEYS
    except (ValueError, AttributeError):
        return False


def _json_line(prediction: Prediction) -> str:
    return json.dumps(asdict(prediction), ensure_ascii=False)


def _readable_line(prediction: Prediction) -> str:
    probability = prediction.probabilities[prediction.label]
    return f"{prediction.label}\t{probability:.3f}\t{prediction.text}"
