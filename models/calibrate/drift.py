"""How far a quantised model's answers are from those of its float parent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from edge.errors import ConfigError
from models.regions import anchors, detector_input, landmark_input, refined
from models.runtime import session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from models.regions import Floats, Picture

# Only crops on which the float model is sure of a person say anything about landmarks.
_LEAST_PRESENCE = 0.8
_BODY = 33
_SHOULDERS, _HIPS = [11, 12], [23, 24]
# Two detections whose hip centres are nearer than this share of the body's half length are one person.
_SAME_PERSON = 0.5


class LandmarkDrift(msgspec.Struct, frozen=True):
    """Distance of body landmarks from the float model's, after heatmap refinement, in torso lengths.

    within_005, within_02: share of landmarks nearer than 0.05 and 0.2.
    presence: largest difference of the presence score. crops: how many were counted.
    """

    mean: float
    p95: float
    within_005: float
    within_02: float
    presence: float
    world_mean: float
    crops: int


def landmark_drift(fp32: bytes, int8: bytes, crops: Sequence[Picture]) -> LandmarkDrift:
    """Return the drift of `int8` over landmark crops [256, 256, 3].

    Raises ConfigError where the float model is sure of nobody.
    """
    outputs = ["landmarks", "presence", "heatmap", "world"]
    reference, candidate = session(fp32), session(int8)
    distances, presences, worlds = [], [], []
    for crop in crops:
        feed = {"image": landmark_input(crop)}
        wanted, sure, heat, world = reference.run(outputs, feed)
        if sure.item() <= _LEAST_PRESENCE:
            continue
        points, sure8, heat8, world8 = candidate.run(outputs, feed)
        a, b = refined(wanted, heat)[:_BODY], refined(points, heat8)[:_BODY]
        distances.append(np.linalg.norm(b - a, axis=1) / _torso(a))
        presences.append(abs(sure8.item() - sure.item()))
        worlds.append(np.linalg.norm((world8 - world).reshape(-1, 3)[:_BODY], axis=1).mean())
    if not distances:
        raise ConfigError(
            f"the float model is sure of a person in none of {len(crops)} crops",
            "Name pictures and clips in which people are large and wholly in view.",
        )
    drift = np.concatenate(distances)
    return LandmarkDrift(
        mean=float(drift.mean()),
        p95=float(np.percentile(drift, 95)),
        within_005=float((drift < 0.05).mean()),
        within_02=float((drift < 0.2).mean()),
        presence=float(max(presences)),
        world_mean=float(np.mean(worlds)),
        crops=len(distances),
    )


def _torso(points: Floats) -> float:
    return float(np.linalg.norm(points[_SHOULDERS].mean(axis=0) - points[_HIPS].mean(axis=0)))


class DetectorDrift(msgspec.Struct, frozen=True):
    """What becomes of the float model's clearest person in each picture.

    found: pictures where the float model finds somebody; kept: those where the quantised one finds them, too;
    new: pictures where only the quantised one finds somebody.
    centre, end: mean distance of the two points that give the region, in their own distance.
    """

    found: int
    kept: int
    new: int
    centre: float
    end: float


def detector_drift(fp32: bytes, int8: bytes, squares: Sequence[Picture]) -> DetectorDrift:
    """Return the drift of `int8` over detector squares [224, 224, 3]."""
    reference, candidate = session(fp32), session(int8)
    found = new = 0
    moved: list[NDArray[np.float64]] = []
    for square in squares:
        feed = {"image": detector_input(square)}
        people = _people(*reference.run(["boxes", "scores"], feed))
        others = _people(*candidate.run(["boxes", "scores"], feed))
        if not len(people):
            new += len(others) > 0
            continue
        found += 1
        size = float(np.linalg.norm(people[0, 1] - people[0, 0]))
        distances = np.linalg.norm(others - people[0], axis=2) / size
        if len(others) and distances[:, 0].min() < _SAME_PERSON:
            moved.append(distances[distances[:, 0].argmin()])
    centre, end = np.mean(moved, axis=0)
    return DetectorDrift(found, len(moved), new, float(centre), float(end))


def _people(boxes: Floats, scores: Floats) -> NDArray[np.float64]:
    """Return hip centre and end point [N, 2, 2] of all anchors with a score of a half, best first."""
    sure = np.flatnonzero(scores[0, :, 0] >= 0)  # a logit of 0 is a score of a half
    sure = sure[np.argsort(-scores[0, sure, 0], kind="stable")]
    return np.asarray(boxes[0, sure, 4:8].reshape(-1, 2, 2) + anchors()[sure][:, None], np.float64)
