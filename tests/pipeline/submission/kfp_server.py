"""The mocked edge: a stand-in of the API server of Kubeflow Pipelines, which is not at hand.

It speaks HTTP on loopback, on the paths of kfp_server_api's v2beta1 services and on the three
others that `pipeline/submission/failure.py` names, keeps what it is given, and checks it as the
real server does: packages must parse, runs must name what exists. `test_kfp_server.py` drives it
with kfp's own client.
"""

import email
import itertools
import json
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

V2 = "/apis/v2beta1"
TIME = "2026-11-23T12:00:{:02d}Z"


class Refused(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class KfpServer:
    """What the server has and how it is to behave.

    Attributes:
      token: if set, calls without it get 401.
      answers: path -> (status, body) to give instead of the real answer.
      redirects: path -> URL that has the answer.
      silent: paths that get no answer at all.
      script: what successive looks at a run see: its state, its tasks' states by task name.
      manifest: the Argo workflow of each run; None: this server has no v1beta1 API.
      logs: pod -> log, as the API server gives it; ui_logs: as the user interface does.
    """

    pipelines: list[dict] = field(default_factory=list)
    versions: list[dict] = field(default_factory=list)
    experiments: list[dict] = field(default_factory=list)
    runs: list[dict] = field(default_factory=list)
    recurring_runs: list[dict] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    token: str | None = None
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    script: list[dict] = field(default_factory=lambda: [{"state": "SUCCEEDED"}])
    manifest: dict | None = None
    logs: dict[str, str] = field(default_factory=dict)
    ui_logs: dict[str, str] = field(default_factory=dict)
    url: str = ""

    def __post_init__(self) -> None:
        self._ids = itertools.count(1)
        self.stopping = threading.Event()

    def calls(self, method: str, path: str) -> list[Request]:
        """The requests to a path, without its query."""
        return [r for r in self.requests if r.method == method and urlsplit(r.path).path == path]

    @contextmanager
    def running(self, tls: ssl.SSLContext | None = None) -> Iterator["KfpServer"]:
        """Serves on a free port of loopback."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self.stopping.set()
            server.shutdown()
            thread.join()
            server.server_close()

    def answer(self, request: Request) -> Any:
        """The answer to a request, as JSON or text; raises Refused."""
        if self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            raise Refused(401, "Request header error: there is no valid token")
        parts = urlsplit(request.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        for method, pattern, action in self._routes():
            match = re.fullmatch(pattern, parts.path)
            if match and method == request.method:
                return action(self, request, query, *match.groups())
        raise Refused(404, "Not Found")

    @staticmethod
    def _routes():
        return (
            ("GET", f"{V2}/healthz", KfpServer._healthz),
            ("GET", f"{V2}/pipelines", KfpServer._list_pipelines),
            ("POST", f"{V2}/pipelines", KfpServer._create_pipeline),
            ("POST", f"{V2}/pipelines/upload", KfpServer._upload_pipeline),
            ("POST", f"{V2}/pipelines/upload_version", KfpServer._upload_version),
            ("GET", f"{V2}/pipelines/([^/]+)/versions", KfpServer._list_versions),
            ("GET", f"{V2}/experiments", KfpServer._list_experiments),
            ("POST", f"{V2}/experiments", KfpServer._create_experiment),
            ("POST", f"{V2}/runs", KfpServer._create_run),
            ("GET", f"{V2}/runs/([^/]+)", KfpServer._get_run),
            ("GET", f"{V2}/recurringruns", KfpServer._list_recurring_runs),
            ("POST", f"{V2}/recurringruns", KfpServer._create_recurring_run),
            ("DELETE", f"{V2}/recurringruns/([^/]+)", KfpServer._delete_recurring_run),
            ("GET", "/apis/v1beta1/runs/([^/]+)", KfpServer._get_run_v1),
            ("GET", "/apis/v1alpha1/runs/([^/]+)/nodes/([^/]+)/log", KfpServer._log),
            ("GET", "/k8s/pod/logs", KfpServer._ui_log),
        )

    def _new_id(self, kind: str) -> str:
        return f"{kind}-{next(self._ids)}"

    def _healthz(self, request: Request, query: dict) -> dict:
        return {"commit_sha": "unknown", "tag_name": "2.16.0", "multi_user": False}

    def _list_pipelines(self, request: Request, query: dict) -> dict:
        return _page("pipelines", self.pipelines, query)

    def _create_pipeline(self, request: Request, query: dict) -> dict:
        pipeline = json.loads(request.body)
        if any(known["display_name"] == pipeline["display_name"] for known in self.pipelines):
            raise Refused(409, f"The name {pipeline['display_name']} already exists")
        pipeline["pipeline_id"] = self._new_id("pipeline")
        self.pipelines.append(pipeline)
        return pipeline

    def _upload_pipeline(self, request: Request, query: dict) -> dict:
        spec, platform = _package(request)
        pipeline = {"display_name": query["name"], "pipeline_id": self._new_id("pipeline")}
        self.pipelines.append(pipeline)
        self._add_version(pipeline["pipeline_id"], query["name"], spec, platform)
        return pipeline

    def _upload_version(self, request: Request, query: dict) -> dict:
        spec, platform = _package(request)
        if not any(p["pipeline_id"] == query["pipelineid"] for p in self.pipelines):
            raise Refused(404, f"Pipeline {query['pipelineid']} not found")
        if any(version["name"] == query["name"] for version in self.versions):
            raise Refused(409, f"The name {query['name']} already exists")
        return self._add_version(query["pipelineid"], query["name"], spec, platform)

    def _add_version(self, pipeline_id: str, name: str, spec: Any, platform: Any) -> dict:
        version = {
            "pipeline_id": pipeline_id,
            "pipeline_version_id": self._new_id("version"),
            "name": name,
            "display_name": name,
            "pipeline_spec": {
                "pipeline_spec": json_format.MessageToDict(spec),
                "platform_spec": json_format.MessageToDict(platform),
            },
        }
        self.versions.append(version)
        return version

    def _list_versions(self, request: Request, query: dict, pipeline_id: str) -> dict:
        mine = [version for version in self.versions if version["pipeline_id"] == pipeline_id]
        return _page("pipeline_versions", mine, query)

    def _list_experiments(self, request: Request, query: dict) -> dict:
        return _page("experiments", self.experiments, query)

    def _create_experiment(self, request: Request, query: dict) -> dict:
        experiment = json.loads(request.body)
        experiment["experiment_id"] = self._new_id("experiment")
        self.experiments.append(experiment)
        return experiment

    def _create_run(self, request: Request, query: dict) -> dict:
        run = self._checked(json.loads(request.body))
        run["run_id"] = self._new_id("run")
        self.runs.append(run)
        return run

    def _create_recurring_run(self, request: Request, query: dict) -> dict:
        run = self._checked(json.loads(request.body))
        run["recurring_run_id"] = self._new_id("recurring")
        run["status"] = "ENABLED" if run["mode"] == "ENABLE" else "DISABLED"
        self.recurring_runs.append(run)
        return run

    def _checked(self, run: dict) -> dict:
        """As the server does: the experiment, the version and the parameters must be known."""
        if not any(e["experiment_id"] == run["experiment_id"] for e in self.experiments):
            raise Refused(404, f"Experiment {run['experiment_id']} not found")
        reference = run["pipeline_version_reference"]
        found = [
            version
            for version in self.versions
            if version["pipeline_version_id"] == reference["pipeline_version_id"]
            and version["pipeline_id"] == reference["pipeline_id"]
        ]
        if not found:
            raise Refused(404, f"PipelineVersion {reference['pipeline_version_id']} not found")
        root = found[0]["pipeline_spec"]["pipeline_spec"]["root"]
        known = root.get("inputDefinitions", {}).get("parameters", {})
        for name in run["runtime_config"].get("parameters", {}):
            if name not in known:
                raise Refused(400, f"Invalid input error: Unrecognized input parameter: {name}")
        return run

    def _get_run(self, request: Request, query: dict, run_id: str) -> dict:
        run = next((run for run in self.runs if run["run_id"] == run_id), None)
        if run is None:
            raise Refused(404, f"Run {run_id} not found")
        now = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if now["state"] == "TROUBLE":
            raise Refused(503, "upstream connect error")
        history = [{"state": state} for state in now.get("history", [now["state"]])]
        details = [
            {
                "run_id": run_id,
                "task_id": f"task-{number}",
                "display_name": name,
                "start_time": TIME.format(number),
                "state": state,
                "child_tasks": [{"pod_name": f"wf-{number}"}],
            }
            for number, (name, state) in enumerate(now.get("tasks", {}).items())
        ]
        return run | {
            "state": now["state"],
            "state_history": history,
            "run_details": {"task_details": details},
        }

    def _list_recurring_runs(self, request: Request, query: dict) -> dict:
        mine = [r for r in self.recurring_runs if r["experiment_id"] == query["experiment_id"]]
        return _page("recurringRuns", mine, query)

    def _delete_recurring_run(self, request: Request, query: dict, run_id: str) -> dict:
        self.recurring_runs = [r for r in self.recurring_runs if r["recurring_run_id"] != run_id]
        return {}

    def _get_run_v1(self, request: Request, query: dict, run_id: str) -> dict:
        if self.manifest is None:
            raise Refused(404, "Not Found")
        manifest = json.dumps(self.manifest)
        return {"run": {"id": run_id}, "pipeline_runtime": {"workflow_manifest": manifest}}

    def _log(self, request: Request, query: dict, run_id: str, pod: str) -> str:
        if pod not in self.logs:
            raise Refused(404, f"pods {pod} not found")
        return self.logs[pod]

    def _ui_log(self, request: Request, query: dict) -> str:
        if query["podname"] not in self.ui_logs:
            raise Refused(404, "Could not get main container logs")
        return self.ui_logs[query["podname"]]


def _page(field_name: str, things: list[dict], query: dict) -> dict:
    """One page of a list, filtered; without the field if it is empty, as protobuf's JSON is."""
    if "filter" in query:
        (predicate,) = json.loads(query["filter"])["predicates"]
        assert predicate["operation"] in ("EQUALS", 1)
        things = [t for t in things if t[predicate["key"]] == predicate["stringValue"]]
    start = int(query.get("page_token") or 0)
    size = int(query.get("page_size") or 20)
    page: dict[str, Any] = {}
    if things[start : start + size]:
        page[field_name] = things[start : start + size]
    if things[start + size :]:
        page["next_page_token"] = str(start + size)
    return page


def _package(request: Request) -> tuple[Any, Any]:
    """The pipeline's and the platform's specification in a multipart body."""
    content_type = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    message = email.message_from_bytes(content_type + request.body)
    (part,) = message.get_payload()
    assert part.get_param("name", header="content-disposition") == "uploadfile"
    documents = list(yaml.safe_load_all(part.get_payload(decode=True)))
    try:
        spec = json_format.ParseDict(documents[0], pipeline_spec_pb2.PipelineSpec())
        platform = json_format.ParseDict(
            documents[1] if len(documents) > 1 else {}, pipeline_spec_pb2.PlatformSpec()
        )
    except json_format.ParseError as error:
        raise Refused(400, f"Invalid input error: invalid v2 pipeline spec: {error}") from None
    return spec, platform


def _handler(kfp: KfpServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {key.lower(): value for key, value in self.headers.items()}
            request = Request(self.command, self.path, headers, body)
            kfp.requests.append(request)
            path = urlsplit(self.path).path
            if path in kfp.silent:
                kfp.stopping.wait(20)
                return
            if path in kfp.redirects:
                self.send_response(302)
                self.send_header("Location", kfp.redirects[path])
                self.end_headers()
                return
            if path in kfp.answers:
                self._send(*kfp.answers[path])
                return
            try:
                answer = kfp.answer(request)
            except Refused as refused:
                error = {"error": str(refused), "code": 2, "message": str(refused)}
                self._send(refused.status, json.dumps(error))
                return
            self._send(200, answer if isinstance(answer, str) else json.dumps(answer))

        do_GET = do_POST = do_DELETE = _serve  # noqa: N815

        def _send(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Keeps the tests' output clean."""

    return Handler
