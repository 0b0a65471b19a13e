"""The API server of Kubeflow Pipelines, over the client that kfp itself is built on.

Not `kfp.Client`: it prints links, sends whatever cookie and header stand in
`~/.config/kfp/context.json` to any host, falls back to the current kubeconfig context, logs
tracebacks while it retries, and waits for an answer without end. `kfp_server_api`, which it wraps,
does none of this and takes a time-out with each call.
"""

import json
import os
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import kfp_server_api
import urllib3

from components.errors import SentiflowError, UsageError

# As kfp.Client has it; KFP's API is plain HTTP inside of a cluster.
IN_CLUSTER_HOST = "http://ml-pipeline.kubeflow.svc.cluster.local:8888"
TIMEOUT = (10, 60)  # seconds to connect, and between two pieces of an answer
# urllib3's own three retries would wait four times as long for a server that says nothing.
RETRIES = urllib3.Retry(connect=1, read=0, status=0, redirect=3)
PAGE_SIZE = 100
# As kfp.client has them: the variable that names the file, and the file if nothing does.
PROJECTED_TOKEN = ("KF_PIPELINES_SA_TOKEN_PATH", "/var/run/secrets/kubeflow/pipelines/token")
MESSAGE_LENGTH = 300


class Unavailable(SentiflowError):
    """The API server cannot be reached or has trouble of its own; trying again may help."""


class Api:
    """The services that a submission needs.

    Attributes:
      host: URL without a slash at its end; the user interface's pages are below it.
      pipelines, uploads, experiments, runs, recurring_runs: kfp_server_api's services; call their
        methods through `call`.
    """

    def __init__(
        self, host: str | None = None, token_file: str | None = None, ca_cert: str | None = None
    ) -> None:
        """Checks that `host` is an API server which takes the token.

        Args:
          host: URL of the API server or of the user interface, which passes calls on; None: the
            server of the cluster in which this process runs.
          token_file: file with a bearer token, read for each call; None: no token, or with no host
            the one that Kubernetes projects for Kubeflow Pipelines, if there is one.
          ca_cert: file with the certificates to trust instead of the usual ones, PEM.

        Raises:
          UsageError: not a URL, another server, a refused token, or an unreadable file.
          Unavailable: no answer.
        """
        if host is None and token_file is None:
            token_file = _projected_token()
        self.host = _checked_host(host)
        self._token_file = token_file
        self._configuration = _configuration(self.host, token_file, ca_cert)
        self._client = kfp_server_api.ApiClient(self._configuration)
        self.pipelines = kfp_server_api.PipelineServiceApi(self._client)
        self.uploads = kfp_server_api.PipelineUploadServiceApi(self._client)
        self.experiments = kfp_server_api.ExperimentServiceApi(self._client)
        self.runs = kfp_server_api.RunServiceApi(self._client)
        self.recurring_runs = kfp_server_api.RecurringRunServiceApi(self._client)
        if not isinstance(self.get("/apis/v2beta1/healthz"), dict):
            raise UsageError(
                f"--host {self.host}: answers, but not as the API of Kubeflow Pipelines"
                " (another server, or a login page that wants --token-file)"
            )

    def url(self, page: str) -> str:
        """A page of the user interface: `runs/details/<id>`."""
        return f"{self.host}/#/{page}"

    def call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Calls a method of one of the services.

        Raises:
          UsageError: the token, the call or the host is wrong (HTTP 4xx, TLS).
          Unavailable: no answer, or HTTP 5xx.
          SentiflowError: an answer that cannot be read.
        """
        try:
            return method(*args, **kwargs, _request_timeout=TIMEOUT)
        except kfp_server_api.ApiException as error:
            raise self._refusal(error) from None
        except urllib3.exceptions.HTTPError as error:
            raise self._no_answer(error) from None
        except (kfp_server_api.ApiTypeError, kfp_server_api.ApiValueError):
            raise  # a call that this program should not have made
        except (TypeError, ValueError, AttributeError) as error:
            raise SentiflowError(
                f"{self.host}: an answer that is not of Kubeflow Pipelines' API: {error}"
            ) from None

    def pages(self, method: Callable[..., Any], field: str, **kwargs: Any) -> list[Any]:
        """Calls a list method until its last page; returns the `field` of all pages."""
        found: list[Any] = []
        token = ""
        while True:
            page = self.call(method, page_size=PAGE_SIZE, page_token=token, **kwargs)
            found += getattr(page, field) or []
            token = page.next_page_token
            if not token:
                return found

    def get(self, path: str, query: dict[str, str] | None = None) -> Any:
        """What a path answers: parsed if it is JSON, else the text; errors as for `call`."""
        return self.call(
            self._client.call_api,
            path,
            "GET",
            query_params=list((query or {}).items()),
            response_type="object",
            auth_settings=["Bearer"],
            _return_http_data_only=True,
        )

    def without_token(self, text: str) -> str:
        """One line of what a server said, cut to a readable length."""
        token = self._configuration.api_key.get("authorization")
        if token:
            text = text.replace(token, "<token>")
        return " ".join(text.split())[:MESSAGE_LENGTH]

    def _refusal(self, error: kfp_server_api.ApiException) -> SentiflowError:
        said = self.without_token(_message(error.body) or error.reason or "")
        if error.status in (401, 403):
            token = (
                f"the token in {self._token_file}" if self._token_file else "a call without token"
            )
            advice = "" if self._token_file else "; pass --token-file"
            return UsageError(f"{self.host} refuses {token}: {error.status} {said}{advice}")
        if error.status == 404:
            return UsageError(f"{self.host}: not found: {said} (is --host right?)")
        if 400 <= (error.status or 0) < 500:
            return UsageError(f"{self.host} refuses the call: {error.status} {said}")
        if error.status:
            return Unavailable(f"{self.host} failed: {error.status} {said}")
        return SentiflowError(f"{self.host}: {said}")

    def _no_answer(self, error: urllib3.exceptions.HTTPError) -> SentiflowError:
        reason = getattr(error, "reason", None) or error
        if isinstance(reason, urllib3.exceptions.SSLError):
            return UsageError(
                f"{self.host}: its certificate is not trusted ({self.without_token(str(reason))});"
                " pass --ca-cert"
            )
        if isinstance(reason, urllib3.exceptions.LocationValueError):
            return _no_url(self.host)
        if isinstance(reason, urllib3.exceptions.NameResolutionError):
            return Unavailable(f"{self.host}: no such host")
        # NewConnectionError is a TimeoutError, even if the host refuses at once.
        refused = isinstance(reason, urllib3.exceptions.NewConnectionError)
        if isinstance(reason, urllib3.exceptions.TimeoutError) and not refused:
            return Unavailable(f"{self.host}: no answer in time")
        # "HTTPConnection(host='…', port=…): Failed to establish …": what comes first says nothing.
        cause = str(reason).rpartition(": ")[2]
        return Unavailable(f"{self.host}: cannot be reached: {self.without_token(cause)}")


def _checked_host(host: str | None) -> str:
    if host is None:
        if "KUBERNETES_SERVICE_HOST" not in os.environ:
            raise UsageError("no --host URL; only a pod knows Kubeflow Pipelines without it")
        return IN_CLUSTER_HOST
    try:
        parts = urlsplit(host)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment or "@" in parts.netloc or not host.isprintable():
        raise _no_url(host)
    return host.rstrip("/")


def _no_url(host: str) -> UsageError:
    # What stands before an @ may be a password.
    shown = host.rpartition("@")[2]
    return UsageError(f"--host {shown!r}: expected a URL as in http://localhost:8888")


def _projected_token() -> str | None:
    path = os.environ.get(*PROJECTED_TOKEN)
    return path if Path(path).exists() else None


def _configuration(
    host: str, token_file: str | None, ca_cert: str | None
) -> kfp_server_api.Configuration:
    configuration = kfp_server_api.Configuration(host=host)
    configuration.retries = RETRIES
    if ca_cert:
        try:
            ssl.create_default_context(cafile=ca_cert)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(f"--ca-cert {ca_cert}: no PEM certificates: {error}") from None
        configuration.ssl_ca_cert = ca_cert
    if token_file:
        path = token_file

        def read_again(configuration: kfp_server_api.Configuration) -> None:
            configuration.api_key["authorization"] = _read_token(path)

        configuration.api_key_prefix["authorization"] = "Bearer"
        read_again(configuration)
        configuration.refresh_api_key_hook = read_again
    return configuration


def _read_token(path: str) -> str:
    try:
        token = Path(path).read_text("ascii").strip()
    except OSError as error:
        raise UsageError(f"token file {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"token file {path}: not a token: it is not plain ASCII") from None
    if not token.isprintable() or not token or " " in token:
        raise UsageError(f"token file {path}: expected one token, found none or several words")
    return token


def _message(body: str | None) -> str | None:
    """The text of an error in grpc-gateway's JSON; of anything else nothing."""
    try:
        answer = json.loads(body or "")
    except ValueError:
        return None
    return answer.get("message") or answer.get("error") if isinstance(answer, dict) else None
