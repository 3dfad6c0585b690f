"""Named signals: the scalar courses in which a movement shows, each for the left, the right, or the whole body.

Joint angles are in degrees; distances are in trunk lengths (middle of the shoulders to middle of the hips), so that
neither the person's size nor the distance of the camera matters.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from edge.motion.angles import ROW, Angles, between, joint_angles
from edge.motion.body import INDEX, Body

if TYPE_CHECKING:
    from collections.abc import Callable

Array = npt.NDArray[np.float64]


class Value(NamedTuple):
    """One signal at one moment."""

    value: float
    visibility: float
    """Of the least visible joint behind it, 0-1; 0 when it cannot be computed."""


UNSEEN = Value(float("nan"), 0.0)

SIDED = (
    "knee_flexion",
    "hip_flexion",
    "ankle_dorsiflexion",
    "elbow_flexion",
    "wrist_flexion",
    "shoulder_elevation",
    "shoulder_flexion",
    "shoulder_abduction",
    "wrist_rise",
)
"""Signals that exist for each side of the body."""


class Signals:
    """Every signal of one body, each computed when it is asked for and then kept."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self._known: dict[str, Value] = {}

    @cached_property
    def angles(self) -> Angles:
        """Every joint angle."""
        return joint_angles(self.body)

    def __getitem__(self, name: str) -> Value:
        """The signal `name` (`knee_flexion_left`, `trunk_lean`, ...); KeyError for a name that is none."""
        if name not in self._known:
            self._known[name] = _clean(self._compute(name))
        return self._known[name]

    def _compute(self, name: str) -> Value:
        if name in ROW:
            at = ROW[name]
            return Value(float(self.angles.value[at]), float(self.angles.visibility[at]))
        return _WHOLE[name](self.body)


def _clean(value: Value) -> Value:
    return value if math.isfinite(value.value) else UNSEEN


def _trunk_length(body: Body) -> float:
    """Metres from the middle of the shoulders to the middle of the hips, never quite nothing."""
    return max(_distance(body, "neck", "pelvis"), 1e-6)


def _distance(body: Body, a: str, b: str) -> float:
    """Metres between two points; for two of them several times faster than numpy."""
    return math.dist(body.space[INDEX[a]].tolist(), body.space[INDEX[b]].tolist())


def _wrist_gap(body: Body) -> Value:
    """Distance between the wrists, in trunk lengths."""
    gap = _distance(body, "wrist_left", "wrist_right")
    return Value(gap / _trunk_length(body), body.seen("wrist_left", "wrist_right"))


def _rise(side: str) -> Callable[[Body], Value]:
    """Height of the wrist above the shoulder, in trunk lengths; negative below it."""

    def rise(body: Body) -> Value:
        wrist, shoulder = f"wrist_{side}", f"shoulder_{side}"
        value = float(body.space[INDEX[wrist], 1] - body.space[INDEX[shoulder], 1]) / _trunk_length(body)
        return Value(value, body.seen(wrist, shoulder))

    return rise


def _sideways(body: Body) -> Array:
    """The body's own direction from right to left, float64[3] of length 1."""
    across = body.space[INDEX["hip_left"]] - body.space[INDEX["hip_right"]]
    return np.asarray(across / max(math.sqrt(across @ across), 1e-6))


def _stance_width(body: Body) -> Value:
    """Distance of the feet to the sides of the body, in trunk lengths: a long stride is no wide stance."""
    left, right = INDEX["ankle_left"], INDEX["ankle_right"]
    width = abs(float(np.dot(body.space[left] - body.space[right], _sideways(body))))
    return Value(width / _trunk_length(body), body.seen("ankle_left", "ankle_right"))


def _hip_split(body: Body) -> Value:
    """Degrees between the two thighs: small where both legs do the same, large in a lunge or a stride.

    Seen from the side of the body, so that a wide stance is no split.
    """
    thighs = [
        body.space[INDEX[f"knee_{side}"]] - body.space[INDEX[f"hip_{side}"]] for side in ("left", "right")
    ]
    across = _sideways(body)
    left, right = (thigh - np.dot(thigh, across) * across for thigh in thighs)
    return Value(float(between(left, right)), body.seen("hip_left", "hip_right", "knee_left", "knee_right"))


_WHOLE: dict[str, Callable[[Body], Value]] = {
    "wrist_gap": _wrist_gap,
    "stance_width": _stance_width,
    "hip_split": _hip_split,
    "wrist_rise_left": _rise("left"),
    "wrist_rise_right": _rise("right"),
}

NAMES = frozenset(ROW) | frozenset(_WHOLE)
"""Every name that `Signals` knows."""
