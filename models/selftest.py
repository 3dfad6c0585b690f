"""Trying the built models on a drawn person: are the joints where they were drawn, on this processor?

The sha256 says that the files are right; this says that the runtime computes them right. It matters most for INT8:
processors without a dot product instruction may add up products in 16 bits, which overflow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnxruntime

from models.errors import SelfTestFailed
from models.figure import JOINTS, draw
from models.regions import DETECTOR_SIZE, LANDMARK_SIZE, anchors, detector_input, landmark_input, refined

if TYPE_CHECKING:
    from collections.abc import Mapping

    from models.catalogue import Precision

_NUMBERS = dict(zip(JOINTS, (11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28), strict=True))
# Both models, float and INT8, are sure of the figure by more than this, and this near in shares of the picture's
# side; a joint in the wrong place is off by a limb, 0.1 and more.
_LEAST_SCORE = 0.8
_FARTHEST = 0.06
# The hip joints' distance in the world output, in metres: the figure's is 0.15 to 0.3.
_HIPS_APART = (0.1, 0.4)


def self_test(files: Mapping[tuple[str, Precision], bytes]) -> None:
    """Run each ONNX file, given by stage and precision, on the figure; raises SelfTestFailed."""
    for (stage, precision), data in files.items():
        problem = _TESTS[stage](data)
        if problem:
            remedy = "Update onnxruntime; if it stays, this processor cannot run the model."
            if precision == "int8":
                remedy = "Use the float models on this processor: choose the precision fp32."
            raise SelfTestFailed(
                f"the {precision} {stage} model computes wrong results here: {problem}", remedy
            )


def _detector(data: bytes) -> str:
    """Return what is wrong with a detector, or nothing."""
    boxes, scores = _run(data, ["boxes", "scores"], detector_input(draw(DETECTOR_SIZE)))
    best = int(scores[0, :, 0].argmax())
    score = 1 / (1 + np.exp(-float(scores[0, best, 0])))
    if not score >= _LEAST_SCORE:
        return f"it sees a person with a score of {score:.2f} only"
    hips = (boxes[0, best, 4:6] + anchors()[best]) / DETECTOR_SIZE
    middle = np.mean([JOINTS["left_hip"], JOINTS["right_hip"]], axis=0)
    off = float(np.linalg.norm(hips - middle))
    return "" if off <= _FARTHEST else f"the hips are {off:.2f} of the picture from where they were drawn"


def _landmark(data: bytes) -> str:
    """Return what is wrong with a landmark model, or nothing."""
    outputs = ["landmarks", "presence", "heatmap", "world"]
    landmarks, presence, heatmap, world = _run(data, outputs, landmark_input(draw(LANDMARK_SIZE)))
    if not presence.item() >= _LEAST_SCORE:
        return f"it sees a person with a score of {presence.item():.2f} only"
    points = refined(landmarks, heatmap) / LANDMARK_SIZE
    for joint, drawn in JOINTS.items():
        off = float(np.linalg.norm(points[_NUMBERS[joint]] - drawn))
        if not off <= _FARTHEST:
            return f"the {joint.replace('_', ' ')} is {off:.2f} of the picture from where it was drawn"
    metres = world.reshape(-1, 3)
    apart = float(np.linalg.norm(metres[_NUMBERS["left_hip"]] - metres[_NUMBERS["right_hip"]]))
    if not _HIPS_APART[0] <= apart <= _HIPS_APART[1]:
        return f"the hips are {apart:.2f} m apart"
    return ""


_TESTS = {"detector": _detector, "landmark": _landmark}


def _run(data: bytes, outputs: list[str], image: np.ndarray) -> list[np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    results: list[np.ndarray] = session.run(outputs, {"image": image})
    return results
