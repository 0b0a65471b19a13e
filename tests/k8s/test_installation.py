"""That the installation fits the configuration's defaults and what Kubeflow Pipelines does."""

import base64

import pytest

from pipeline.kubeflow_settings import KubeflowSettings
from tests.k8s.manifests import ROOTS, lets_in, matches, of_kind, pod_specs

SETTINGS = KubeflowSettings()
STEP_OF_A_RUN = {"pipeline/runid": "1", "pipelines.kubeflow.org/v2_component": "true"}


def secret(objects, name):
    data = of_kind(objects, "Secret", name)["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def test_claim_is_the_default_one_and_shared(render):
    claim = of_kind(render("overlays/local-pvc"), "PersistentVolumeClaim", SETTINGS.volume_claim)
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]


def test_bucket_needs_no_claim(render):
    objects = render("overlays/gcs")
    assert not of_kind(objects, "PersistentVolumeClaim")
    account = of_kind(objects, "ServiceAccount", "sentiflow-runner")
    assert account["metadata"]["annotations"].keys() == {"iam.gke.io/gcp-service-account"}


def test_secret_is_the_default_one_with_the_keys_that_a_node_reads(render):
    values = secret(render("secrets"), SETTINGS.metadata_secret)
    assert values.keys() == {"host", "port", "database", "user", "password"}
    service = of_kind(render("overlays/local-pvc"), "Service", values["host"])
    assert service["spec"]["ports"][0]["port"] == int(values["port"])
    assert secret(render("secrets"), "sentiflow-metadata-root").keys() == {"password"}


def test_database_reads_the_node_secret_but_nodes_cannot_read_the_administrators(render):
    objects = render("overlays/local-pvc")
    spec = of_kind(objects, "StatefulSet", "sentiflow-metadata")["spec"]["template"]["spec"]
    container = spec["containers"][0]
    env = {v["name"]: v["value"] for v in container["env"]}
    mounts = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
    files = {
        f"{mounts[volume['name']]}/{item['path']}"
        for volume in spec["volumes"]
        if volume["name"] == "metadata"
        for item in volume["secret"]["items"]
    }
    assert {env[f"MARIADB_{key}_FILE"] for key in ("DATABASE", "USER", "PASSWORD")} == files
    assert env["MARIADB_ROOT_PASSWORD_FILE"] == f"{mounts['metadata-root']}/password"
    assert env["MARIADB_ROOT_HOST"] == "localhost"
    role = of_kind(objects, "Role", "sentiflow-runner")
    readable = [r["resourceNames"] for r in role["rules"] if "secrets" in r["resources"]]
    assert readable == [["mlpipeline-minio-artifact"]]


def test_only_pods_of_runs_reach_the_database_and_it_reaches_nobody(render):
    objects = render("overlays/local-pvc")
    policy = of_kind(objects, "NetworkPolicy", "sentiflow-metadata")
    [(_, labels, spec)] = pod_specs(objects)
    assert matches(policy["spec"]["podSelector"], labels)
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert policy["spec"].get("egress", []) == []
    assert lets_in(policy, STEP_OF_A_RUN)
    assert not lets_in(policy, {"app": "ml-pipeline"})
    port = policy["spec"]["ingress"][0]["ports"][0]["port"]
    assert port in {p["name"] for p in spec["containers"][0]["ports"]}


def test_role_is_bound_to_the_runs_account_in_its_namespace(render):
    binding = of_kind(render("overlays/local-pvc"), "RoleBinding", "sentiflow-runner")
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "sentiflow-runner", "namespace": "kubeflow"}
    ]
    assert binding["roleRef"]["name"] == "sentiflow-runner"


def test_only_the_gpu_overlay_names_gpus(render):
    naming = {root for root in ROOTS if SETTINGS.gpu.resource in str(render(root))}
    assert naming == {"overlays/gpu"}
    quota = of_kind(render("overlays/gpu"), "ResourceQuota", "sentiflow-gpu")
    assert quota["spec"]["hard"].keys() == {f"requests.{SETTINGS.gpu.resource}"}


@pytest.mark.parametrize("root", ["data", "overlays/flink", "serving/base"])
def test_volume_is_mounted_where_the_configuration_says(render, root):
    pods = list(pod_specs(render(root)))
    mounts = [
        mount["mountPath"]
        for _, _, spec in pods
        for container in spec["containers"]
        for mount in container["volumeMounts"]
        if mount["name"] == "sentiflow"
    ]
    claims = [
        volume["persistentVolumeClaim"]["claimName"]
        for _, _, spec in pods
        for volume in spec["volumes"]
        if volume["name"] == "sentiflow"
    ]
    assert mounts == [SETTINGS.root] and claims == [SETTINGS.volume_claim]


def test_flinks_parts_reach_each_other_and_others_do_not(render):
    objects = render("overlays/flink")
    labels = {name: labels for name, labels, _ in pod_specs(objects)}
    flink = of_kind(objects, "NetworkPolicy", "sentiflow-flink")
    job_server = of_kind(objects, "NetworkPolicy", "sentiflow-beam-job-server")
    for part in ("sentiflow-flink-job-manager", "sentiflow-flink-task-manager"):
        assert matches(flink["spec"]["podSelector"], labels[part])
        assert lets_in(flink, labels[part])
    assert lets_in(flink, labels["sentiflow-beam-job-server"])
    assert not lets_in(flink, STEP_OF_A_RUN)
    assert matches(job_server["spec"]["podSelector"], labels["sentiflow-beam-job-server"])
    assert lets_in(job_server, STEP_OF_A_RUN)
    assert not lets_in(job_server, {"app": "ml-pipeline"})


def test_job_server_has_the_version_of_beam(render):
    import apache_beam

    deployment = of_kind(render("overlays/flink"), "Deployment", "sentiflow-beam-job-server")
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image.rpartition(":")[2] == apache_beam.__version__


def test_flinks_python_workers_import_tfx_first(render):
    objects = render("overlays/flink")
    spec = of_kind(objects, "Deployment", "sentiflow-flink-task-manager")["spec"]["template"][
        "spec"
    ]
    workers = spec["containers"][1]
    [pythonpath] = [v["value"] for v in workers["env"] if v["name"] == "PYTHONPATH"]
    [mounted] = [m["name"] for m in workers["volumeMounts"] if m["mountPath"] == pythonpath]
    [config_map] = [v["configMap"]["name"] for v in spec["volumes"] if v["name"] == mounted]
    code = of_kind(objects, "ConfigMap", config_map)["data"]["sitecustomize.py"]
    assert "\nimport tfx " in code
