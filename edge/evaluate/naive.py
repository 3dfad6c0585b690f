"""The usual counter of trainer programs, as the peer to compare with: one joint's angle and two fixed thresholds.

It is told the exercise. A repetition is counted when the angle has been beyond the one threshold ("up") and then
passes the other ("down"). To be fair to it, it looks at the side of the body that is seen better throughout, and on
both where limbs take turns. The thresholds are those that such programs usually have, tuned to nothing.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from edge.link import PoseFrame
from edge.motion.skeletons import SKELETONS
from edge.vision.trace import read_trace

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Array = npt.NDArray[np.float64]
_KNEE, _HIP = ("hip", "knee", "ankle"), ("shoulder", "hip", "knee")
_ELBOW, _SHOULDER = ("shoulder", "elbow", "wrist"), ("hip", "shoulder", "elbow")
_ANKLE = ("knee", "ankle", "foot_index")


class Thresholds(NamedTuple):
    """Degrees between the two segments that meet in the middle joint, 180 where they are in line."""

    joints: tuple[str, str, str]
    start: float
    far: float
    turns: bool = False
    """Limbs take turns: both are counted."""


TABLE = {
    "squat": Thresholds(_KNEE, 160, 90),
    "jump_squat": Thresholds(_KNEE, 160, 90),
    "sit_to_stand": Thresholds(_KNEE, 160, 100),
    "lunge": Thresholds(_KNEE, 160, 100),
    "split_squat": Thresholds(_KNEE, 160, 100),
    "side_lunge": Thresholds(_KNEE, 160, 110, turns=True),
    "burpee": Thresholds(_KNEE, 160, 90),
    "push_up": Thresholds(_ELBOW, 160, 90),
    "triceps_dip": Thresholds(_ELBOW, 160, 90),
    "pull_up": Thresholds(_ELBOW, 150, 70),
    "row": Thresholds(_ELBOW, 150, 90),
    "biceps_curl": Thresholds(_ELBOW, 160, 30, turns=True),
    "shoulder_press": Thresholds(_ELBOW, 90, 160),
    "lateral_raise": Thresholds(_SHOULDER, 30, 80),
    "front_raise": Thresholds(_SHOULDER, 30, 80),
    "jumping_jack": Thresholds(_SHOULDER, 40, 140),
    "seal_jack": Thresholds(_SHOULDER, 40, 80),
    "overhead_clap": Thresholds(_SHOULDER, 100, 150),
    "sit_up": Thresholds(_HIP, 105, 55),
    "crunch": Thresholds(_HIP, 130, 105),
    "leg_raise": Thresholds(_HIP, 160, 100),
    "glute_bridge": Thresholds(_HIP, 130, 160),
    "romanian_deadlift": Thresholds(_HIP, 160, 110),
    "deadlift": Thresholds(_HIP, 160, 110),
    "high_knees": Thresholds(_HIP, 160, 110, turns=True),
    "mountain_climber": Thresholds(_HIP, 130, 90, turns=True),
    "calf_raise": Thresholds(_ANKLE, 120, 140),
}
"""By id of the exercise. One angle cannot tell a clap."""


def count_naively(trace: Path, exercise: str) -> int | None:
    """What such a counter counts in `trace`, of whoever is seen longest; None where it knows no `exercise`.

    CameraError for a trace that cannot be read.
    """
    row = TABLE.get(exercise)
    if row is None:
        return None
    sides = _angles(trace, row.joints)
    if not sides:
        return 0
    counts = [(_count(angles, row), seen) for angles, seen in sides]
    return sum(count for count, _ in counts) if row.turns else max(counts, key=lambda side: side[1])[0]


def _count(angles: Iterable[float], row: Thresholds) -> int:
    way = 1 if row.far > row.start else -1
    count, ready = 0, False
    for angle in angles:
        if way * (angle - row.start) <= 0:
            ready = True
        elif ready and way * (angle - row.far) >= 0:
            count, ready = count + 1, False
    return count


def _angles(trace: Path, joints: tuple[str, str, str]) -> list[tuple[Array, float]]:
    """Of each side: the angle in every picture, and how well it is seen."""
    subjects = [s for record in read_trace(trace) if isinstance(record, PoseFrame) for s in record.subjects]
    if not subjects:
        return []
    longest = Counter(subject.id for subject in subjects).most_common(1)[0][0]
    bodies = [subject for subject in subjects if subject.id == longest]
    where = SKELETONS[bodies[0].skeleton].joints
    points = np.stack([body.points() for body in bodies]).astype(float)
    sides = []
    for side in ("left", "right"):
        names = [f"{joint}_{side}" for joint in joints]
        if not where.keys() >= set(names):
            continue  # a skeleton without feet
        limb = points[:, [where[name] for name in names]]
        a, c = limb[:, 0, :2] - limb[:, 1, :2], limb[:, 2, :2] - limb[:, 1, :2]
        lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(c, axis=1)
        cosine = (a * c).sum(axis=1) / np.maximum(lengths, 1e-9)
        sides.append((np.degrees(np.arccos(np.clip(cosine, -1, 1))), float(limb[..., 2].mean())))
    return sides
