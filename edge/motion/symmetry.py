"""Left against right: the symmetry index (L - R) / (L + R), 0 for equal sides (Robinson et al., J Manipulative
Physiol Ther 10:172, 1987, there in per cent of the mean).

A difference between the sides must not be one between a side that is seen well and one that is guessed. So both must
be graded B or better, and in a side view, where the body hides its far side, there is none at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from edge.motion.grades import Measure

if TYPE_CHECKING:
    from collections.abc import Mapping

SIDE_VIEW = (60.0, 120.0)
"""Turn from the camera, in degrees to either side, between which one side of the body hides the other."""
_LEAST_DEG = 5.0
"""A side that hardly moved makes the index of anything."""


class Pair(NamedTuple):
    """One row: the index and the two metrics of a session that it compares."""

    key: str
    left: str
    right: str


_PEAKS = {
    "knee": "knee_flexion",
    "hip": "hip_flexion",
    "ankle": "ankle_dorsiflexion",
    "elbow": "elbow_flexion",
    "shoulder": "shoulder_elevation",
}
PAIRS: tuple[Pair, ...] = tuple(
    pair
    for joint, angle in _PEAKS.items()
    for pair in (
        Pair(f"{joint}_peak_symmetry", f"{angle}_left_peak", f"{angle}_right_peak"),
        Pair(f"{joint}_rom_symmetry", f"{joint}_rom_left", f"{joint}_rom_right"),
    )
) + tuple(Pair(f"{key}_symmetry", f"{key}_left", f"{key}_right") for key in ("rep_range", "rep_peak"))


def symmetry_index(left: float, right: float) -> float:
    """(L - R) / (L + R), -1 to 1 for positive values; ZeroDivisionError for two zeros."""
    return (left - right) / (left + right)


def measure_symmetry(measures: Mapping[str, Measure], *, from_the_side: bool) -> dict[str, Measure]:
    """The index of every pair in `measures` (metrics of a session by key) whose sides moved at all."""
    found = {}
    for pair in PAIRS:
        if pair.left in measures and pair.right in measures:
            index = _index(measures[pair.left], measures[pair.right], from_the_side=from_the_side)
            if index is not None:
                found[pair.key] = index
    return found


def _index(left: Measure, right: Measure, *, from_the_side: bool) -> Measure | None:
    sides = (left, right)
    if from_the_side:
        return Measure(None, "none", ("far_side",))
    reasons = tuple(dict.fromkeys(reason for side in sides for reason in side.reasons))
    grade = max(side.grade for side in sides)  # A < B < C < none, also as text
    if left.value is None or right.value is None or grade > "B":
        bad = (reason for side in sides if side.grade > "B" for reason in side.reasons)
        return Measure(None, "none", tuple(dict.fromkeys(bad)))
    if min(left.value, right.value) < _LEAST_DEG:
        return None
    return Measure(symmetry_index(left.value, right.value), grade, reasons)
