"""The settings of the server and of its log."""

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from components.settings import Fraction, Section


class RequestLogSettings(Section):
    """Questions and answers kept for monitoring; off unless a path is set."""

    path: str | None = Field(None, description="JSON lines file; null: nothing is logged")
    sample: Fraction = Field(1.0, description="share of the requests that is logged")
    max_bytes: PositiveInt = Field(100 * 2**20, description="before the file is rotated")
    files: PositiveInt = Field(5, description="rotated files that are kept besides the present one")


class ServingSettings(Section):
    """Names, batching and limits of the serving endpoint."""

    model_name: str = Field(
        "sentiment", pattern=r"^[A-Za-z0-9_-]+$", description="in requests, and of its folder"
    )
    max_batch_size: PositiveInt = Field(32, description="sentences in one call of the model")
    batch_timeout_ms: float = Field(
        5.0, ge=0, le=1000, description="how long a batch that is not full waits while others run"
    )
    threads: PositiveInt | None = Field(
        None, description="batches that run at a time; null: one for each CPU core"
    )
    max_queued_sentences: PositiveInt = Field(
        2048, description="waiting for a batch, per version; more are answered UNAVAILABLE (503)"
    )
    max_body_bytes: PositiveInt = Field(2 * 2**20, description="of a request, unpacked")
    max_sentences: PositiveInt = Field(1024, description="in one request")
    max_sentence_bytes: PositiveInt = Field(10_000, description="UTF-8 bytes")
    request_timeout: PositiveFloat = Field(30.0, description="seconds until a request is given up")
    poll_seconds: PositiveFloat = Field(2.0, description="between two looks for versions")
    request_log: RequestLogSettings = RequestLogSettings()

    @model_validator(mode="after")
    def _check(self) -> "ServingSettings":
        if self.max_sentences > self.max_queued_sentences:
            raise ValueError(
                f"max_sentences ({self.max_sentences}) must not be over max_queued_sentences "
                f"({self.max_queued_sentences}): such a request could never be answered"
            )
        return self
