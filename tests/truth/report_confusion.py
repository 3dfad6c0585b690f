"""Which errors the grades let through: cases by chance, counted by grade and by whether they are inside the limit."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from tests.truth.report_angles import angle_errors, joint
from tests.truth.report_cases import DOGS, EXERCISES, WALKS, drawn
from tests.truth.report_gait import gait_values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.truth.report_cases import Case, Kind

GRADES = ("A", "B", "C", "none")
ANGLE_LIMIT = 3.0
"""Degrees, mean absolute error of the moments of one grade in one clip."""
LEAST_MOMENTS = 10
_SHARES = {"cadence", "stride_time", "gait_speed", "stride_length", "step_length_left", "step_length_right"}
"""Limited to 2 % of the value."""
_MOVING = ("walk", "fast walk", "run")


@dataclass
class Row:
    """Of one metric: [inside, outside] by grade; of no value, outside stands for all."""

    limit: str
    counts: dict[str, list[int]] = field(default_factory=lambda: {grade: [0, 0] for grade in GRADES})

    def add(self, grade: str, *, inside: bool) -> None:
        self.counts[grade][0 if inside else 1] += 1

    @property
    def given(self) -> int:
        """Clips with grade A."""
        return sum(self.counts["A"])

    @property
    def kept(self) -> float:
        """Share of those inside the limit; NaN without any."""
        return self.counts["A"][0] / self.given if self.given else float("nan")


def angle_cases(count: int, kind: Kind = "measured") -> list[Case]:
    """Clips for angles: every other one near a side or front view, where A is to be had."""
    cases = []
    for number, case in enumerate(drawn(EXERCISES + _MOVING, count, kinds=(kind,))):
        seconds = 5.0 if case.motion in _MOVING else None
        yaw = case.yaw
        if number % 2:
            near = np.sign(yaw) * (abs(yaw) % 25)
            yaw = float(np.round(near if number % 4 == 1 else np.sign(yaw) * 90 - near))
        cases.append(replace(case, yaw=yaw, seconds=seconds))
    return cases


def gait_cases(count: int, motions: tuple[str, ...] = WALKS) -> list[Case]:
    """Clips for gait: every other one within 20 degrees of a side view."""
    return [
        replace(case, yaw=float(np.round(np.sign(case.yaw) * (70 + abs(case.yaw) / 4.5)))) if n % 2 else case
        for n, case in enumerate(drawn(motions, count))
    ]


def dog_cases(count: int) -> list[Case]:
    """The same of dogs, no longer than 20 s."""
    return [replace(case, seconds=min(case.seconds or 10.0, 20.0)) for case in gait_cases(count, DOGS)]


def of_angles(cases: Iterable[Case]) -> dict[str, Row]:
    """A clip counts once for each grade that it was given for at least ten moments."""
    rows: dict[str, Row] = defaultdict(lambda: Row(f"{ANGLE_LIMIT:.0f}°"))
    for case in cases:
        for errors in angle_errors(case):
            row = rows[joint(errors.key)]
            for grade in ("A", "B", "C"):
                found = errors.graded(grade)
                if len(found) >= LEAST_MOMENTS:
                    row.add(grade, inside=float(np.abs(found).mean()) <= ANGLE_LIMIT)
            if sum(one == "none" for one in errors.grades) > len(errors.grades) / 2:
                row.add("none", inside=False)
    return dict(rows)


def of_gait(cases: Iterable[Case]) -> dict[str, Row]:
    """A clip counts once for each metric."""
    rows: dict[str, Row] = {}
    for case in cases:
        for one in gait_values(case):
            row = rows.setdefault(one.key, Row(_text(one.key)))
            off = abs(one.value - one.true) / (abs(one.true) if one.key in _SHARES else 1)
            row.add(one.grade, inside=bool(off <= gait_limit(one.key)))
    return rows


def gait_limit(key: str) -> float:
    """The error that grade A promises, in the metric's unit or as a share of it."""
    if key in _SHARES or "symmetry" in key:
        return 0.02
    return 4.0 if key == "double_support" else 2.0


def _text(key: str) -> str:
    limit = gait_limit(key)
    if key in _SHARES:
        return f"{100 * limit:.0f} %"
    return f"{limit:g}" if "symmetry" in key else f"{limit:g} points"
