"""Everything that can be measured of one body at one moment, by key of the metric catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edge.motion.angles import JOINT_ANGLES
from edge.motion.body import POINTS
from edge.motion.grades import Measure, measure
from edge.motion.trembling import trembling, trunk_px
from edge.motion.view import torso_yaw

if TYPE_CHECKING:
    from edge.motion.signals import Signals

Array = npt.NDArray[np.float64]


def measure_body(now: Signals, rate: float, speeds: Array | None = None) -> dict[str, Measure]:
    """Every live metric of a body.

    `rate`: pictures a second at present. `speeds`: of its points (`trembling.Speeds`); None: all are still.
    """
    body, angles = now.body, now.angles
    noise = trembling(body, np.zeros(len(POINTS)) if speeds is None else speeds)
    size = trunk_px(body)
    upright_known = body.lens is None or body.lens.tilt is not None
    measures = {
        row.key: measure(
            value,
            visibility=seen,
            tilt=tilt,
            rate=rate,
            trembling=trembles,
            trunk_px=size,
            tilt_known=upright_known or row.first is not None,
        )
        for row, value, tilt, seen, trembles in zip(
            JOINT_ANGLES,
            angles.value.tolist(),
            angles.tilt.tolist(),
            angles.visibility.tolist(),
            noise.tolist(),
            strict=True,
        )
    }
    seen = body.seen("shoulder_left", "shoulder_right", "hip_left", "hip_right")
    # The view is itself a statement about depth: there is no plane that it could leave.
    measures["view_yaw"] = measure(torso_yaw(body), visibility=seen, tilt=0.0, rate=rate)
    return measures
