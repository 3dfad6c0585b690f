"""Trying the built models on a drawn person: are the joints where they were drawn, on this processor?

The sha256 says that the files are right; this says that the runtime computes them right. It matters most for INT8,
where a kernel whose sums overflow gives answers that still look like a person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models.errors import SelfTestFailed
from models.figure import JOINTS, draw
from models.regions import DETECTOR_SIZE, LANDMARK_SIZE, anchors, detector_input, landmark_input, refined
from models.runtime import session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from models.catalogue import Precision
    from models.regions import Floats

_NUMBERS = dict(zip(JOINTS, (11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28), strict=True))
_BODY = 33
# On the figure both detectors score 0.97, both landmark models 0.9998.
_LEAST_SCORE = 0.8
# In shares of the picture's side: the float model's farthest joint is 0.032 from where it was drawn.
_FARTHEST = 0.05
# The two landmark models differ by about 0.001 of the side in the mean; sums that saturate made it 0.011.
_LARGEST_DIFFERENCE = 0.004
# The hip joints' distance in the world output, in metres.
_HIPS_APART = (0.1, 0.4)


def self_test(files: Mapping[tuple[str, Precision], bytes]) -> None:
    """Run ONNX files, given by stage and precision, on the figure; raises SelfTestFailed.

    Where both landmark models are given, they must agree, too.
    """
    points: dict[Precision, Floats] = {}
    for (stage, precision), data in files.items():
        try:
            if stage == "detector":
                _try_detector(data)
            else:
                points[precision] = _try_landmark(data)
        except _WrongError as problem:
            raise _failed(stage, precision, str(problem)) from problem
    if len(points) == 2:
        difference = float(np.linalg.norm(points["int8"] - points["fp32"], axis=1).mean())
        if not difference <= _LARGEST_DIFFERENCE:
            raise _failed(
                "landmark", "int8", f"it differs from the float model by {difference:.3f} of the picture"
            )


class _WrongError(Exception):
    """What is wrong with a model."""


def _try_detector(data: bytes) -> None:
    boxes, scores = session(data).run(["boxes", "scores"], {"image": detector_input(draw(DETECTOR_SIZE))})
    best = int(scores[0, :, 0].argmax())
    _check_score(1 / (1 + np.exp(-float(scores[0, best, 0]))))
    hips = (boxes[0, best, 4:6] + anchors()[best]) / DETECTOR_SIZE
    middle = np.mean([JOINTS["left_hip"], JOINTS["right_hip"]], axis=0)
    _check_place("middle of the hips", hips - middle)


def _try_landmark(data: bytes) -> Floats:
    """Return the landmarks [33, 2] as shares of the side."""
    outputs = ["landmarks", "presence", "heatmap", "world"]
    image = landmark_input(draw(LANDMARK_SIZE))
    landmarks, presence, heatmap, world = session(data).run(outputs, {"image": image})
    _check_score(presence.item())
    points = refined(landmarks, heatmap)[:_BODY] / np.float32(LANDMARK_SIZE)
    for joint, drawn in JOINTS.items():
        _check_place(joint.replace("_", " "), points[_NUMBERS[joint]] - drawn)
    metres = world.reshape(-1, 3)
    apart = float(np.linalg.norm(metres[_NUMBERS["left_hip"]] - metres[_NUMBERS["right_hip"]]))
    if not _HIPS_APART[0] <= apart <= _HIPS_APART[1]:
        raise _WrongError(f"the hips are {apart:.2f} m apart")
    return points


def _check_score(score: float) -> None:
    if not score >= _LEAST_SCORE:  # a score that is no number fails, too
        raise _WrongError(f"it sees a person with a score of {score:.2f} only")


def _check_place(name: str, off: Floats) -> None:
    distance = float(np.linalg.norm(off))
    if not distance <= _FARTHEST:
        raise _WrongError(f"the {name} is {distance:.2f} of the picture from where it was drawn")


def _failed(stage: str, precision: Precision, problem: str) -> SelfTestFailed:
    remedy = "Update onnxruntime; if it stays, this processor cannot run the model."
    if precision == "int8":
        remedy = "Use the float models on this processor: choose the precision fp32."
    return SelfTestFailed(f"the {precision} {stage} model computes wrong results here: {problem}", remedy)
