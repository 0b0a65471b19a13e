"""The configuration: one frozen, typed object, read from one YAML file and `--set` overrides."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, PositiveInt, ValidationError, model_validator
from pydantic_core import ErrorDetails

from components.drift.settings import DriftSettings
from components.errors import UsageError
from components.evaluation.slices import check_bounds
from components.model_card.settings import CardSettings
from components.serving.settings import ServingSettings
from components.settings import (
    DataSettings,
    EvaluateSettings,
    GateSettings,
    LinearBaselineSettings,
    ModelSettings,
    Section,
    ServeCheckSettings,
    TextSettings,
    TrainSettings,
    TuneSettings,
    VectorsSettings,
)
from pipeline.kubeflow_settings import KubeflowSettings
from pipeline.presets import PRESETS, preset_names

BATCH_STEP = "batch"  # `sentiflow batch` in `beam.nodes`; no step of the pipeline

BeamOption = Annotated[str, Field(pattern=r"^--[A-Za-z][\w-]*(=.*)?$")]


class DataSource(DataSettings):
    """DataSettings, and where the data lies."""

    path: str | None = Field(None, description="file or folder; may hold {SPAN} and {VERSION}")

    def settings(self) -> DataSettings:
        """What SentenceExampleGen needs besides the path."""
        return DataSettings(**self.model_dump(exclude={"path"}))


class BeamSettings(Section):
    """Apache Beam's runner: on this machine, unless options name another."""

    workers: PositiveInt = Field(1, description="of the runner on this machine")
    running_mode: Literal["in_memory", "multi_threading", "multi_processing"] = Field(
        "in_memory", description="workers in the run's own thread, in threads, or in processes"
    )
    options: tuple[BeamOption, ...] = Field(
        (), description="further Beam pipeline options, as --name=value"
    )
    nodes: dict[str, tuple[BeamOption, ...]] = Field(
        {}, description="options of single steps by id, instead of `options`"
    )

    @model_validator(mode="after")
    def _no_dask(self) -> "BeamSettings":
        for option in (*self.options, *chain.from_iterable(self.nodes.values())):
            if option.startswith("--runner=") and option.endswith("DaskRunner"):
                raise ValueError(f"{option}: this runner mixes up tagged outputs; name another")
        return self

    def pipeline_args(self, node_id: str) -> list[str]:
        """The settings of one step as Beam's command line options."""
        options = self.nodes.get(node_id, self.options)
        # Workers in other processes must import tfx first: it mends tensorflow_data_validation.
        args = ["--beam_plugins=tfx"]
        if not any(option.startswith("--runner=") for option in options):
            args += [
                # Not Beam's DirectRunner, which first downloads the binary of another one, Prism.
                "--runner=pipeline.beam_runner.LocalRunner",
                f"--direct_num_workers={self.workers}",
                f"--direct_running_mode={self.running_mode}",
                # Where no image is named, TFX packs itself for the workers: seconds, and 42 MB that
                # stay in the temporary folder, for each step. This runner uses no image.
                "--sdk_container_image=none",
            ]
        return [*args, *options]


class Config(Section):
    """Everything that a run depends on, but for the place where it runs."""

    name: str = Field("sentiflow", pattern=r"^[a-z0-9-]+$", description="of the pipeline")
    data: DataSource = DataSource()
    gate: GateSettings = GateSettings()
    text: TextSettings = TextSettings()
    vectors: VectorsSettings = VectorsSettings()
    model: ModelSettings = ModelSettings()
    train: TrainSettings = TrainSettings()
    tune: TuneSettings = TuneSettings()
    linear_baseline: LinearBaselineSettings = LinearBaselineSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    serve_check: ServeCheckSettings = ServeCheckSettings()
    card: CardSettings = CardSettings()
    serving: ServingSettings = ServingSettings()
    drift: DriftSettings = DriftSettings()
    beam: BeamSettings = BeamSettings()
    kubeflow: KubeflowSettings = KubeflowSettings()

    @property
    def trained_model(self) -> ModelSettings:
        """`model` with the embedding as wide as it gets: with the numbers of sub-words."""
        width = self.model.embedding_dim + self.vectors.added_dim
        return self.model.model_copy(update={"embedding_dim": width})


def load_config(file: str | None = None, overrides: tuple[str, ...] = ()) -> Config:
    """Reads a configuration.

    Args:
      file: the name of a preset, or a YAML file (./NAME where a preset is called NAME, too); None:
        the preset `default`.
      overrides: `key.subkey=value` strings, the value being YAML; they win over the file.

    Raises:
      UsageError: unreadable file, unknown key, key that stands twice, value out of range, or a
        bound that the labels do not allow; names file and key.
    """
    path = _find(file or "default")
    return _validate(_read_yaml(path), overrides, path)


def override(config: Config, overrides: Sequence[str]) -> Config:
    """A configuration with `key.subkey=value` strings applied, as `load_config` does.

    Raises:
      UsageError: unknown key or value out of range.
    """
    return _validate(config.model_dump(mode="json"), overrides, Path("configuration"))


def _validate(values: dict[str, Any], overrides: Sequence[str], path: Path) -> Config:
    for text in overrides:
        _apply(values, text)
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        raise UsageError(_in_words(error, path, overrides)) from None
    check_bounds(config.evaluate, config.data.labels)
    return config


def _find(file: str) -> Path:
    presets = preset_names()
    if file in presets:  # not first a file of that name: one may lie in the folder by chance
        return PRESETS / f"{file}.yaml"
    path = Path(file)
    if not path.is_file():
        raise UsageError(
            f"{file}: no such configuration file (and no preset; presets: {', '.join(presets)})"
        )
    return path


class _DuplicateKey(yaml.YAMLError):
    """A key that stands twice in one mapping."""

    def __init__(self, key: yaml.ScalarNode):
        super().__init__(f"key '{key.value}' stands twice; keep one")
        self.line = key.start_mark.line + 1


class _UniqueKeyLoader(yaml.SafeLoader):
    """Refuses a key that stands twice, where YAML would silently keep the last one."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Reads one mapping as written: before `<<` adds keys, which may stand in it already."""
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge" or not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                raise _DuplicateKey(key)
            seen.add(key.value)
        return node


def _parse(text: str) -> Any:
    return yaml.load(text, _UniqueKeyLoader)


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        values = _parse(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    except _DuplicateKey as error:
        raise UsageError(f"{path}:{error.line}: {error}") from None
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
        value = _parse(text)
    except _DuplicateKey as error:
        raise UsageError(f"--set {override}: {error}") from None
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


def _in_words(error: ValidationError, path: Path, overrides: Sequence[str]) -> str:
    set_keys = [override.partition("=")[0].strip() for override in overrides]
    problems = []
    for problem in error.errors():
        if _follows(problem):
            continue
        key = ".".join(str(part) for part in problem["loc"])
        from_set = any(f"{key}.".startswith(f"{k}.") or k.startswith(f"{key}.") for k in set_keys)
        source = "--set" if from_set else str(path)
        problems.append(f"{source}: {key}: {_problem_in_words(problem, key in set_keys)}")
    return "; ".join(problems)


def _follows(problem: ErrorDetails) -> bool:
    """Whether a list is too short only because items of it are refused, each by itself."""
    return problem["type"] == "too_short" and problem["ctx"]["actual_length"] < len(
        problem["input"]
    )


def _problem_in_words(problem: ErrorDetails, set_itself: bool) -> str:
    """What is wrong with a value, and the value, unless the words name it or it is a section."""
    match problem["type"]:
        case "extra_forbidden":
            return "unknown key"
        case "value_error" | "missing":  # the value is a whole section, or the words name it
            return problem["msg"].removeprefix("Value error, ")
        case "model_type":
            text = _section_in_words(problem, set_itself)
        case "tuple_type":
            text = "expected a list, as [a, b]"
        case "dict_type":
            text = "expected keys and values, as {a: b}"
        case _:
            text = problem["msg"].replace("Tuple should", "List should")
    return f"{text} (got {problem['input']!r})"


def _section_in_words(problem: ErrorDetails, set_itself: bool) -> str:
    section = Config.model_json_schema()["$defs"][problem["ctx"]["class_name"]]
    key = next(iter(section["properties"]))
    path = ".".join(str(part) for part in problem["loc"])
    hint = f": set {path}.{key}=VALUE" if set_itself else ""
    return f"this is a section, with keys like {key}{hint}"
