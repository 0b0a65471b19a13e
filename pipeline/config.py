"""The configuration: one frozen, typed object, read from one YAML file and `--set` overrides."""

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, PositiveInt, ValidationError

from components.errors import UsageError
from components.evaluation.slices import check_bounds
from components.settings import (
    DataSettings,
    EvaluateSettings,
    GateSettings,
    ModelSettings,
    Section,
    ServeCheckSettings,
    ServingSettings,
    TextSettings,
    TrainSettings,
)

PRESETS = Path(__file__).parent / "configs"


class DataSource(DataSettings):
    """DataSettings, and where the data lies."""

    path: str | None = Field(None, description="file or folder; may hold {SPAN} and {VERSION}")

    def settings(self) -> DataSettings:
        """What SentenceExampleGen needs besides the path."""
        return DataSettings(**self.model_dump(exclude={"path"}))


class BeamSettings(Section):
    """Apache Beam's runner on this machine."""

    workers: PositiveInt = Field(1, description="of the DirectRunner")
    running_mode: Literal["in_memory", "multi_threading", "multi_processing"] = "in_memory"
    options: tuple[str, ...] = Field(
        (), description="further Beam pipeline options, as --name=value"
    )

    def pipeline_args(self) -> list[str]:
        """The settings as Beam's command line options."""
        return [
            # Beam's DirectRunner would first download the binary of another runner, Prism.
            "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner",
            # Workers in other processes must import tfx first: it mends tensorflow_data_validation.
            "--beam_plugins=tfx",
            f"--direct_num_workers={self.workers}",
            f"--direct_running_mode={self.running_mode}",
            *self.options,
        ]


class Config(Section):
    """Everything that a run depends on, but for the place where it runs."""

    name: str = Field("sentiflow", pattern=r"^[a-z0-9-]+$", description="of the pipeline")
    data: DataSource = DataSource()
    gate: GateSettings = GateSettings()
    text: TextSettings = TextSettings()
    model: ModelSettings = ModelSettings()
    train: TrainSettings = TrainSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    serve_check: ServeCheckSettings = ServeCheckSettings()
    serving: ServingSettings = ServingSettings()
    beam: BeamSettings = BeamSettings()


def load_config(file: str | None = None, overrides: tuple[str, ...] = ()) -> Config:
    """Reads a configuration.

    Args:
      file: a YAML file, or the name of a preset in `pipeline/configs/`; None: `default`.
      overrides: `key.subkey=value` strings, the value being YAML; they win over the file.

    Raises:
      UsageError: unreadable file, unknown key, value out of range, or a bound that the labels do
        not allow; names file and key.
    """
    path = _find(file or "default")
    values = _read_yaml(path)
    for override in overrides:
        _apply(values, override)
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        raise UsageError(_in_words(error, path, overrides)) from None
    check_bounds(config.evaluate, config.data.labels)
    return config


def _find(file: str) -> Path:
    path = Path(file)
    preset = PRESETS / f"{file}.yaml"
    if not path.is_file() and preset.is_file():
        return preset
    if not path.is_file():
        presets = ", ".join(sorted(p.stem for p in PRESETS.glob("*.yaml")))
        raise UsageError(f"{file}: no such configuration file (and no preset; presets: {presets})")
    return path


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise UsageError(f"{path}: expected keys and values, found {type(values).__name__}")
    return values


def _apply(values: dict[str, Any], override: str) -> None:
    """Sets one `a.b=value` in nested `values`, making the dicts on the way."""
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise UsageError(f"--set {override}: expected KEY=VALUE, as in --set train.seed=2")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise UsageError(f"--set {override}: the value is not YAML") from None
    *parents, last = key.strip().split(".")
    for parent in parents:
        child = values.get(parent)
        if child is None:
            child = values[parent] = {}
        if not isinstance(child, dict):
            raise UsageError(f"--set {override}: '{parent}' is a value, it has no '{last}'")
        values = child
    values[last] = value


def _in_words(error: ValidationError, path: Path, overrides: tuple[str, ...]) -> str:
    set_keys = [override.partition("=")[0].strip() for override in overrides]
    problems = []
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            text = "unknown key"
        else:
            text = f"{problem['msg'].removeprefix('Value error, ')} (got {problem['input']!r})"
        from_set = any(f"{key}.".startswith(f"{k}.") or k.startswith(f"{key}.") for k in set_keys)
        source = "--set" if from_set else str(path)
        problems.append(f"{source}: {key}: {text}")
    return "; ".join(problems)
