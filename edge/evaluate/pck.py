"""How many joints are found where the labels have them: PCK and its area under the curve.

A joint is right within a share of the torso, from the right shoulder to the left hip (Yang and Ramanan, 2013, with
the threshold and torso that Leeds Sports Pose is usually reported with). Who is not found has no joint right.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from edge.errors import ConfigError
from edge.evaluate.lsp import JOINTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge.evaluate.lsp import Array

THRESHOLD = 0.2
PARTS: Mapping[str, tuple[str, ...]] = {
    "head": ("neck", "head_top"),
    **{
        part: (f"{part}_left", f"{part}_right")
        for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    },
}
_CURVE = np.linspace(0, THRESHOLD, 21)
_LEAST_TORSO_PX = 5.0
_DRAWS, _SEED = 1000, 1
_SURE = (2.5, 97.5)


class Interval(msgspec.Struct, frozen=True):
    """A figure with its 95 % confidence interval, by bootstrap over the pictures."""

    value: float
    low: float
    high: float


class Accuracy(msgspec.Struct, frozen=True, kw_only=True):
    """How one pipeline did, in percent."""

    name: str
    pictures: int
    found: int
    """Pictures in which it found somebody."""
    pck: dict[str, float]
    """By part of the body; NaN for one without labels."""
    mean: Interval
    """PCK over all joints, each weighing the same."""
    auc: float
    """Mean PCK over the thresholds from 0 to 0.2."""
    above: dict[str, Interval] = {}
    """By how many points `mean` is above other pipelines' on the same pictures."""


def distances(said: Array | None, true: Array) -> Array:
    """Of each joint from its label, in torsos: float64[14]; infinite where nobody was found, NaN without a label."""
    torso = np.linalg.norm(true[JOINTS.index("shoulder_right")] - true[JOINTS.index("hip_left")])
    unknown = np.isnan(true[:, 0])
    if not torso >= _LEAST_TORSO_PX:  # NaN, too
        return np.full(len(JOINTS), math.nan)
    if said is None:
        return np.where(unknown, math.nan, math.inf)
    return np.asarray(np.linalg.norm(said - true, axis=1) / torso)


def accuracy(
    name: str, off: Sequence[Array], others: Mapping[str, Sequence[Array]] | None = None
) -> Accuracy:
    """Of a pipeline whose joints are `off` N x float64[14]; `others`: of pipelines it is to be compared with.

    ConfigError where no picture has a torso.
    """
    table = _comparable(off)
    if not len(table):
        raise ConfigError(
            "no picture can be measured: none has both right shoulder and left hip labelled",
            "Label them: the distance of these two is what other distances are compared with.",
        )
    right, weight = _right(table, THRESHOLD), _labelled(table)
    joints = _shares(right, weight)
    curve = [np.nanmean(_shares(_right(table, threshold), weight)) for threshold in _CURVE]
    draws = np.random.default_rng(_SEED).integers(len(table), size=(_DRAWS, len(table)))
    drawn = _means(right, weight, draws)
    mean = float(np.nanmean(joints))
    above = {}
    for other, theirs in (others or {}).items():
        against = _comparable(theirs)
        theirs_right = _right(against, THRESHOLD)
        gap = mean - float(np.nanmean(_shares(theirs_right, weight)))
        above[other] = _interval(gap, drawn - _means(theirs_right, weight, draws))
    return Accuracy(
        name=name,
        pictures=len(table),
        found=int((~np.isinf(table).any(axis=1)).sum()),
        pck={
            part: float(np.mean(joints[[JOINTS.index(joint) for joint in names]]))
            for part, names in PARTS.items()
        },
        mean=_interval(mean, drawn),
        auc=float(np.trapezoid(curve, dx=1 / (len(_CURVE) - 1))),
        above=above,
    )


def _comparable(off: Sequence[Array]) -> Array:
    """Pictures whose labels have a torso to compare with: float64[M, 14]."""
    table = np.array(off)
    return table[~np.isnan(table).all(axis=1)]


def _right(table: Array, threshold: float) -> Array:
    return np.where(np.isnan(table), 0.0, table <= threshold)


def _labelled(table: Array) -> Array:
    return (~np.isnan(table)).astype(float)


def _shares(right: Array, weight: Array) -> Array:
    """Percent of each joint's labels at which it was found; NaN for a joint without any."""
    labels = weight.sum(axis=0)
    shares = np.full(len(JOINTS), math.nan)
    np.divide(100 * right.sum(axis=0), labels, out=shares, where=labels > 0)
    return shares


def _means(right: Array, weight: Array, draws: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Array:
    """Mean PCK of each draw of pictures."""
    return np.array([np.nanmean(_shares(right[draw], weight[draw])) for draw in draws])


def _interval(value: float, drawn: Array) -> Interval:
    low, high = np.percentile(drawn, _SURE)
    return Interval(value, float(low), float(high))
