"""The pipeline: every step, in the order in which the data goes through it."""

from dataclasses import dataclass

# Comes first: who imports TFX's components otherwise, imports all that they run with, too.
from pipeline.tfx_components import ExampleValidator, StatisticsGen

# isort: split
from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.components.base.base_beam_component import BaseBeamComponent
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common.resolver import Resolver
from tfx.orchestration.data_types import RuntimeParameter
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import trainer_pb2
from tfx.types import Channel
from tfx.types.standard_artifacts import Model, ModelBlessing

from components.data_gate import DataGate
from components.drift.component import ProfileGen
from components.errors import UsageError
from components.evaluation.component import Evaluator
from components.ingest.component import SentenceExampleGen
from components.latest_blessed import BLESSING, CANDIDATE, MODEL, LatestOtherBlessedModel
from components.linear_baseline.component import LinearBaseline
from components.pusher import Pusher
from components.schema_importer import SchemaImporter
from components.serve_check.component import ServeCheck
from components.word_vectors.component import WordVectors
from components.word_vectors.consumers import Trainer, Transform, Tuner
from pipeline.config import BATCH_STEP, BeamSettings, Config
from pipeline.fingerprint import code_fingerprint


@dataclass(frozen=True)
class Locations:
    """Where a run leaves what it makes; each a folder on this machine or `gs://…`."""

    artifacts: str
    serving: str
    rejects: str
    checkpoints: str

    @classmethod
    def below(cls, root: str) -> "Locations":
        """The layout of a workdir, and of the folder that the nodes in a cluster share."""
        return cls(
            *(f"{root}/{name}" for name in ("artifacts", "serving", "rejects", "checkpoints"))
        )


def create_pipeline(
    config: Config,
    data_path: str | RuntimeParameter,
    locations: Locations,
    metadata: metadata_store_pb2.ConnectionConfig,
) -> Pipeline:
    """Wires the steps; nothing is read or written here.

    Args:
      config: the resolved configuration.
      data_path: file or folder of sentences, may hold {SPAN} and {VERSION}; a runtime parameter
        where a run gives it.
      locations: where artifacts, served models, rejects and checkpoints go.
      metadata: connection to the metadata store.

    Raises:
      UsageError: the configuration names a step that there is not.
    """
    labels = list(config.data.labels)

    # 1. Read, check, label and split the sentences.
    example_gen = SentenceExampleGen(
        data_path=data_path,
        settings=config.data.settings(),
        code_fingerprint=code_fingerprint("components.ingest.component"),
        rejects_dir=locations.rejects,
    )

    # 2. Look at the data, and stop the run if it is not as the schema says.
    schema = SchemaImporter(
        labels=labels, code_fingerprint=code_fingerprint("components.schema_importer")
    )
    statistics = StatisticsGen(
        examples=example_gen.outputs["examples"], schema=schema.outputs["schema"]
    )
    validator = ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    gate = DataGate(
        anomalies=validator.outputs["anomalies"],
        statistics=statistics.outputs["statistics"],
        schema=schema.outputs["schema"],
        settings=config.gate,
        code_fingerprint=code_fingerprint("components.data_gate"),
    )

    # 3. Choose the word vectors, if there are any: beside step 2, for which they need not wait.
    # Tokens to ids, padded to max_length.
    vectors = None
    if config.vectors.given:
        vectors = WordVectors(
            examples=example_gen.outputs["examples"],
            settings=config.vectors,
            text=config.text,
            dimension=config.model.embedding_dim,
            code_fingerprint=code_fingerprint("components.word_vectors.component"),
        )
    word_vectors = vectors.outputs["word_vectors"] if vectors else None
    transform = Transform(
        word_vectors=word_vectors,
        examples=example_gen.outputs["examples"],
        schema=schema.outputs["schema"],
        preprocessing_fn="components.transform.preprocessing_fn",
        custom_config={
            "text": config.text.model_dump(mode="json"),
            "labels": labels,
            "code_fingerprint": code_fingerprint("components.transform"),
        },
        # Nothing reads either: StatisticsGen has statistics, the metadata store caches the step.
        disable_statistics=True,
        disable_analyzer_cache=True,
    )
    transform.add_upstream_node(gate)

    # 4. Search hyperparameters, if that is wanted; fit and export the model.
    training = {
        "word_vectors": word_vectors,
        "examples": transform.outputs["transformed_examples"],
        "transform_graph": transform.outputs["transform_graph"],
        "train_args": trainer_pb2.TrainArgs(splits=["train"]),
        "eval_args": trainer_pb2.EvalArgs(splits=["eval"]),
    }
    training_config = {
        **config.model_dump(mode="json", include={"text", "train"}),
        "model": config.trained_model.model_dump(mode="json"),
        "fine_tune_after": config.vectors.fine_tune_after,
        "labels": labels,
        "checkpoint_root": locations.checkpoints,
    }
    tuner = None
    if config.tune.enabled:
        tuner = Tuner(
            **training,
            tuner_fn="components.tuning.search.tuner_fn",
            custom_config={
                **training_config,
                "tune": config.tune.model_dump(mode="json"),
                "code_fingerprint": code_fingerprint("components.tuning.search"),
            },
        )
    trainer = Trainer(
        **training,
        hyperparameters=tuner.outputs["best_hyperparameters"] if tuner else None,
        run_fn="components.trainer.run_fn",
        custom_config={
            **training_config,
            "code_fingerprint": code_fingerprint("components.trainer"),
        },
    )

    # 5. Judge it, against its bounds, a linear model and the latest blessed model.
    linear_baseline = LinearBaseline(
        examples=example_gen.outputs["examples"],
        settings=config.linear_baseline,
        text=config.text,
        labels=labels,
        code_fingerprint=code_fingerprint("components.linear_baseline.component"),
    )
    linear_baseline.add_upstream_node(gate)
    blessed_before = Resolver(
        strategy_class=LatestOtherBlessedModel,
        **{
            MODEL: Channel(type=Model),
            BLESSING: Channel(type=ModelBlessing),
            CANDIDATE: trainer.outputs["model"],
        },
    )
    evaluator = Evaluator(
        examples=example_gen.outputs["examples"],
        model=trainer.outputs["model"],
        baseline_model=blessed_before.outputs[MODEL],
        linear_baseline=linear_baseline.outputs["scores"],
        settings=config.evaluate,
        labels=labels,
        code_fingerprint=code_fingerprint("components.evaluation.component"),
    )

    # 6. Try it in a real serving process, beside the Evaluator: each alone can keep it from being
    # pushed. Then hand it to serving, with a profile of eval that new text is compared with.
    serve_check = ServeCheck(
        model=trainer.outputs["model"],
        examples=example_gen.outputs["examples"],
        settings=config.serve_check,
        model_name=config.serving.model_name,
        code_fingerprint=code_fingerprint("components.serve_check.component"),
    )
    profile_gen = ProfileGen(
        model=trainer.outputs["model"],
        examples=example_gen.outputs["examples"],
        max_rows=config.drift.max_rows,
        code_fingerprint=code_fingerprint("components.drift.component"),
    )
    profile_gen.add_upstream_node(evaluator)
    pusher = Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        infra_blessing=serve_check.outputs["blessing"],
        model_run=trainer.outputs["model_run"],
        evaluation=evaluator.outputs["evaluation"],
        rejects=example_gen.outputs["rejects"],
        profile=profile_gen.outputs["profile"],
        word_vectors=word_vectors,
        base_directory=f"{locations.serving}/{config.serving.model_name}",
        card=config.card,
        code_fingerprint=code_fingerprint("components.pusher"),
    )

    nodes = [
        example_gen,
        schema,
        statistics,
        validator,
        gate,
        *([vectors] if vectors else []),
        transform,
        *([tuner] if tuner else []),
        trainer,
        linear_baseline,
        blessed_before,
        evaluator,
        profile_gen,
        serve_check,
        pusher,
    ]
    _set_beam_options(nodes, config.beam)
    return Pipeline(
        pipeline_name=config.name,
        pipeline_root=locations.artifacts,
        components=nodes,
        enable_cache=True,
        metadata_connection_config=metadata,
    )


def _set_beam_options(nodes: list[BaseNode], settings: BeamSettings) -> None:
    """Gives each step that runs on Beam its options.

    Raises:
      UsageError: `beam.nodes` names something else.
    """
    steps = {node.id: node for node in nodes if isinstance(node, BaseBeamComponent)}
    if wrong := sorted(settings.nodes.keys() - steps.keys() - {BATCH_STEP}):
        raise UsageError(
            f"beam.nodes: {', '.join(wrong)}: expected steps that run on Beam: {', '.join(steps)}"
        )
    for node_id, step in steps.items():
        step.with_beam_pipeline_args(settings.pipeline_args(node_id))
