"""Executors that a test has run in a worker."""

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tfx.dsl.components.base.base_executor import BaseExecutor

from components.errors import DataRefused


class Unpicklable(Exception):
    """As some libraries raise: its arguments are not its constructor's."""

    def __init__(self, left, right):
        super().__init__(f"{left} and {right}")


class Executor(BaseExecutor):
    """Does what the parameter `task` says."""

    def Do(self, input_dict, output_dict, exec_properties):
        getattr(self, exec_properties["task"])(exec_properties)

    def tell(self, given):
        logging.getLogger("components.trainer").info("epoch %d", 1)
        logging.getLogger("components.trainer").warning("slow")
        logging.getLogger("tensorflow").info("chatter")
        print("printed")
        os.write(2, b"from native code\n")

    def compute(self, given):
        import tensorflow as tf

        Path(given["file"]).write_text(str(int(tf.reduce_sum(tf.range(5)))))

    def name_itself(self, given):
        Path(given["file"]).write_text(str(os.getpid()))

    def see(self, given):
        Path(given["file"]).write_text(os.environ.get("CUDA_VISIBLE_DEVICES", "all"))

    def refuse(self, given):
        raise DataRefused("nothing to read")

    def end_of_file(self, given):
        raise EOFError("the file ends in the middle")

    def reset(self, given):
        raise ConnectionResetError("reset in the middle")

    def fail(self, given):
        raise Unpicklable("one", "two")

    def die(self, given):
        os.kill(os.getpid(), signal.SIGKILL)

    def hang(self, given):
        try:
            subprocess.run([sys.executable, "-c", "print('a process of its own')"], check=True)
            Path(given["file"]).write_text(str(os.getpid()))
            time.sleep(60)
        finally:
            Path(given["file"]).unlink()
