"""A REST client for TensorFlow Serving and for this project's own server; no TensorFlow in here.

TensorFlow Serving answers probabilities as a list and cannot say which class each belongs to. This
project's server can (`GET <model>/classes`); for another one the labels have to be given.
"""

import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import tenacity

from components.errors import SentiflowError, UsageError
from components.serving.settings import ServingSettings
from schema import features

LOOPBACK = ("localhost", "127.0.0.1", "::1")
DEFAULT_MODEL_NAME = ServingSettings().model_name


@dataclass(frozen=True)
class Prediction:
    """What a model says to a sentence."""

    text: str
    label: str
    probabilities: dict[str, float]  # by label, in the model's order


class ServerFailed(SentiflowError):
    """The server is not there, did not answer in time, or answered that it could not (HTTP 5xx)."""


class ServerBusy(ServerFailed):
    """The server cannot answer at the moment (HTTP 503): what is asked again after a while."""


@dataclass(frozen=True)
class ClientOptions:
    """How a server is asked.

    Attributes:
      timeout_seconds: for connecting, and for the answer to each request.
      batch_size: sentences in one request.
      attempts: how often a request is sent while the server is busy (503, UNAVAILABLE).
      first_pause_seconds: before the second attempt; doubles with each.
      token: bearer token.
      ca_certificate: PEM file of who signed the server's certificate; None: the system's.
    """

    timeout_seconds: float = 10.0
    batch_size: int = 128
    attempts: int = 5
    first_pause_seconds: float = 0.2
    token: str | None = None
    ca_certificate: Path | None = None


DEFAULT_OPTIONS = ClientOptions()


class RestPredictor:
    """Asks one model of a server; the connection stays open between calls.

    Args:
      url: the model, `http://host:8501/v1/models/sentiment` or `…/versions/3`; or only the server,
        `http://host:8501`, whose model `model_name` is then asked.
      labels: the classes in the model's order; None: the server is asked for them.
      model_name: used where the URL has no `/v1/models/…`.
      options: time-out, retries, batches, token.
      transport: stands in for the network in tests.

    Raises:
      UsageError: the URL is none, or the certificate cannot be read.
    """

    def __init__(
        self,
        url: str,
        labels: Sequence[str] | None = None,
        *,
        model_name: str = DEFAULT_MODEL_NAME,
        options: ClientOptions = DEFAULT_OPTIONS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = model_url(url, model_name)
        self._labels = tuple(labels) if labels is not None else None
        self._options = options
        self._retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(ServerBusy),
            stop=tenacity.stop_after_attempt(options.attempts),
            wait=tenacity.wait_random_exponential(options.first_pause_seconds, max=10),
            reraise=True,
        )
        self._http = httpx.Client(
            timeout=options.timeout_seconds,
            # A proxy from the environment must not come between a client and its own machine.
            trust_env=httpx.URL(self.url).host not in LOOPBACK,
            headers={"Authorization": f"Bearer {options.token}"} if options.token else {},
            verify=_trusted(options.ca_certificate),
            transport=transport,
        )

    def __enter__(self) -> "RestPredictor":
        return self

    def __exit__(self, *exception: object) -> None:
        self._http.close()

    def __call__(self, sentences: Sequence[str]) -> list[Prediction]:
        """Classifies sentences, in their order.

        Raises:
          UsageError: it is no such server or model, the request was refused (4xx), or the labels
            are missing or are not the model's.
          ServerFailed: nobody is there, no answer in time, or a 5xx.
        """
        return [
            prediction
            for batch in batches_of(sentences, self._options.batch_size)
            for prediction in self._predict(batch)
        ]

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes in the model's order; the server is asked once where they were not given."""
        if self._labels is None:
            self._labels = self._ask_labels()
        return self._labels

    def _predict(self, sentences: Sequence[str]) -> list[Prediction]:
        response = self._retrying(self._post, {"instances": list(sentences)})
        rows = _field(self.url, response, "predictions")
        try:
            answers = [
                (row[features.LABEL], [float(p) for p in row[features.PROBABILITIES]])
                for row in rows
            ]
        except (TypeError, KeyError, ValueError):
            answers = []
        if len(answers) != len(sentences):
            raise UsageError(
                f"{self.url}: expected {len(sentences)} predictions with "
                f"'{features.LABEL}' and '{features.PROBABILITIES}': this is no sentiflow model"
            )
        return to_predictions(self.url, sentences, answers, self.labels)

    def _post(self, body: dict) -> httpx.Response:
        response = self._send("POST", ":predict", json=body)
        _raise_for_status(self.url, response)
        return response

    def _ask_labels(self) -> tuple[str, ...]:
        response = self._send("GET", "/classes")
        if (
            response.is_client_error
        ):  # what TensorFlow Serving, which knows no such request, answers
            raise UsageError(
                f"{self.url}: the server does not say which classes the model has; "
                "give them as data.labels in the configuration"
            )
        _raise_for_status(self.url, response)
        return tuple(_field(self.url, response, "labels"))

    def _send(self, method: str, path: str, **content: Any) -> httpx.Response:
        try:
            return self._http.request(method, self.url + path, **content)
        except httpx.TimeoutException as error:
            raise ServerFailed(f"{self.url}: no answer in time") from error
        except httpx.TransportError as error:
            raise ServerFailed(f"{self.url}: cannot be reached: {error}") from error


def predict_rest(url: str, sentences: Sequence[str]) -> list[Prediction]:
    """Classifies sentences over REST; `RestPredictor` says what the arguments and errors are."""
    with RestPredictor(url) as predictor:
        return predictor(sentences)


def batches_of(sentences: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Sentences, `size` at a time."""
    for start in range(0, len(sentences), size):
        yield sentences[start : start + size]


def to_predictions(
    url: str,
    sentences: Sequence[str],
    answers: Sequence[tuple[str, Sequence[float]]],
    labels: Sequence[str],
) -> list[Prediction]:
    """Puts sentences, answers (label and probabilities) and the names of the classes together.

    Raises:
      UsageError: the labels are not the model's.
    """
    predictions = []
    for text, (label, probabilities) in zip(sentences, answers, strict=True):
        by_label = dict(zip(labels, probabilities, strict=False))
        # The answered label is the likeliest one, which shows whether the labels are the model's.
        if len(labels) != len(probabilities) or by_label.get(label) != max(probabilities):
            raise UsageError(
                f"{url}: the model's classes are not {', '.join(labels)}: it answers "
                f"'{label}' with {len(probabilities)} probabilities; set data.labels as in training"
            )
        predictions.append(Prediction(text, label, by_label))
    return predictions


def read_certificate(path: Path) -> bytes:
    """A PEM file; raises UsageError where it is none."""
    try:
        content = path.read_bytes()
        ssl.create_default_context(cadata=content.decode("ascii"))
    except (OSError, ssl.SSLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: expected a PEM certificate: {error}") from error
    return content


def model_url(url: str, model_name: str) -> str:
    """The address of a model: `url` itself, or the model `model_name` of the server at `url`.

    Raises:
      UsageError: it is no http(s) URL with a host.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise UsageError(f"not a URL: '{url}': {error}") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise UsageError(f"expected a URL like http://localhost:8501, got '{url}'")
    url = url.rstrip("/").removesuffix(":predict")
    return url if "/v1/models/" in url else f"{url}/v1/models/{model_name}"


def _raise_for_status(url: str, response: httpx.Response) -> None:
    if response.is_success:
        return
    try:
        reason = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        reason = response.reason_phrase
    message = " ".join(f"{url}: HTTP {response.status_code}: {reason}".split())
    if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        raise ServerBusy(message)
    raise ServerFailed(message) if response.is_server_error else UsageError(message)


def _trusted(ca_certificate: Path | None) -> ssl.SSLContext | bool:
    if ca_certificate is None:
        return True
    return ssl.create_default_context(cadata=read_certificate(ca_certificate).decode("ascii"))


def _field(url: str, response: httpx.Response, name: str) -> list:
    try:
        value = response.json()[name]
    except (ValueError, KeyError, TypeError):
        value = None
    if not isinstance(value, list):
        raise UsageError(f"{url}: the answer has no list '{name}': this is no model server")
    return value
