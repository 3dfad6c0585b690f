"""From the published weights to the four verified ONNX files of a model."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from models.convert import convert
from models.errors import BuildDiffers
from models.files import write_atomic
from models.load import checked_bytes
from models.onnx_graph import serialise
from models.originals import originals
from models.quantise import quantise
from models.quantise.recipe import RECIPES, load
from models.selftest import self_test
from models.status import rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from models.catalogue import Model, Precision, Stage

INPUT = "image"


def build(model: Model, folder: Path, *, wheel: Path | None = None, step: Callable[[str], None]) -> bool:
    """Bring every file of `model` into `folder` and try it; return False where all of them were there already.

    wheel: a copy of the published wheel to use instead of fetching it.
    step: called before each step with its name; `steps(model)` times in a whole build.
    Raises DownloadFailed, WheelRejected, UnsupportedModel, RecipeMismatch, BuildDiffers, WriteFailed or
    SelfTestFailed; the files that are in place by then are whole ones.
    """
    needed = any(row.state != "ok" for row in rows(model, folder))
    if needed:
        step("weights")
        found = originals(model, wheel)
        for name, stage in model.stages.items():
            step(f"{name} fp32")
            fp32 = float_model(found[name], stage)
            _put(model, folder, name, "fp32", fp32)
            step(f"{name} int8")
            recipe = load(RECIPES / f"{model.name}-{name}.json")
            _put(model, folder, name, "int8", quantise(fp32, recipe))
    step("self-test")
    self_test(
        {
            (name, precision): checked_bytes(folder, model, name, precision)
            for name, stage in model.stages.items()
            for precision in stage.files
        }
    )
    return needed


def float_model(data: bytes, stage: Stage) -> bytes:
    """Return the float ONNX file of a .tflite file."""
    return serialise(convert(data, input_name=INPUT, outputs=stage.outputs))


def steps(model: Model) -> int:
    """Return how many steps a whole build of `model` has."""
    return 2 + sum(len(stage.files) for stage in model.stages.values())


def _put(model: Model, folder: Path, stage: str, precision: Precision, data: bytes) -> None:
    """Write a built file if it is what the catalogue says."""
    if hashlib.sha256(data).hexdigest() != model.stages[stage].files[precision].sha256:
        message = f"the {precision} {stage} model built here differs from the one in the catalogue"
        raise BuildDiffers(message, "Reinstall Kinebox and its dependencies, above all numpy and onnx.")
    write_atomic(folder / model.file_name(stage, precision), data)
