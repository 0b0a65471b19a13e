"""What Prometheus reads, under TensorFlow Serving's names where it has them, in its units."""

from collections.abc import Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from components.serving.request_log import RequestLog
from components.serving.versions import ModelVersions

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
REST, GRPC = "REST", "GRPC"

_MICROSECONDS = [500 * 2**power for power in range(16)]  # 0.5 ms to 16 s
_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
_SECONDS = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10]


class Metrics:
    """The metrics of one server.

    Args:
      versions: whose states are shown.
      request_log: whose lost lines are counted; None: nothing is logged.
    """

    def __init__(self, versions: ModelVersions, request_log: RequestLog | None = None) -> None:
        self._registry = CollectorRegistry()
        self._model_name = versions.name
        self._requests = _RequestCount(versions.name)
        self._registry.register(self._requests)
        self._registry.register(_VersionStates(versions))
        if request_log is not None:
            self._registry.register(_LostLines(request_log))
        latency = Histogram(
            ":tensorflow:serving:request_latency",
            "Microseconds to answer a request",
            ["model_name", "API", "entrypoint"],
            buckets=_MICROSECONDS,
            registry=self._registry,
        )
        self._latency = {
            entrypoint: latency.labels(versions.name, "predict", entrypoint)
            for entrypoint in (REST, GRPC)
        }
        self._sentences = Counter(
            "sentiflow_sentences", "Sentences classified", registry=self._registry
        )
        self._batch_size = Histogram(
            "sentiflow_batch_size",
            "Sentences in a call of the model",
            buckets=_SIZES,
            registry=self._registry,
        )
        self._wait = Histogram(
            "sentiflow_queue_seconds",
            "Time that requests wait for a batch",
            buckets=_SECONDS,
            registry=self._registry,
        )

    def observe_answer(self, entrypoint: str, seconds: float, sentences: int) -> None:
        """Counts a request that was answered."""
        self._requests.add("OK")
        self._latency[entrypoint].observe(seconds * 1e6)
        self._sentences.inc(sentences)

    def observe_error(self, code: str) -> None:
        """Counts a request that was not, by its gRPC status code."""
        self._requests.add(code)

    def observe_batch(self, size: int, waits: Sequence[float]) -> None:
        """Counts a batch, and how long each of its requests has waited, in seconds."""
        self._batch_size.observe(size)
        for seconds in waits:
            self._wait.observe(seconds)

    def page(self) -> bytes:
        """All of it in Prometheus's text format."""
        return generate_latest(self._registry)


class _RequestCount(Collector):
    """A counter by TensorFlow Serving's name, which lacks the `_total` of the client library's."""

    def __init__(self, model_name: str) -> None:
        self._model_name = model_name
        self._counts: dict[str, int] = {}

    def add(self, status: str) -> None:
        self._counts[status] = self._counts.get(status, 0) + 1

    def collect(self) -> Iterator[Metric]:
        name = ":tensorflow:serving:request_count"
        metric = Metric(name, "Requests by status", "untyped")
        for status, count in self._counts.items():
            metric.add_sample(name, {"model_name": self._model_name, "status": status}, count)
        yield metric


class _LostLines(Collector):
    """What the request log lacks."""

    def __init__(self, request_log: RequestLog) -> None:
        self._request_log = request_log

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "sentiflow_request_log_lost_lines",
            "Requests whose line could not be written",
            self._request_log.lost,
        )


class _VersionStates(Collector):
    """Which versions are known, in which state, and which labels answer."""

    def __init__(self, versions: ModelVersions) -> None:
        self._versions = versions

    def collect(self) -> Iterable[Metric]:
        states = GaugeMetricFamily(
            "sentiflow_version_state",
            "1 for the state that a version is in",
            labels=["model_name", "version", "state"],
        )
        for status in self._versions.known:
            states.add_metric([self._versions.name, str(status.version), status.state.value], 1)
        labels = GaugeMetricFamily(
            "sentiflow_label_version", "The version behind a label", labels=["model_name", "label"]
        )
        for label, version in self._versions.labels.items():
            labels.add_metric([self._versions.name, label], version)
        queued = GaugeMetricFamily("sentiflow_queued_sentences", "Sentences that wait for a batch")
        queued.add_metric([], sum(loaded.batcher.queued for loaded in self._versions.loaded))
        return [states, labels, queued]
