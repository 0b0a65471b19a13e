"""The configuration: presets, files, overrides, and every refusal in one line."""

import pytest

from components.errors import UsageError
from pipeline.config import BeamSettings, Config, load_config


def write(tmp_path, text):
    path = tmp_path / "my.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_default_preset_is_the_defaults_of_the_types():
    assert load_config() == Config()


def test_file_and_overrides_win_over_defaults(tmp_path):
    file = write(tmp_path, "train: {seed: 5, batch_size: 8}\n")
    config = load_config(file, ("train.seed=6", "data.labels=[a, b, c]"))
    assert (config.train.seed, config.train.batch_size) == (6, 8)
    assert config.data.labels == ("a", "b", "c")


def test_later_override_wins():
    assert load_config(None, ("train.seed=2", "train.seed=3")).train.seed == 3


def test_null_in_a_section_does_not_break_an_override(tmp_path):
    assert load_config(write(tmp_path, "train:\n"), ("train.seed=2",)).train.seed == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train: {sed: 1}", "my.yaml: train.sed: unknown key"),
        (
            "train: {batch_size: 0}",
            "my.yaml: train.batch_size: Input should be greater than 0 (got 0)",
        ),
        ("data: {labels: [a, a]}", "labels must be distinct and not empty, got ['a', 'a']"),
        ("data: {splits: {train: 1}}", "splits must name train and eval, missing: ['eval']"),
        ("train: {max_epochs: null}", "max_epochs and max_steps are both null"),
        ("evaluate: {bounds: [{metric: accuracy}]}", "a bound needs min or max_drop"),
        (
            "serve_check: {p99_ms: .inf}",
            "serve_check.p99_ms: Input should be a finite number",
        ),
        ("- a\n- b\n", "my.yaml: expected keys and values, found list"),
        ("a: [", "my.yaml: not YAML"),
    ],
)
def test_wrong_file_is_refused_in_one_line(tmp_path, text, message):
    with pytest.raises(UsageError) as refusal:
        load_config(write(tmp_path, text))
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.seed", "--set train.seed: expected KEY=VALUE"),
        ("=3", "--set =3: expected KEY=VALUE"),
        ("train.sed=3", "--set: train.sed: unknown key"),
        ("train.seed.x=3", "--set train.seed.x=3: 'seed' is a value, it has no 'x'"),
        ("train=3", "--set: train"),
        ("data.labels=[a", "--set data.labels=[a: the value is not YAML"),
    ],
)
def test_wrong_override_is_refused_in_one_line(override, message):
    with pytest.raises(UsageError) as refusal:
        load_config(None, (override,))
    assert message in str(refusal.value)


def test_bound_on_an_unknown_label_is_refused():
    bound = "evaluate.bounds=[{metric: accuracy, slice: label=mixed, min: 0.5}]"
    with pytest.raises(UsageError, match="mixed"):
        load_config(None, (bound,))


def test_missing_file_names_the_presets():
    presets = "presets: book, default, sst2_phrases\\)"
    with pytest.raises(UsageError, match=rf"nope.yaml: no such .* {presets}"):
        load_config("nope.yaml")


def test_book_preset_holds_the_articles_values():
    config = load_config("book")
    assert config.train.batch_size == 4
    assert config.model.units == 16
    assert len(config.data.labels) == 2
    assert config.text.max_length == 4
    assert config.model.embedding_dim == 64
    assert config.train.max_steps == 1000
    assert config.model.output_dropout == pytest.approx(0.2)  # keep probability 0.8
    assert config.model.dense_initializer == "truncated_normal"
    assert config.model.dense_bias == 0.1


def test_configuration_is_frozen():
    with pytest.raises(ValueError):
        Config().name = "other"


LOCAL_RUNNER = "--runner=pipeline.beam_runner.LocalRunner"


def test_beam_options():
    settings = BeamSettings(workers=2, running_mode="multi_processing", options=("--x=1",))
    assert settings.pipeline_args("Transform") == [
        "--beam_plugins=tfx",
        LOCAL_RUNNER,
        "--direct_num_workers=2",
        "--direct_running_mode=multi_processing",
        "--sdk_container_image=none",
        "--x=1",
    ]


def test_another_beam_runner_replaces_the_local_one():
    settings = BeamSettings(options=("--runner=DataflowRunner", "--region=r"))
    assert settings.pipeline_args("Transform") == [
        "--beam_plugins=tfx",
        "--runner=DataflowRunner",
        "--region=r",
    ]


def test_beam_options_of_one_step_stand_instead_of_the_common_ones():
    settings = BeamSettings(
        options=("--runner=DataflowRunner",), nodes={"Evaluator": (), "Transform": ("--y=2",)}
    )
    assert settings.pipeline_args("StatisticsGen")[1:] == ["--runner=DataflowRunner"]
    assert settings.pipeline_args("Evaluator")[1] == LOCAL_RUNNER
    assert settings.pipeline_args("Transform")[-1] == "--y=2"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("beam.options=[runner=FlinkRunner]", "--set: beam.options.0: String should match"),
        ("beam.options=[--runner, FlinkRunner]", "--set: beam.options.1: String should match"),
        ("beam.nodes.Transform=[x]", "--set: beam.nodes.Transform.0: String should match"),
        ("beam.nodes.Transform=[--runner=DaskRunner]", "mixes up tagged outputs; name another"),
    ],
)
def test_wrong_beam_option_is_refused_in_one_line(override, message):
    with pytest.raises(UsageError) as refusal:
        load_config(None, (override,))
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("preset", ["sst2_phrases", "book", "default"])
def test_presets_are_whole(preset):
    config = load_config(preset)
    assert config.vectors.given == (preset != "book")


@pytest.mark.parametrize(
    ("override", "width"),
    [
        ("train.seed=1", 50 + 64),
        ("vectors.subword_dim=256", 50 + 256),
        ("vectors.subwords=null", 50),
        ("vectors.package=null", 50),
        ("vectors={path: glove.txt, package: null}", 50 + 64),
    ],
)
def test_sub_words_widen_the_embedding_that_is_trained(override, width):
    assert load_config(None, (override,)).trained_model.embedding_dim == width


def test_the_books_model_has_no_sub_words():
    config = load_config("book", ("vectors.path=mine.txt",))
    assert config.trained_model.embedding_dim == 64
