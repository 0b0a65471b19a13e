"""What the Kubeflow runner needs to know of the cluster: the configuration's `kubeflow` section."""

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from components.settings import Section

QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"


class Toleration(Section):
    """Lets a node's pod on machines that carry this taint."""

    key: str = Field(description="of the taint")
    operator: Literal["Exists", "Equal"] = Field("Exists", description="how value is compared")
    value: str | None = Field(None, description="of the taint, with Equal")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        None, description="of the taint; null: any"
    )


class PodSettings(Section):
    """What a node's pod asks for."""

    cpu: str = Field("1", pattern=QUANTITY, description="cores, as a Kubernetes quantity")
    memory: str = Field("4Gi", pattern=QUANTITY, description="request and limit, a quantity")
    node_selector: dict[str, str] = Field({}, description="labels that the machine must carry")
    tolerations: tuple[Toleration, ...] = Field((), description="taints that the pod bears")
    retries: NonNegativeInt = Field(2, description="of a failed node")
    timeout_minutes: PositiveInt = Field(60, description="after which a try is killed")


class GpuSettings(Section):
    """The GPUs of Trainer and Tuner; no other node gets any."""

    count: NonNegativeInt = Field(0, description="GPUs; 0 trains on the CPU")
    resource: str = Field("nvidia.com/gpu", description="name of the device plugin's resource")
    image: str = Field("sentiflow:gpu", description="of Trainer and Tuner, when count is not 0")
    node_selector: dict[str, str] = Field({}, description="labels that the machine must carry")
    tolerations: tuple[Toleration, ...] = Field(
        (Toleration(key="nvidia.com/gpu", operator="Exists", effect="NoSchedule"),),
        description="taints that the pod bears",
    )


class KubeflowSettings(Section):
    """A Kubeflow Pipelines installation and what the pipeline may use there."""

    image: str = Field("sentiflow:cpu", description="of every node that has no GPU")
    root: str = Field(
        "/sentiflow", description="mount path of the volume claim, or gs://bucket/folder"
    )
    volume_claim: str | None = Field(
        "sentiflow", description="ReadWriteMany claim mounted at root; null with a gs:// root"
    )
    metadata_secret: str = Field(
        "sentiflow-metadata", description="Secret with host, port, database, user and password"
    )
    pods: PodSettings = PodSettings()
    nodes: dict[str, PodSettings] = Field(
        {}, description="of single nodes by id; what is not named is as in `pods`"
    )
    gpu: GpuSettings = GpuSettings()

    @model_validator(mode="after")
    def _root_is_shared(self) -> "KubeflowSettings":
        on_volume = self.root.startswith("/")
        if not on_volume and not self.root.startswith("gs://"):
            raise ValueError(f"root: expected an absolute path or gs://…, got {self.root}")
        if on_volume and not self.volume_claim:
            raise ValueError(f"root: {self.root} is a path, which needs a volume_claim")
        if not on_volume and self.volume_claim:
            raise ValueError(f"root: {self.root} is not a path; set volume_claim to null")
        return self
