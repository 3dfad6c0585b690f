"""Everything that can be measured of one body at one moment, by key of the metric catalogue."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edge.motion.angles import IN_PLANE, JOINT_ANGLES, OUT_OF_PLANE
from edge.motion.body import POINTS, SEEN
from edge.motion.grades import MIN_RATE, SIZES, TREMBLING, WELL_SEEN, Measure, measure
from edge.motion.trembling import trembling
from edge.motion.view import TORSO, torso_yaw

if TYPE_CHECKING:
    from edge.motion.signals import Signals

Array = npt.NDArray[np.float64]

_KEYS = tuple(row.key for row in JOINT_ANGLES)
_LEVEL_KNOWN = {
    known: tuple(known or row.first is not None for row in JOINT_ANGLES) for known in (True, False)
}
"""For each row whether its level is known, by whether the camera's tilt is."""
_TREMBLES, _TREMBLES_MUCH = sorted(limit for limit, _ in TREMBLING)
_RATES, _TRUNKS = (0.0, MIN_RATE), (0.0, *sorted(limit for limit, _ in SIZES))


def measure_body(now: Signals, rate: float, speeds: Array | None = None) -> dict[str, Measure]:
    """Every live metric of a body.

    `rate`: pictures a second at present. `speeds`: of its points (`trembling.Speeds`); None: all are still.
    """
    body, (values, tilt, visibility) = now.body, now.angles
    noise = trembling(body, np.zeros(len(POINTS)) if speeds is None else speeds)
    # Few kinds of measures are told apart: each is graded once, and the values are all that differs.
    facts = np.packbits(
        np.array(
            [
                visibility >= SEEN, visibility >= WELL_SEEN,
                np.isnan(tilt), tilt > IN_PLANE, tilt > OUT_OF_PLANE,
                noise > _TREMBLES, noise > _TREMBLES_MUCH,
                np.isfinite(values),
            ]
        ),
        axis=0,
    )  # fmt: skip
    level = _LEVEL_KNOWN[body.lens is None or body.lens.tilt is not None]
    about = _floor(rate, _RATES), _floor(body.trunk_px, _TRUNKS)
    measures = {}
    for key, value, row, level_known in zip(_KEYS, values.tolist(), facts[0].tolist(), level, strict=True):
        alike = _graded(row, level_known, *about)
        measures[key] = alike if alike.value is None else Measure(value, alike.grade, alike.reasons)
    seen = min(body.visibility.take(TORSO).tolist())
    # The view is itself a statement about depth: there is no plane that it could leave.
    measures["view_yaw"] = measure(torso_yaw(body), visibility=seen, tilt=0.0, rate=rate)
    return measures


def _floor(value: float, limits: tuple[float, ...]) -> float:
    """The highest of the rising limits that `value` is not below."""
    return max(limit for limit in limits if not value < limit)


@cache
def _graded(facts: int, level_known: bool, rate: float, trunk_px: float) -> Measure:
    """A measure of which `facts` are known, bit by bit as `measure_body` packs them; its value is an example."""
    seen, well_seen, no_depth, oblique, out_of_plane, trembles, trembles_much, known = (
        facts >> place & 1 for place in reversed(range(8))
    )
    return measure(
        0.0 if known else math.nan,
        visibility=(0.0, SEEN, WELL_SEEN)[seen + well_seen],
        tilt=math.nan if no_depth else (IN_PLANE, OUT_OF_PLANE, 90.0)[oblique + out_of_plane],
        rate=rate,
        trembling=(_TREMBLES, _TREMBLES_MUCH, math.inf)[trembles + trembles_much],
        trunk_px=trunk_px,
        tilt_known=level_known,
    )
