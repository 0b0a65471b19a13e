"""The mix of labels, compared by TFDV with the label's drift comparator in schema/schema.pbtxt."""

from collections.abc import Mapping

# Comes first: it stands in for a module that tensorflow_data_validation 1.16 imports and that
# tfx-bsl 1.21 no longer has.
import tfx  # noqa: F401

# isort: split
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from components.schema_importer import schema_with_labels
from schema import features


def schema_threshold() -> float:
    """What the schema allows the share of a label to differ by (L-infinity)."""
    return _comparator(schema_with_labels([])).threshold


def label_distance(reference: Mapping[str, int], new: Mapping[str, int]) -> float:
    """What TFDV measures: the largest difference of a label's share, 0 to 1.

    Args:
      reference, new: rows by label, not empty.
    """
    schema = schema_with_labels(sorted({*reference, *new}))
    found = tfdv.validate_statistics(
        _statistics(new), schema, previous_statistics=_statistics(reference)
    )
    (compared,) = found.drift_skew_info
    (measurement,) = compared.drift_measurements
    return measurement.value


def _comparator(schema: schema_pb2.Schema) -> schema_pb2.InfinityNorm:
    (label,) = (feature for feature in schema.feature if feature.name == features.LABEL)
    return label.drift_comparator.infinity_norm


def _statistics(labels: Mapping[str, int]) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Counts in the form in which StatisticsGen leaves them."""
    statistics = statistics_pb2.DatasetFeatureStatisticsList()
    rows = sum(labels.values())
    dataset = statistics.datasets.add(num_examples=rows)
    feature = dataset.features.add(type=statistics_pb2.FeatureNameStatistics.BYTES)
    feature.path.step.append(features.LABEL)
    common = feature.string_stats.common_stats
    common.num_non_missing = common.tot_num_values = rows
    common.min_num_values = common.max_num_values = 1
    common.avg_num_values = 1
    feature.string_stats.unique = len(labels)
    by_rank = sorted(labels.items(), key=lambda item: -item[1])
    for rank, (label, count) in enumerate(by_rank):
        feature.string_stats.rank_histogram.buckets.add(
            low_rank=rank, high_rank=rank, label=label, sample_count=count
        )
    return statistics
