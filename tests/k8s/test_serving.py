"""The serving manifests: TensorFlow Serving's configuration, and that its parts fit together."""

from importlib.metadata import version

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from google.protobuf.wrappers_pb2 import DESCRIPTOR as WRAPPERS
from tensorflow_serving.config import model_server_config_pb2

from components.serving.model_root import MODELS_CONFIG
from components.serving.settings import ServingSettings
from pipeline.kubeflow_settings import KubeflowSettings
from tests.k8s.manifests import lets_in, matches, of_kind, pod_specs

MODEL = ServingSettings().model_name
CLUSTER = KubeflowSettings()
# Fields of TensorFlow Serving's BatchingParameters (session_bundle_config.proto), each a wrapper
# message: {name: its type}. tensorflow-serving-api lacks the message.
BATCHING_FIELDS = {
    "max_batch_size": "Int64Value",
    "batch_timeout_micros": "Int64Value",
    "max_enqueued_batches": "Int64Value",
    "num_batch_threads": "Int64Value",
    "enable_large_batch_splitting": "BoolValue",
    "max_execution_batch_size": "Int64Value",
}


def batching_parameters(text):
    """Parses the text as a BatchingParameters message: {field: value}."""
    file = descriptor_pb2.FileDescriptorProto(
        name="batching.proto", package="x", syntax="proto3", dependency=[WRAPPERS.name]
    )
    message = file.message_type.add(name="BatchingParameters")
    for number, (name, kind) in enumerate(BATCHING_FIELDS.items(), start=1):
        message.field.add(
            name=name,
            number=number,
            type=descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE,
            label=descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL,
            type_name=f".google.protobuf.{kind}",
        )
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(WRAPPERS.serialized_pb)
    pool.Add(file)
    parsed = message_factory.GetMessageClass(pool.FindMessageTypeByName("x.BatchingParameters"))()
    text_format.Parse(text, parsed)
    return {field.name: value.value for field, value in parsed.ListFields()}


def server(objects, name="sentiflow-serving"):
    """A Deployment's pod specification and the files of its ConfigMap."""
    spec = of_kind(objects, "Deployment", name)["spec"]["template"]["spec"]
    [config] = [v["configMap"]["name"] for v in spec["volumes"] if v["name"] == "config"]
    return spec, of_kind(objects, "ConfigMap", config)["data"]


def served(files):
    """The one model of a models.config."""
    config = model_server_config_pb2.ModelServerConfig()
    text_format.Parse(files["models.config"], config)
    [model] = config.model_config_list.config
    return model


@pytest.mark.parametrize(
    ("root", "name"),
    [
        ("serving/base", "sentiflow-serving"),
        ("serving/canary", "sentiflow-serving"),
        ("serving/canary", "sentiflow-serving-new"),
    ],
)
def test_served_is_what_the_pipeline_pushes(render, root, name):
    model = served(server(render(root), name)[1])
    assert model.name == MODEL
    assert model.base_path == f"{CLUSTER.root}/serving/{MODEL}"
    assert model.model_platform == "tensorflow"


def test_without_canary_the_latest_version_is_served(render):
    assert not served(server(render("serving/base"))[1]).HasField("model_version_policy")


def test_batching_fits_the_pod(render):
    spec, files = server(render("serving/base"))
    values = batching_parameters(files["batching.config"])
    assert values.keys() == BATCHING_FIELDS.keys()
    assert values["enable_large_batch_splitting"] is True
    assert 1 <= values["max_execution_batch_size"] <= values["max_batch_size"]
    assert values["num_batch_threads"] == int(spec["containers"][0]["resources"]["limits"]["cpu"])
    assert values["batch_timeout_micros"] <= 5000


def test_arguments_name_mounted_files_and_open_ports(render):
    spec, files = server(render("serving/base"))
    container = spec["containers"][0]
    arguments = dict(argument.removeprefix("--").split("=") for argument in container["args"])
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
    for flag in ("model_config_file", "batching_parameters_file"):
        folder, _, file = arguments[flag].rpartition("/")
        assert folder == mounts["config"]["mountPath"] and file in files
    ports = {port["name"]: str(port["containerPort"]) for port in container["ports"]}
    assert ports == {"grpc": arguments["port"], "rest": arguments["rest_api_port"]}
    assert arguments["enable_batching"] == arguments["enable_model_warmup"] == "true"
    assert mounts["sentiflow"]["readOnly"] is True and "subPath" not in mounts["sentiflow"]


def test_promoted_serves_what_the_promotion_commands_write(render):
    base = server(render("serving/base"))[0]["containers"][0]["args"]
    promoted = server(render("serving/promoted"))[0]["containers"][0]["args"]
    assert set(promoted) - set(base) == {
        f"--model_config_file={CLUSTER.root}/serving/{MODELS_CONFIG}",
        "--model_config_file_poll_wait_seconds=10",
        "--allow_version_labels_for_unavailable_models=true",
    }
    assert set(base) - set(promoted) == {"--model_config_file=/etc/serving/models.config"}


def test_image_is_the_version_of_the_client_library(render):
    image = server(render("serving/base"))[0]["containers"][0]["image"]
    assert image == f"tensorflow/serving:{version('tensorflow-serving-api')}"


def test_probes_ask_for_the_model(render):
    container = server(render("serving/base"))[0]["containers"][0]
    for probe in ("startupProbe", "readinessProbe"):
        assert container[probe]["httpGet"] == {"path": f"/v1/models/{MODEL}", "port": "rest"}


def test_ingress_passes_predictions_on(render):
    [path] = of_kind(render("serving/base"), "Ingress", "sentiflow-serving")["spec"]["rules"][0][
        "http"
    ]["paths"]
    prefix = path["path"].strip("/").split("/")
    assert path["pathType"] == "Prefix"
    assert f"v1/models/{MODEL}:predict".split("/")[: len(prefix)] == prefix
    assert path["backend"]["service"] == {"name": "sentiflow-serving", "port": {"name": "rest"}}


def test_policy_lets_clients_in_only(render):
    objects = render("serving/canary")
    policy = of_kind(objects, "NetworkPolicy", "sentiflow-serving")
    for _, labels, _ in pod_specs(objects):
        assert matches(policy["spec"]["podSelector"], labels)
    assert policy["spec"].get("egress", []) == []
    pods_only = {"spec": {"ingress": [policy["spec"]["ingress"][0]]}}
    assert lets_in(pods_only, {"sentiflow-client": "true"})
    assert not lets_in(pods_only, {"pipeline/runid": "1"})
    [outside] = policy["spec"]["ingress"][1]["from"]
    assert outside.keys() == {"namespaceSelector"}


def test_canary_serves_two_pinned_versions_behind_one_service(render):
    objects = render("serving/canary")
    versions = {}
    for name in ("sentiflow-serving", "sentiflow-serving-new"):
        policy = served(server(objects, name)[1]).model_version_policy
        [versions[name]] = policy.specific.versions
    assert len(set(versions.values())) == 2
    selector = of_kind(objects, "Service", "sentiflow-serving")["spec"]["selector"]
    stable, new = (of_kind(objects, "Deployment", name)["spec"] for name in versions)
    for deployment in (stable, new):
        own = deployment["selector"]["matchLabels"]
        assert selector.items() <= deployment["template"]["metadata"]["labels"].items()
        assert own.items() <= deployment["template"]["metadata"]["labels"].items()
    assert stable["selector"] != new["selector"]
    scaler = of_kind(objects, "HorizontalPodAutoscaler", "sentiflow-serving")["spec"]
    assert scaler["scaleTargetRef"]["name"] == "sentiflow-serving"
    assert "replicas" not in stable, "two would set it"
    assert new["replicas"] / (new["replicas"] + scaler["minReplicas"]) == pytest.approx(0.2)


def test_kserve_serves_the_same(render):
    service = of_kind(render("serving/kserve"), "InferenceService", MODEL)
    assert service["apiVersion"] == "serving.kserve.io/v1beta1"
    predictor = service["spec"]["predictor"]
    model = predictor["model"]
    assert model["storageUri"] == f"pvc://{CLUSTER.volume_claim}/serving/{MODEL}"
    assert model["modelFormat"] == {"name": "tensorflow", "version": "2"}
    assert model["runtimeVersion"] == version("tensorflow-serving-api")
    assert model["resources"]["limits"].keys() == {"cpu", "memory"}
    assert predictor["automountServiceAccountToken"] is False
