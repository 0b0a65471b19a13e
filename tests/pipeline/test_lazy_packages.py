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
