"""TFX's own components, imported without their executors: those are imported where they run."""

from components.executors import beam_executor_at, executor_at
from pipeline.lazy_packages import named_only

with named_only():
    from tfx.components.example_validator.component import ExampleValidator
    from tfx.components.statistics_gen.component import StatisticsGen
    from tfx.components.trainer.component import Trainer
    from tfx.components.transform.component import Transform
    from tfx.components.tuner.component import Tuner

ExampleValidator.EXECUTOR_SPEC = executor_at("tfx.components.example_validator.executor.Executor")
StatisticsGen.EXECUTOR_SPEC = beam_executor_at("tfx.components.statistics_gen.executor.Executor")

__all__ = ["ExampleValidator", "StatisticsGen", "Trainer", "Transform", "Tuner"]
