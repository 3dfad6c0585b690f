"""A calibration from files to files: samples, both recipes, and how far the results drift."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from models.calibrate import calibrate
from models.calibrate.drift import DetectorDrift, LandmarkDrift, detector_drift, landmark_drift
from models.calibrate.footage import pictures
from models.calibrate.samples import Cutter
from models.catalogue import BuiltFile
from models.quantise import quantise
from models.regions import detector_input, landmark_input

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from models.quantise.recipe import Recipe

_FRAMES_PER_CLIP = 8
_HELD_OUT_FRAMES_PER_CLIP = 10


class Calibration(NamedTuple):
    """What came of it: the recipes and INT8 files by stage, and their drift on pictures held out."""

    recipes: dict[str, Recipe]
    files: dict[str, BuiltFile]
    detector: DetectorDrift | None
    landmark: LandmarkDrift | None


def run(
    fp32: Mapping[str, bytes], sources: Sequence[Path], held_out: Sequence[Path], step: Callable[[str], None]
) -> Calibration:
    """Calibrate both stages on the pictures of `sources` and measure them on those of `held_out`.

    fp32: float ONNX files by stage. step: called with what has just been done.
    """
    cutter = Cutter(fp32["detector"], fp32["landmark"])
    samples = cutter.cut(pictures(sources, _FRAMES_PER_CLIP), copies=1)
    step(f"{len(samples.detector)} detector and {len(samples.landmark)} landmark samples")
    inputs = {
        "detector": [detector_input(square) for square in samples.detector],
        "landmark": [landmark_input(square) for square in samples.landmark],
    }
    recipes = {stage: calibrate(fp32[stage], stage, inputs[stage], step) for stage in inputs}
    int8 = {stage: quantise(fp32[stage], recipe) for stage, recipe in recipes.items()}
    files = {stage: BuiltFile(hashlib.sha256(data).hexdigest(), len(data)) for stage, data in int8.items()}
    if not held_out:
        return Calibration(recipes, files, None, None)
    kept_back = cutter.cut(pictures(held_out, _HELD_OUT_FRAMES_PER_CLIP), copies=0)
    step("held-out samples")
    return Calibration(
        recipes,
        files,
        detector_drift(fp32["detector"], int8["detector"], kept_back.detector),
        landmark_drift(fp32["landmark"], int8["landmark"], kept_back.landmark),
    )
