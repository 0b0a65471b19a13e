"""Pusher: hands the blessed model and its card to serving, at once or not at all."""

import hashlib
import os
import time
import uuid
from collections.abc import Callable, Collection, Mapping

import tensorflow as tf
from tfx import types
from tfx.components.pusher import executor
from tfx.dsl.components.base import base_component, executor_spec
from tfx.dsl.io import fileio
from tfx.proto import pusher_pb2
from tfx.types import (
    artifact_utils,
    component_spec,
    standard_artifacts,
    standard_component_specs,
)
from tfx.utils import io_utils, proto_utils

from components.artifacts import ReferenceProfile, Rejects
from components.model_card.artifacts import CardSources, card_files
from components.model_card.settings import CardSettings
from components.word_vectors.artifact import SelectedVectors
from schema import features

# Inputs that TFX's own Pusher lacks.
MODEL_RUN, EVALUATION, REJECTS = "model_run", "evaluation", "rejects"
PROFILE = "profile"

PARTIAL = ".partial"
ABANDONED_SECONDS = 3600


ExtraFiles = Callable[[int], Mapping[str, bytes]]  # version -> {path in the version: content}


def push_model(model_dir: str, base_directory: str, extra_files: ExtraFiles) -> int:
    """Copies a SavedModel to `<base_directory>/<version>`, one above the highest version so far.

    The copy is made under a hidden name, which no server takes for a version, and renamed when it
    is whole; if another push took the number meanwhile, the next one is taken. A model that already
    is the latest version is not pushed again; its extra files are renewed. In a bucket a rename
    copies file by file.

    Args:
      model_dir: the SavedModel with its assets.
      base_directory: the model's folder below the serving root.
      extra_files: what is told of the model beside it, below `assets.extra/`, which no server loads
        with the model. Always the same names; none of them is the model's own.

    Returns:
      The version under which the model is served.
    """
    latest = max(versions(base_directory), default=0)
    if latest:
        served, extra = os.path.join(base_directory, str(latest)), extra_files(latest)
        if _digest(model_dir) == _digest(served, ignored=extra):
            _renew(served, extra)
            return latest
    _remove_abandoned(base_directory)
    partial = _hidden_name(base_directory)
    try:
        io_utils.copy_dir(model_dir, partial)
        version = latest + 1
        while fileio.exists(os.path.join(base_directory, str(version))):
            version += 1
        _write(partial, extra_files(version))
        fileio.rename(partial, os.path.join(base_directory, str(version)))
    except BaseException:
        if fileio.exists(partial):
            fileio.rmtree(partial)
        raise
    return version


def versions(base_directory: str) -> list[int]:
    """The versions in a model's folder, in rising order."""
    if not fileio.exists(base_directory):
        return []
    names = (name.rstrip("/") for name in fileio.listdir(base_directory))
    return sorted(int(name) for name in names if name.isdecimal())


def _remove_abandoned(base_directory: str) -> None:
    """Removes the copies that killed pushes left; a young one may be another push at work."""
    for path in tf.io.gfile.glob(os.path.join(base_directory, f".*{PARTIAL}")):
        age = time.time() - tf.io.gfile.stat(path).mtime_nsec / 1e9
        if age > ABANDONED_SECONDS:
            tf.io.gfile.rmtree(path)


def _hidden_name(base_directory: str) -> str:
    return os.path.join(base_directory, f".{uuid.uuid4().hex}{PARTIAL}")


def _write(folder: str, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        path = os.path.join(folder, name)
        fileio.makedirs(os.path.dirname(path))
        with fileio.open(path, "wb") as file:
            file.write(content)


def _renew(version_dir: str, files: Mapping[str, bytes]) -> None:
    """Replaces files in a version that may be served; a reader finds each old or new, and whole."""
    partial = _hidden_name(os.path.dirname(version_dir))
    try:
        _write(partial, files)
        for name in files:
            fileio.makedirs(os.path.dirname(os.path.join(version_dir, name)))
            fileio.rename(
                os.path.join(partial, name), os.path.join(version_dir, name), overwrite=True
            )
    finally:
        if fileio.exists(partial):
            fileio.rmtree(partial)


def _digest(model_dir: str, ignored: Collection[str] = ()) -> str:
    """A hash over the names and contents of all files below a folder but the ignored ones."""
    digest = hashlib.sha256()
    for folder, _, files in sorted(fileio.walk(model_dir)):
        for name in sorted(files):
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, model_dir)
            if relative in ignored:
                continue
            digest.update(relative.encode() + b"\0")
            with fileio.open(path, "rb") as file:
                digest.update(hashlib.sha256(file.read()).digest())
    return digest.hexdigest()


class PusherSpec(standard_component_specs.PusherSpec):
    """TFX's, with what the model card is made of."""

    PARAMETERS = {
        **standard_component_specs.PusherSpec.PARAMETERS,
        "card": component_spec.ExecutionParameter(type=str),  # CardSettings as JSON
        "code_fingerprint": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        **standard_component_specs.PusherSpec.INPUTS,
        MODEL_RUN: component_spec.ChannelParameter(type=standard_artifacts.ModelRun),
        EVALUATION: component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation),
        REJECTS: component_spec.ChannelParameter(type=Rejects),
        PROFILE: component_spec.ChannelParameter(type=ReferenceProfile),
        features.WORD_VECTORS: component_spec.ChannelParameter(type=SelectedVectors, optional=True),
    }


class Executor(executor.Executor):
    """TFX's Pusher executor with whole-or-nothing copies and versions 1, 2, 3, …

    TFX's own writes into the version's folder file by file, where a server that polls can find half
    a model, and numbers versions by the second.
    """

    def Do(self, input_dict, output_dict, exec_properties):
        """Pushes the model if both blessings allow it; see PusherSpec for the keys."""
        pushed = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.PUSHED_MODEL_KEY]
        )
        if not self.CheckBlessing(input_dict):
            self._MarkNotPushed(pushed)
            return
        destination = proto_utils.json_to_proto(
            exec_properties[standard_component_specs.PUSH_DESTINATION_KEY],
            pusher_pb2.PushDestination(),
        )
        base_directory = destination.filesystem.base_directory
        stated = CardSettings.model_validate_json(exec_properties["card"])
        sources = self._card_sources(input_dict, os.path.basename(base_directory))
        profile = _read_profile(artifact_utils.get_single_uri(input_dict[PROFILE]))

        def extra_files(version: int) -> Mapping[str, bytes]:
            return {
                **card_files(sources, stated, version),
                features.REFERENCE_PROFILE: profile,
            }

        version = push_model(sources.model_dir, base_directory, extra_files)
        self._MarkPushed(pushed, os.path.join(base_directory, str(version)), str(version))

    def _card_sources(self, input_dict, model_name: str) -> CardSources:
        def folder(key: str) -> str:
            return artifact_utils.get_single_uri(input_dict[key])

        with_vectors = features.WORD_VECTORS in input_dict
        return CardSources(
            model_dir=self.GetModelPath(input_dict),
            model_run=folder(MODEL_RUN),
            evaluation=folder(EVALUATION),
            serve_check=folder(standard_component_specs.INFRA_BLESSING_KEY),
            rejects=folder(REJECTS),
            word_vectors=folder(features.WORD_VECTORS) if with_vectors else None,
            model_name=model_name,
            pipeline=self._context.pipeline_info.id,
            run_id=self._context.pipeline_run_id,
        )


def _read_profile(folder: str) -> bytes:
    with fileio.open(
        os.path.join(folder, os.path.basename(features.REFERENCE_PROFILE)), "rb"
    ) as file:
        return file.read()


class Pusher(base_component.BaseComponent):
    """Pushes a model that the Evaluator and the ServeCheck blessed, with its card and profile.

    Outputs `pushed_model`: a standard PushedModel with the version's number and folder.
    """

    SPEC_CLASS = PusherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        model_blessing: types.BaseChannel,
        infra_blessing: types.BaseChannel,
        model_run: types.BaseChannel,
        evaluation: types.BaseChannel,
        rejects: types.BaseChannel,
        profile: types.BaseChannel,
        word_vectors: types.BaseChannel | None,
        base_directory: str,
        card: CardSettings,
        code_fingerprint: str,
    ):
        """Wires the component.

        Args:
          model: the exported candidate.
          model_blessing: of the Evaluator.
          infra_blessing: of the ServeCheck, with what it measured.
          model_run: what the Trainer told of the training.
          evaluation: of the Evaluator, with its outcome.
          rejects: of SentenceExampleGen, with the counts of rows.
          profile: of ProfileGen, for who compares new text with what was evaluated.
          word_vectors: SelectedVectors, or None.
          base_directory: `<serving root>/<model name>`.
          card: what the card says besides what the run knows.
          code_fingerprint: makes TFX's cache notice changed code.
        """
        destination = pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=base_directory)
        )
        super().__init__(
            PusherSpec(
                model=model,
                model_blessing=model_blessing,
                infra_blessing=infra_blessing,
                model_run=model_run,
                evaluation=evaluation,
                rejects=rejects,
                profile=profile,
                word_vectors=word_vectors,
                push_destination=destination,
                card=card.model_dump_json(),
                code_fingerprint=code_fingerprint,
                pushed_model=types.Channel(type=standard_artifacts.PushedModel),
            )
        )
