"""The real Evaluator in TFX pipelines, one run after another in one metadata store."""

from pathlib import Path

import pytest

from components.evaluation import outcome
from components.settings import Bound, EvaluateSettings

pytestmark = pytest.mark.e2e

LABELS = ["negative", "positive"]
ROWS = [
    *[("such a dull day", "negative")] * 4,
    *[("a good friend", "positive")] * 3,
    *[("happy birthday to the whole family and to all our friends too", "positive")] * 3,
]
# All met by the first model with nothing to spare; there is no blessed model to drop from.
SETTINGS = EvaluateSettings(
    min_accuracy=1.0,
    max_accuracy_drop=0.0,
    bounds=(
        Bound(metric="macro_f1", slice="length=11-20", min=1.0, max_drop=0.0),
        Bound(metric="auc", min=1.0),
    ),
)


@pytest.fixture
def run(tmp_path):
    """Runs importers, TFX's resolver of the latest blessed model and the Evaluator."""
    from ml_metadata.metadata_store import MetadataStore
    from tfx.dsl.components.common.importer import Importer
    from tfx.dsl.components.common.resolver import Resolver
    from tfx.dsl.input_resolution.strategies import latest_blessed_model_strategy
    from tfx.orchestration.local.local_dag_runner import LocalDagRunner
    from tfx.orchestration.metadata import sqlite_metadata_connection_config
    from tfx.orchestration.pipeline import Pipeline
    from tfx.types import Channel
    from tfx.types.standard_artifacts import Examples, Model, ModelBlessing

    from components.artifacts import LinearBaselineScores
    from components.evaluation.component import Evaluator
    from components.linear_baseline.result import LinearBaselineResult

    (tmp_path / "linear").mkdir()
    LinearBaselineResult(0.9, 0.9, 10, 10, 10, 5).write(str(tmp_path / "linear"))
    metadata = sqlite_metadata_connection_config(str(tmp_path / "metadata.db"))

    def run(
        model: Path, examples: Path, code_fingerprint: str, settings=SETTINGS, labels=LABELS
    ) -> tuple[str, str, list[str]]:
        """The evaluation's folder, the blessing's only file, the state of each Evaluator run."""
        data = Importer(
            source_uri=str(examples),
            artifact_type=Examples,
            properties={"split_names": '["eval"]'},
            custom_properties={"payload_format": "FORMAT_TF_EXAMPLE"},
        ).with_id("data")
        candidate = Importer(source_uri=str(model), artifact_type=Model).with_id("candidate")
        baseline = Resolver(
            strategy_class=latest_blessed_model_strategy.LatestBlessedModelStrategy,
            model=Channel(type=Model),
            model_blessing=Channel(type=ModelBlessing),
        ).with_id("baseline")
        linear = Importer(
            source_uri=str(tmp_path / "linear"), artifact_type=LinearBaselineScores
        ).with_id("linear")
        evaluator = Evaluator(
            examples=data.outputs["result"],
            model=candidate.outputs["result"],
            baseline_model=baseline.outputs["model"],
            linear_baseline=linear.outputs["result"],
            settings=settings,
            labels=labels,
            code_fingerprint=code_fingerprint,
        )
        components = [data, candidate, baseline, linear, evaluator]
        LocalDagRunner().run(
            Pipeline(
                pipeline_name="evaluation",
                pipeline_root=str(tmp_path / "artifacts"),
                components=components,
                metadata_connection_config=metadata,
                enable_cache=True,
            )
        )
        store = MetadataStore(metadata)
        [kind] = [t for t in store.get_execution_types() if t.name.endswith("Evaluator")]
        states = [
            execution.State.Name(execution.last_known_state)
            for execution in store.get_executions_by_type(kind.name)
        ]
        evaluation, blessing = (
            max(store.get_artifacts_by_type(kind), key=lambda artifact: artifact.id)
            for kind in ("ModelEvaluation", "ModelBlessing")
        )
        [file] = Path(blessing.uri).iterdir()
        blessed = blessing.custom_properties["blessed"].int_value
        assert file.name == ("BLESSED" if blessed else "NOT_BLESSED"), "what the Pusher looks at"
        return evaluation.uri, file.name, states

    return run


def test_blessed_then_not_blessed_against_it(run, toy, tmp_path):
    good = toy.save_model(
        tmp_path / "good" / "Format-Serving",
        {"negative": ["dull"], "positive": ["good", "happy"]},
    )
    worse = toy.save_model(
        tmp_path / "worse" / "Format-Serving", {"negative": ["dull"], "positive": ["good"]}
    )
    examples = toy.write_examples(tmp_path / "examples" / "Split-eval", ROWS).parent

    evaluation, blessing, states = run(good.parent, examples, "code 1")
    assert (blessing, states) == ("BLESSED", ["COMPLETE"])
    found = outcome.read(evaluation)
    assert found["missed_bounds"] == [] and found["mistakes"] == []
    assert found["metrics"]["accuracy"] == 1.0
    assert found["blessed_before"] is None

    evaluation, blessing, states = run(worse.parent, examples, "code 1")
    assert (blessing, states) == ("NOT_BLESSED", ["COMPLETE"] * 2)
    found = outcome.read(evaluation)
    assert found["missed_bounds"] == [
        "accuracy 0.7 is 0.3 below the blessed model's 1 (allowed: 0)",
        "accuracy is 0.7, under its bound 1",
        "macro_f1 0 on length=11-20 is 1 below the blessed model's 1 (allowed: 0)",
        "macro_f1 on length=11-20 is 0, under its bound 1",
    ]
    assert found["metrics"]["confusion_matrix"] == [[4, 0], [3, 3]]
    assert found["blessed_before"]["accuracy"] == 1.0
    assert (
        found["mistakes"]
        == [
            {
                "text": "happy birthday to the whole family and to all our friends too",
                "label": "positive",
                "predicted": "negative",
                "probability": 0.5,
                "unknown": "happy birthday to the whole family and all our friends too".split(),
            }
        ]
        * 3
    )

    *_, states = run(worse.parent, examples, "code 1")
    assert states == ["COMPLETE", "COMPLETE", "CACHED"]
    *_, states = run(worse.parent, examples, "code 2")
    assert states == ["COMPLETE", "COMPLETE", "CACHED", "COMPLETE"]


def test_a_blessed_model_of_other_classes_is_no_measure(run, toy, tmp_path, caplog):
    stars = toy.save_model(
        tmp_path / "stars" / "Format-Serving", {"one": ["dull"], "five": ["good", "happy"]}
    )
    model = toy.save_model(
        tmp_path / "good" / "Format-Serving",
        {"negative": ["dull"], "positive": ["good", "happy"]},
    )
    rated = [(text, {"negative": "one", "positive": "five"}[label]) for text, label in ROWS]
    rated_examples = toy.write_examples(tmp_path / "rated" / "Split-eval", rated).parent
    examples = toy.write_examples(tmp_path / "examples" / "Split-eval", ROWS).parent

    _, blessing, _ = run(stars.parent, rated_examples, "code", labels=["one", "five"])
    assert blessing == "BLESSED"
    evaluation, blessing, _ = run(model.parent, examples, "code")
    found = outcome.read(evaluation)
    assert (blessing, found["missed_bounds"]) == ("BLESSED", [])
    assert found["blessed_before"] is None
    assert "whose classes are all others: one, five" in caplog.text


def test_not_blessed_for_too_small_a_lead_over_the_linear_baseline(run, toy, tmp_path):
    model = toy.save_model(
        tmp_path / "good" / "Format-Serving",
        {"negative": ["dull"], "positive": ["good", "happy"]},
    )
    examples = toy.write_examples(tmp_path / "examples" / "Split-eval", ROWS).parent

    def judged(lead: float) -> tuple[str, list[str]]:
        """The blessing's file and the missed bounds."""
        settings = EvaluateSettings(beat_baseline_by=lead)
        evaluation, file, _ = run(model.parent, examples, "code", settings)
        return file, outcome.read(evaluation)["missed_bounds"]

    # The baseline's accuracy is 0.9, the model's 1.
    assert judged(0.1) == ("BLESSED", [])
    assert judged(0.0) == ("BLESSED", [])
    missed = (
        "accuracy 1 is 0.1 above the linear baseline's 0.9 "
        "(evaluate.beat_baseline_by: at least 0.11 above)"
    )
    assert judged(0.11) == ("NOT_BLESSED", [missed])
