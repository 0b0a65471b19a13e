"""Deferred imports, each in a process of its own: they change how modules are loaded."""

import subprocess
import sys
import textwrap

PREAMBLE = """
import sys
from pipeline.lazy_packages import HEAVY, defer_heavy_imports
def loaded(name):
    return type(sys.modules.get(name)).__name__ == "module"
defer_heavy_imports()
"""


def run(code):
    script = PREAMBLE + textwrap.dedent(code)
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_the_launcher_needs_neither_tensorflow_nor_the_components():
    output = run("""
        from tfx.orchestration.portable import launcher
        print([name for name in HEAVY if loaded(name)])
        import tensorflow
        print(loaded("tensorflow"), tensorflow.__version__[:2], loaded("tensorflow"))
        print(int(tensorflow.constant(1) + 1))
    """)
    assert output == ["[]", "False 2. True", "2"]


def test_modules_that_only_the_loaded_package_knows():
    """TensorFlow adds to its own search path while it loads."""
    output = run("""
        import tensorflow.compat.v1 as tf
        print(loaded("tensorflow"), tf.executing_eagerly())
    """)
    assert output[-1] == "True True"


def test_a_deferred_package_can_be_pickled():
    """Beam pickles functions together with the modules that they name."""
    output = run("""
        import pickle, tensorflow
        print(pickle.loads(pickle.dumps(tensorflow)) is tensorflow)
    """)
    assert output == ["True"]


def test_threads_wait_for_the_one_that_loads():
    output = run("""
        import threading, tensorflow
        results = []
        def use():
            results.append(int(tensorflow.constant(2) * 21))
        threads = [threading.Thread(target=use) for _ in range(4)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print(results)
    """)
    assert output[-1] == "[42, 42, 42, 42]"


def test_the_pipeline_is_defined_without_what_it_runs_with():
    output = run("""
        from pipeline.lazy_packages import HEAVY_TO_DEFINE, define_lightly
        define_lightly()
        from pipeline.definition import Locations, create_pipeline
        from pipeline.config import load_config
        from tfx.dsl.compiler.compiler import Compiler
        from tfx.orchestration.metadata import sqlite_metadata_connection_config
        store = sqlite_metadata_connection_config("./metadata.db")
        config = load_config(None, ["tune.enabled=true"])
        ir = Compiler().compile(create_pipeline(config, "data", Locations.below("."), store))
        print(len(ir.nodes), [name for name in HEAVY_TO_DEFINE if loaded(name)])
        heavy = {"tensorflow_transform", "tensorflow_data_validation", "keras", "keras_tuner"}
        print(sorted(heavy & set(sys.modules)))
    """)
    assert output == ["15 []", "[]"]


def test_what_was_only_named_can_be_imported_later():
    output = run("""
        from pipeline.tfx_components import StatisticsGen, Tuner
        from tfx.components.statistics_gen.executor import Executor
        from tfx.components.statistics_gen import executor
        import tensorflow_data_validation
        print(StatisticsGen.EXECUTOR_SPEC.class_path)
        print(issubclass(Executor, object), executor.Executor is Executor)
        print(tensorflow_data_validation.StatsOptions.__module__)
    """)
    assert output[-3:] == [
        "tfx.components.statistics_gen.executor.Executor",
        "True True",
        "tensorflow_data_validation.statistics.stats_options",
    ]


def test_who_asks_whether_tensorflow_is_there_is_told_no():
    output = run("""
        from pipeline.lazy_packages import without_deferred
        import tensorflow
        with without_deferred():
            print("tensorflow" in sys.modules)
        print(sys.modules["tensorflow"] is tensorflow, loaded("tensorflow"))
    """)
    assert output == ["False", "True False"]


def test_a_span_is_found_where_the_local_file_system_is_preferred(tmp_path):
    """TFX looks at the sizes of the files, as TensorFlow tells them."""
    (tmp_path / "span-3").mkdir()
    (tmp_path / "span-3" / "data.tsv").write_text("label\ttext\n")
    output = run(f"""
        from pipeline.lazy_packages import define_lightly
        define_lightly()
        from tfx.dsl.io import fileio
        from components.ingest.source import resolve_path
        print(fileio.stat("{tmp_path}/span-3/data.tsv").length)
        found = resolve_path("{tmp_path}/span-{{SPAN}}", None)
        print(found.span, found.path)
    """)
    assert output == ["11", f"3 {tmp_path}/span-3"]


def test_a_package_can_seem_not_to_be_installed():
    output = run("""
        from pipeline.lazy_packages import without
        import json
        with without(["json", "wave"]):
            import json
            try:
                import wave
            except ImportError:
                print("no wave")
        import wave
        print(wave.__name__)
    """)
    assert output == ["no wave", "wave"]
