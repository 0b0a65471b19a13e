"""What must hold for every manifest: valid, without root, without secrets, within limits."""

from itertools import chain

import kubernetes_validate
import pytest

from tests.k8s.manifests import K8S, PASSWORD, ROOTS, of_kind, pod_specs

KUBERNETES = "1.34"
OWN_SCHEMA = {"InferenceService"}  # custom resources: their own tests check them


def containers(spec):
    return chain(spec["containers"], spec.get("initContainers", []))


def test_all_folders_are_checked():
    overlays = {f"overlays/{name}" for name in ("local-pvc", "gcs", "gpu", "flink")}
    assert {*ROOTS} == overlays | {
        "secrets",
        "data",
        *(f"serving/{name}" for name in ("base", "canary", "kserve", "promoted")),
    }


def test_objects_are_valid(objects):
    assert objects
    for o in objects:
        if o["kind"] not in OWN_SCHEMA:
            kubernetes_validate.validate(o, KUBERNETES, strict=True)


def test_the_check_refuses_what_it_does_not_know():
    with pytest.raises(kubernetes_validate.SchemaNotFoundError):
        kubernetes_validate.validate({"apiVersion": "x.y/v1", "kind": "Nonsense"}, KUBERNETES)
    with pytest.raises(kubernetes_validate.ValidationError):
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "x"},
            "spec": {"contaners": []},
        }
        kubernetes_validate.validate(pod, KUBERNETES, strict=True)


def test_objects_are_in_one_namespace_and_labelled(objects):
    assert len({o["metadata"].get("namespace") for o in objects}) == 1
    assert objects[0]["metadata"]["namespace"] == "kubeflow"
    for o in objects:
        assert o["metadata"]["labels"]["app.kubernetes.io/part-of"] == "sentiflow"


def test_no_container_runs_as_root_or_writes_to_its_image(objects):
    for name, _, spec in pod_specs(objects):
        pod = spec["securityContext"]
        assert pod["runAsNonRoot"] is True, name
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys(), name
        assert not any("hostPath" in volume for volume in spec["volumes"]), name
        for container in containers(spec):
            own = container["securityContext"]
            assert own["allowPrivilegeEscalation"] is False, (name, container["name"])
            assert own["readOnlyRootFilesystem"] is True, (name, container["name"])
            assert own["capabilities"] == {"drop": ["ALL"]}, (name, container["name"])
            assert not own.get("privileged"), (name, container["name"])
            user = own.get("runAsUser", pod.get("runAsUser"))
            assert user is not None and user > 0, (name, container["name"])


def test_every_container_has_limits(objects):
    for name, _, spec in pod_specs(objects):
        for container in containers(spec):
            resources = container["resources"]
            for quantity in ("cpu", "memory"):
                assert resources["requests"][quantity], (name, container["name"])
                assert resources["limits"][quantity], (name, container["name"])
            assert resources["requests"]["memory"] == resources["limits"]["memory"] or (
                of_kind(objects, "Pod")
            ), f"{name}: memory beyond the request is taken away under pressure"


def test_images_are_pinned(objects):
    for name, _, spec in pod_specs(objects):
        for container in containers(spec):
            image, _, tag = container["image"].partition(":")
            assert tag and tag != "latest", (name, container["image"])
            assert tag == "cpu" if image == "sentiflow" else tag[0].isdigit(), container["image"]


def test_service_account_tokens_are_mounted_nowhere(objects):
    for name, _, spec in pod_specs(objects):
        assert spec["automountServiceAccountToken"] is False, name


def test_every_long_running_container_is_probed(objects):
    for o in objects:
        if o["kind"] in ("Deployment", "StatefulSet"):
            for container in o["spec"]["template"]["spec"]["containers"]:
                assert "livenessProbe" in container, (o["metadata"]["name"], container["name"])


def test_rights_are_named_one_by_one(objects):
    assert not of_kind(objects, "ClusterRole") and not of_kind(objects, "ClusterRoleBinding")
    for role in of_kind(objects, "Role"):
        for rule in role["rules"]:
            assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
            if {"secrets", "configmaps"} & {*rule["resources"]}:
                assert rule["resourceNames"] and rule["verbs"] == ["get"]


def test_services_select_pods_that_there_are(objects):
    labels = [labels for _, labels, _ in pod_specs(objects)]
    for service in of_kind(objects, "Service"):
        selector = service["spec"]["selector"].items()
        assert any(selector <= pod.items() for pod in labels), service["metadata"]["name"]


def test_no_password_but_in_secrets(objects):
    for o in objects:
        if o["kind"] == "Secret":
            assert o["metadata"]["name"] in ("sentiflow-metadata", "sentiflow-metadata-root")
        else:
            assert PASSWORD not in str(o)
    for name, _, spec in pod_specs(objects):
        for container in containers(spec):
            for variable in container.get("env", []):
                hidden = variable["name"].endswith("_FILE") or "PASSWORD" not in variable["name"]
                assert hidden, (name, variable["name"])


def test_no_secret_is_in_the_repository():
    examples = [*K8S.rglob("*.env.example")]
    assert len(examples) == 2, "the metadata database's user and its administrator"
    for example in examples:
        assert "\npassword=\n" in example.read_text(encoding="utf-8")
        ignored = (example.parent / ".gitignore").read_text(encoding="utf-8")
        assert "*.env" in ignored.splitlines()
    sources = [*K8S.rglob("*.yaml")]
    assert sources and not any("kind: Secret\n" in file.read_text("utf-8") for file in sources)
