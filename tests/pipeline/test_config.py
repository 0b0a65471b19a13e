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
        ("train: 3", "my.yaml: train: this is a section, with keys like batch_size (got 3)"),
        ("train:\n", "my.yaml: train: this is a section, with keys like batch_size (got None)"),
        ("train: {seed: 1}\ntext: {}\ntrain: {}\n", "my.yaml:3: key 'train' stands twice"),
        ("train:\n  seed: 1\n  seed: 2\n", "my.yaml:3: key 'seed' stands twice; keep one"),
        ("evaluate: {bounds: [{min: 1,\n min: 0}]}", "my.yaml:2: key 'min' stands twice"),
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
        ("data.labels=[a", "--set data.labels=[a: the value is not YAML"),
        ("train={seed: 1, seed: 2}", "--set train={seed: 1, seed: 2}: key 'seed' stands twice"),
    ],
)
def test_wrong_override_is_refused_in_one_line(override, message):
    with pytest.raises(UsageError) as refusal:
        load_config(None, (override,))
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "train=3",
            "--set: train: this is a section, with keys like batch_size: "
            "set train.batch_size=VALUE (got 3)",
        ),
        (
            "evaluate.bounds=[3]",
            "--set: evaluate.bounds.0: this is a section, with keys like metric (got 3)",
        ),
        ("evaluate.bounds=[{min: 1}]", "--set: evaluate.bounds.0.metric: Field required"),
        (
            "train.max_epochs=null",
            "--set: train: max_epochs and max_steps are both null: training would never end",
        ),
        ("data.labels=a,b", "--set: data.labels: expected a list, as [a, b] (got 'a,b')"),
        ("tune.learning_rate=3", "--set: tune.learning_rate: expected a list, as [a, b] (got 3)"),
        (
            "data.labels=[a]",
            "--set: data.labels: List should have at least 2 items after validation, not 1 "
            "(got ['a'])",
        ),
        (
            "tune.units=[0]",  # not also that the list is too short without it
            "--set: tune.units.0: Input should be greater than 0 (got 0)",
        ),
        (
            "train.seed={a: 1}",
            "--set: train.seed: Input should be a valid integer (got {'a': 1})",
        ),
        ("data.splits=3", "--set: data.splits: expected keys and values, as {a: b} (got 3)"),
    ],
)
def test_what_is_no_list_or_section_is_said_in_yamls_words(override, message):
    with pytest.raises(UsageError) as refusal:
        load_config(None, (override,))
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("labels", "texts"),
    [
        ("[0, 1]", ("0", "1")),
        ("[-1, 0, 1]", ("-1", "0", "1")),
        ("[0, '1', two]", ("0", "1", "two")),
        ("['no', \"yes\"]", ("no", "yes")),
    ],
)
def test_labels_that_are_whole_numbers_are_their_digits(labels, texts):
    assert load_config(None, (f"data.labels={labels}",)).data.labels == texts


@pytest.mark.parametrize(
    ("labels", "got"),
    [
        ("[no, yes]", "False"),
        ("[a, true]", "True"),
        ("[1.0, 2.0]", "1.0"),
        ("[a, null]", "None"),
        ("[[a], b]", "['a']"),
    ],
)
def test_labels_that_yaml_reads_as_something_else_are_to_be_quoted(labels, got):
    with pytest.raises(UsageError) as refusal:
        load_config(None, (f"data.labels={labels}",))
    assert str(refusal.value) == (
        f"--set: data.labels: labels must be texts, got {got}: YAML reads no, yes, true, null and "
        '1.0 as other things; quote it: ["no", "yes"]'
    )


@pytest.mark.parametrize("label", ["negative ", " negative", "\N{NO-BREAK SPACE}negative"])
def test_a_label_that_no_record_can_have_is_refused(tmp_path, label):
    with pytest.raises(UsageError) as refusal:
        load_config(write(tmp_path, f"data: {{labels: ['{label}', positive]}}"))
    assert str(refusal.value).endswith(
        f"my.yaml: data: labels must not begin or end with blanks (no row's do), got [{label!r}]"
    )


def test_merged_keys_are_no_duplicates(tmp_path):
    text = """
    kubeflow:
      nodes:
        Trainer: {<<: &big {<<: &small {cpu: "2", retries: 1}, cpu: "8"}, retries: 0}
        Tuner: {<<: [*big, *small]}
    """
    nodes = load_config(write(tmp_path, text)).kubeflow.nodes
    assert {id: (node.cpu, node.retries) for id, node in nodes.items()} == {
        "Trainer": ("8", 0),
        "Tuner": ("8", 1),
    }


@pytest.mark.parametrize(("file", "seed"), [(None, 1), ("default", 1), ("./default", 7)])
def test_a_file_with_a_presets_name_does_not_replace_it(monkeypatch, tmp_path, file, seed):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "default").write_text("train: {seed: 7}\n", encoding="utf-8")
    assert load_config(file).train.seed == seed


def test_a_path_without_its_ending_is_no_preset(tmp_path):
    path = write(tmp_path, "train: {seed: 7}\n")
    with pytest.raises(UsageError, match="my: no such configuration file"):
        load_config(path.removesuffix(".yaml"))


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
