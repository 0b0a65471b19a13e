"""What runs ServeCheck: asks the candidate some sentences of eval, in a serving process."""

import os
import tempfile

import tensorflow as tf
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils, path_utils

from components.serve_check.check import check_serving
from components.settings import ServeCheckSettings
from schema import features

BLESSED = "blessed"  # the property that TFX's Pusher looks at
BLESSED_FILE, NOT_BLESSED_FILE = "INFRA_BLESSED", "INFRA_NOT_BLESSED"


class Executor(base_executor.BaseExecutor):
    """Unpacks the artifacts for `check_serving` and writes the InfraBlessing."""

    def Do(self, input_dict, output_dict, exec_properties):
        """See ServeCheckSpec for the keys."""
        settings = ServeCheckSettings.model_validate_json(exec_properties["settings"])
        model = artifact_utils.get_single_instance(input_dict["model"])
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        eval_dir = artifact_utils.get_split_uri(input_dict["examples"], features.EVAL)
        sentences = [*settings.sentences, *_first_texts(eval_dir, settings.eval_rows)]
        with tempfile.TemporaryDirectory(prefix="sentiflow-serve-check-") as scratch:
            model_dir = path_utils.serving_model_path(model.uri)
            result = check_serving(
                model_dir, exec_properties["model_name"], sentences, settings, scratch
            )
        result.write(blessing.uri)
        blessing.set_int_custom_property(BLESSED, int(not result.failures))
        verdict = NOT_BLESSED_FILE if result.failures else BLESSED_FILE
        io_utils.write_string_file(os.path.join(blessing.uri, verdict), "")


def _first_texts(split_dir: str, count: int) -> list[str]:
    files = sorted(tf.io.gfile.glob(io_utils.all_files_pattern(split_dir)))
    rows = tf.data.TFRecordDataset(files, compression_type="GZIP").take(count)
    examples = (tf.train.Example.FromString(row) for row in rows.as_numpy_iterator())
    return [e.features.feature[features.TEXT].bytes_list.value[0].decode() for e in examples]
