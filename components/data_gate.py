"""DataGate: stops the run when the data is not as the schema says.

TFX's ExampleValidator only writes down what it finds, for each split by itself. DataGate also
compares the label's distribution in the other splits with that in train.

What is heavy is imported where it is used: the pipeline is defined without it.
"""

import json
import os
from collections.abc import Mapping
from typing import Literal

from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2
from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, component_spec, standard_artifacts
from tfx.types.artifact import Artifact
from tfx.utils import io_utils

from components.errors import DataRefused
from components.settings import GateSettings
from schema import features

Severity = anomalies_pb2.AnomalyInfo.Severity
SEVERITIES = {"warning": Severity.WARNING, "error": Severity.ERROR}
DISTANCES = (
    anomalies_pb2.AnomalyInfo.COMPARATOR_L_INFTY_HIGH,
    anomalies_pb2.AnomalyInfo.COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH,
)
# A class's share in fewer rows than this says little: its standard error is up to 0.05 at 100.
MIN_ROWS_TO_COMPARE = 100

VERDICT_FILE = "verdict.json"  # {"fail_on": severity, "tolerated": [line, …]}


class DataVerdict(Artifact):
    """The data passed: `verdict.json` says under which setting, and what was tolerated."""

    TYPE_NAME = "DataVerdict"


def findings(
    anomalies: Mapping[str, anomalies_pb2.Anomalies], least: Literal["warning", "error"]
) -> list[str]:
    """Anomalies in words.

    Args:
      anomalies: what was found, by split.
      least: severity from which on an anomaly is listed.

    Returns:
      A line for each split and feature, with all reasons. A split without examples is one too, of
      any severity.
    """
    lines = []
    for split, found in anomalies.items():
        if found.data_missing:
            lines.append(f"split '{split}': no examples")
        infos = [(f", feature '{name}'", info) for name, info in found.anomaly_info.items()]
        if found.HasField("dataset_anomaly_info"):
            infos.append(("", found.dataset_anomaly_info))
        lines += [
            f"split '{split}'{where}: {_reasons(info)}"
            for where, info in sorted(infos, key=lambda item: item[0])
            if info.severity >= SEVERITIES[least]
        ]
    return lines


def _reasons(info: anomalies_pb2.AnomalyInfo) -> str:
    reasons = (f"{reason.short_description}: {reason.description}" for reason in info.reason)
    return "; ".join(" ".join(reason.split()).rstrip(".") for reason in reasons)


def skews(
    statistics: Mapping[str, statistics_pb2.DatasetFeatureStatisticsList],
    schema: schema_pb2.Schema,
) -> dict[str, anomalies_pb2.Anomalies]:
    """Compares the other splits with train by the schema's skew comparators.

    Args:
      statistics: by split. Splits of fewer than `MIN_ROWS_TO_COMPARE` rows are not compared.
      schema: names the features to compare, how, and the allowed distance.

    Returns:
      Too large distances, for each split that was compared.
    """
    import tensorflow_data_validation as tfdv

    compared = {
        split: stats
        for split, stats in statistics.items()
        if stats.datasets[0].num_examples >= MIN_ROWS_TO_COMPARE
    }
    train = compared.pop(features.TRAIN, None)
    if train is None:
        return {}
    return {
        f"{split} against {features.TRAIN}": _distances(
            tfdv.validate_statistics(train, schema, serving_statistics=stats)
        )
        for split, stats in compared.items()
    }


def _distances(anomalies: anomalies_pb2.Anomalies) -> anomalies_pb2.Anomalies:
    """Leaves out what is wrong with one split by itself: ExampleValidator reports that."""
    kept = anomalies_pb2.Anomalies()
    for feature, info in anomalies.anomaly_info.items():
        reasons = [reason for reason in info.reason if reason.type in DISTANCES]
        if reasons:
            kept.anomaly_info[feature].severity = info.severity
            kept.anomaly_info[feature].reason.extend(reasons)
    return kept


class DataGateSpec(component_spec.ComponentSpec):
    """What goes in and comes out."""

    PARAMETERS = {
        "settings": component_spec.ExecutionParameter(type=str),  # GateSettings as JSON
        "code_fingerprint": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "anomalies": component_spec.ChannelParameter(type=standard_artifacts.ExampleAnomalies),
        "statistics": component_spec.ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "schema": component_spec.ChannelParameter(type=standard_artifacts.Schema),
    }
    OUTPUTS = {"verdict": component_spec.ChannelParameter(type=DataVerdict)}


class Executor(base_executor.BaseExecutor):
    """Unpacks the artifacts for `findings` and `skews`."""

    def Do(self, input_dict, output_dict, exec_properties):
        """See DataGateSpec for the keys.

        Raises:
          DataRefused: there are anomalies of the configured severity or above.
        """
        from tfx.components.statistics_gen import stats_artifact_utils

        settings = GateSettings.model_validate_json(exec_properties["settings"])
        anomalies = _read_anomalies(artifact_utils.get_single_instance(input_dict["anomalies"]))
        statistics = artifact_utils.get_single_instance(input_dict["statistics"])
        schema_dir = artifact_utils.get_single_uri(input_dict["schema"])
        schema = io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(schema_dir))
        by_split = {
            split: stats_artifact_utils.load_statistics(statistics, split).proto()
            for split in artifact_utils.decode_split_names(statistics.split_names)
        }
        anomalies |= skews(by_split, schema)
        refused = findings(anomalies, settings.fail_on)
        if refused:
            raise DataRefused(f"{'. '.join(refused)}. Correct the data, or schema/schema.pbtxt")
        verdict = {"fail_on": settings.fail_on, "tolerated": findings(anomalies, "warning")}
        uri = artifact_utils.get_single_uri(output_dict["verdict"])
        io_utils.write_string_file(os.path.join(uri, VERDICT_FILE), json.dumps(verdict, indent=2))


def _read_anomalies(artifact: Artifact) -> dict[str, anomalies_pb2.Anomalies]:
    from tfx.components.example_validator.executor import DEFAULT_FILE_NAME

    anomalies = {}
    for split in artifact_utils.decode_split_names(artifact.split_names):
        path = os.path.join(artifact_utils.get_split_uri([artifact], split), DEFAULT_FILE_NAME)
        with fileio.open(path, "rb") as file:
            anomalies[split] = anomalies_pb2.Anomalies.FromString(file.read())
    return anomalies


class DataGate(base_component.BaseComponent):
    """Fails on anomalies; output `verdict`: a DataVerdict artifact."""

    SPEC_CLASS = DataGateSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        anomalies: types.BaseChannel,
        statistics: types.BaseChannel,
        schema: types.BaseChannel,
        settings: GateSettings,
        code_fingerprint: str,
    ):
        """Wires the component.

        Args:
          anomalies: of ExampleValidator.
          statistics: of StatisticsGen, to compare the splits.
          schema: with the comparators.
          settings: from which severity on the run fails.
          code_fingerprint: makes TFX's cache notice changed code.
        """
        super().__init__(
            DataGateSpec(
                anomalies=anomalies,
                statistics=statistics,
                schema=schema,
                settings=settings.model_dump_json(),
                code_fingerprint=code_fingerprint,
                verdict=types.Channel(type=DataVerdict),
            )
        )
