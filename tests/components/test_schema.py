"""The curated schema, and the component that imports it."""

import json

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.types import standard_artifacts

from components.schema_importer import Executor, SchemaImporter, schema_with_labels
from schema import features


def test_both_features_are_required_bytes_with_one_value():
    schema = schema_with_labels(["no", "yes"])
    assert [feature.name for feature in schema.feature] == [features.TEXT, features.LABEL]
    for feature in schema.feature:
        assert feature.type == schema_pb2.BYTES
        assert feature.presence.min_fraction == 1.0
        assert feature.HasField("shape") and not feature.shape.dim


def test_the_domain_of_the_label_is_the_configured_one():
    schema = schema_with_labels(["no", "yes", "perhaps"])
    (domain,) = schema.string_domain
    assert schema.feature[1].domain == domain.name
    assert list(domain.value) == ["no", "yes", "perhaps"]


def test_the_label_has_comparators_for_drift_and_skew():
    label = schema_with_labels(["no", "yes"]).feature[1]
    assert label.drift_comparator.infinity_norm.threshold == 0.3
    assert label.skew_comparator.infinity_norm.threshold == 0.3


def test_labels_do_not_stay_from_one_call_to_the_next():
    schema_with_labels(["no", "yes"])
    assert list(schema_with_labels(["a", "b"]).string_domain[0].value) == ["a", "b"]


def test_the_executor_writes_the_artifact(tmp_path):
    artifact = standard_artifacts.Schema()
    artifact.uri = str(tmp_path)
    Executor().Do({}, {"schema": [artifact]}, {"labels": json.dumps(["é", "b"])})
    written = text_format.Parse((tmp_path / "schema.pbtxt").read_text(), schema_pb2.Schema())
    assert written == schema_with_labels(["é", "b"])


def test_labels_and_code_are_the_cache_key():
    component = SchemaImporter(labels=["no", "yes"], code_fingerprint="f00")
    assert component.exec_properties == {"labels": '["no", "yes"]', "code_fingerprint": "f00"}
    assert component.outputs["schema"].type is standard_artifacts.Schema
