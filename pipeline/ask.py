"""`sentiflow predict`: which model is asked, and how its answers are shown."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from components.errors import UsageError
from components.serving.client import DEFAULT_OPTIONS, ClientOptions, Prediction, RestPredictor
from components.serving.lean_tensorflow import import_tensorflow
from components.serving.model_root import find_versions
from components.serving.predict import LocalPredictor, Predictor, predict_file
from pipeline.config import Config
from pipeline.console import silent_stderr


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
      workdir: its newest pushed version is taken if neither of the following is given.
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
        folder = model_dir or newest_version(config, workdir)
        with silent_stderr():
            import_tensorflow()
            local = LocalPredictor(folder)
        yield local


def about_sentences(ask: Predictor, sentences: Sequence[str], as_json: bool) -> str:
    """The answers to sentences: a line each, as JSON or for a person."""
    show = _json_line if as_json else _readable_line
    return "\n".join(show(prediction) for prediction in ask(sentences))


def about_file(ask: Predictor, input_file: str, output_file: str, config: Config) -> str:
    """Writes the answers to a file's sentences; returns what there is to say of it."""
    # On stderr, and only where that is a terminal.
    with tqdm(unit=" sentences", disable=None, leave=False) as bar:
        counts = predict_file(
            ask, input_file, output_file, config.data.settings(), progress=bar.update
        )
    rejected = f", {counts.rejected:,} records could not be read" if counts.rejected else ""
    return f"{counts.predicted:,} sentences predicted{rejected}: {output_file}"


def newest_version(config: Config, workdir: Path) -> Path:
    """The folder of the workdir's newest pushed version; UsageError where there is none."""
    folder = workdir / "serving" / config.serving.model_name
    versions = find_versions(folder)
    if not versions:
        raise UsageError(f"{folder}: no pushed version; run `sentiflow run` or name a --model")
    return versions[max(versions)]


def _json_line(prediction: Prediction) -> str:
    return json.dumps(asdict(prediction), ensure_ascii=False)


def _readable_line(prediction: Prediction) -> str:
    probability = prediction.probabilities[prediction.label]
    return f"{prediction.label}\t{probability:.3f}\t{prediction.text}"
