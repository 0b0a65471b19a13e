"""Why a run on Kubeflow Pipelines failed.

What reaches the API server of Kubeflow Pipelines 2.16 when a node exits with 3 (read in
github.com/kubeflow/pipelines, backend/src):

- v2/cmd/launcher-v2/main.go runs our command as a child and ends with `glog.Exit`, which is
  exit code 1, whatever the child's was. So Argo's message is always "Error (exit code 1)". The
  child's code and output stand in the pod's log alone: the child's own lines, then
  "failed to execute component: exit status 3".
- apiserver/server/api_converter.go (toModelTask, toApiPipelineTaskDetail) gives a task its state
  only: its `error` and `pod_name` are never filled.
- The v1beta1 API, which 2.16 still serves, has the whole Argo workflow of a run in
  `pipeline_runtime.workflow_manifest` (toApiRunDetailV1): its failed pods, with Argo's messages
  ("OOMKilled (exit code 137)").
- A pod's log is at /apis/v1alpha1/runs/{run_id}/nodes/{pod}/log (apiserver/main.go,
  server/run_log_server.go). The user interface does not pass this path on; it has
  /k8s/pod/logs instead (frontend/server/app.ts).

Each of these may be missing: another version, no permission, a pod that is gone. Then the answer
is the node that failed, and where to look.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from components.errors import DataRefused, NotBlessed, SentiflowError
from pipeline.submission.api import Api

ERRORS = {error.exit_code: error for error in (DataRefused, NotBlessed)}
OUR_LINE = re.compile(r"^sentiflow: (.+)$", re.MULTILINE)
LAUNCHER_LINE = re.compile(r"failed to execute component: .*?exit status (\d+)")


@dataclass(frozen=True)
class FailedPod:
    """The last try of a node."""

    node: str  # display name
    pod: str
    namespace: str
    message: str  # Argo's


def explain(
    api: Api, run: Any, node_names: dict[str, str], failed: list[str], url: str
) -> SentiflowError:
    """The error that says which node failed and why.

    Args:
      api: the server.
      run: a run that has failed, as the server returned it.
      node_names: the package's, as `package.node_names` returns them.
      failed: display names of the nodes that failed, the first one first.
      url: the run's page.

    Returns:
      DataRefused or NotBlessed if the node's exit code was theirs, SentiflowError otherwise.
    """
    pods = _failed_pods(api, run.run_id, node_names)
    if not pods:
        said = api.without_token(run.error.message) if run.error and run.error.message else None
        where = f"{' and '.join(failed)} failed" if failed else "the run failed before any node"
        return SentiflowError(f"{where}{f': {said}' if said else ''}; its log: {url}")
    pod = pods[0]
    log = _log(api, run.run_id, pod)
    ours, launchers = OUR_LINE.findall(log), LAUNCHER_LINE.findall(log)
    error = ERRORS.get(int(launchers[-1]), SentiflowError) if launchers else SentiflowError
    cause = api.without_token(ours[-1]) if ours else pod.message
    return error(f"{pod.node} failed: {cause.removeprefix(f'{pod.node} failed: ')} ({url})")


def _failed_pods(api: Api, run_id: str, node_names: dict[str, str]) -> list[FailedPod]:
    """The pods of failed nodes, the first failure first, each node with its last try."""
    try:
        answer = api.get(f"/apis/v1beta1/runs/{run_id}")
        workflow = json.loads(answer["pipeline_runtime"]["workflow_manifest"])
        pods = [node for node in workflow["status"]["nodes"].values() if node["type"] == "Pod"]
        last_tries: dict[str, dict[str, Any]] = {}
        for pod in sorted(pods, key=lambda pod: pod.get("finishedAt") or ""):
            # <workflow>.root.<groups>.<task>.executor, with retries …executor(0)
            for name in [node_names[part] for part in pod["name"].split(".") if part in node_names]:
                last_tries.pop(name, None)  # so that the order is that of the last tries
                last_tries[name] = pod
        return [
            FailedPod(
                name,
                f"{workflow['metadata']['name']}-{pod['templateName']}-{_suffix(pod)}",
                workflow["metadata"]["namespace"],
                pod.get("message", "no message"),
            )
            for name, pod in last_tries.items()
            if pod["phase"] in ("Failed", "Error")
        ]
    except (SentiflowError, KeyError, TypeError, ValueError, AttributeError):
        return []


def _suffix(node: dict[str, Any]) -> str:
    """The hash at the end of a node's id, also of its pod's name (workflow.go, RetrievePodName)."""
    return str(node["id"].rpartition("-")[2])


def _log(api: Api, run_id: str, pod: FailedPod) -> str:
    """The log of a pod, empty if neither path has it."""
    query = {"podname": pod.pod, "podnamespace": pod.namespace, "runid": run_id}
    for path, parameters in (
        (f"/apis/v1alpha1/runs/{run_id}/nodes/{pod.pod}/log", None),
        ("/k8s/pod/logs", query),
    ):
        try:
            answer = api.get(path, parameters)
        except SentiflowError:
            continue
        if isinstance(answer, str) and LAUNCHER_LINE.search(answer):
            return answer
    return ""
