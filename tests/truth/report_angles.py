"""Errors of the live joint angles of a case, moment by moment."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from edge.motion.body import Body
from edge.motion.measure import measure_body
from edge.motion.signals import Signals
from edge.motion.trembling import Speeds
from tests.truth.motion import SIDES
from tests.truth.report_cases import motion

if TYPE_CHECKING:
    from edge.motion.grades import Grade
    from tests.truth.report_cases import Case

Array = npt.NDArray[np.float64]
SIGN = {"pelvis_obliquity": -1.0}
"""The generated person counts the right hip up."""


class Errors(NamedTuple):
    """Of one angle of one case."""

    key: str
    error: Array
    """float64[T], degrees: measured less true; NaN where nothing was measured."""
    true: Array
    """float64[T], degrees."""
    grades: list[Grade]

    def graded(self, grade: Grade) -> Array:
        """Errors of the moments with this grade."""
        return self.error[np.array([g == grade for g in self.grades], bool)]


@cache
def angle_errors(case: Case) -> list[Errors]:
    """Every angle whose truth is known, in each moment in which the subject was found."""
    seen = [(f.monotonic_ns / 1e9, s) for f in case.frames() for s in f.subjects]
    if not seen:
        return []
    lens = case.lens
    truth = motion(case.motion).at([min(t, motion(case.motion).duration_s) for t, _ in seen]).angles
    rows, speeds = [], Speeds()
    for t, subject in seen:
        body = Body.of(subject.skeleton, subject.points(), subject.world_points(), lens)
        rows.append(measure_body(Signals(body), case.fps, speeds.update(t, body)))
    found = []
    for key in truth:
        if key not in rows[0]:
            continue
        values = np.array([np.nan if row[key].value is None else row[key].value for row in rows], float)
        true = SIGN.get(key, 1.0) * truth[key]
        found.append(Errors(key, values - true, true, [row[key].grade for row in rows]))
    return found


def joint(key: str) -> str:
    """The angle without its side."""
    for side in SIDES:
        key = key.removesuffix(f"_{side}")
    return key
