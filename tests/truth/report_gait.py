"""Errors of the gait of a case: its contacts and its measures, as a session would have them."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge.coach.walks import Walks
from edge.motion.body import Body
from edge.motion.gait import gait
from edge.motion.progress import progress
from edge.motion.signals import Signals
from edge.motion.track import Track
from tests.truth.motion import SIDES
from tests.truth.report_cases import motion

if TYPE_CHECKING:
    from edge.motion.grades import Grade
    from tests.truth.motion import Motion
    from tests.truth.report_cases import Case

_NEAR_S = 0.15
"""A contact further off is another one, or none."""
_MARGIN_S = 0.3
"""At the ends of a clip contacts are only half seen."""


class Found(NamedTuple):
    """One metric of one case."""

    key: str
    value: float
    """NaN where none was given."""
    true: float
    grade: Grade
    reasons: tuple[str, ...]


class Contacts(NamedTuple):
    """Contacts of one case: seconds that each is late."""

    errors: list[float]
    missed: int


@cache
def gait_values(case: Case) -> list[Found]:
    """Every gait metric whose truth is known."""
    species = motion(case.motion).species
    height = motion(case.motion).truth["height" if species == "human" else "body_length"]
    walks = Walks(species, height)
    lens = case.lens
    times = []
    for frame in case.frames():
        for subject in frame.subjects:
            t = frame.monotonic_ns / 1e9
            body = Body.of(subject.skeleton, subject.points(), subject.world_points(), lens)
            walks.add(t, body, Signals(body).angles.value)
            times.append(t)
    walks.finish()
    got = walks.measures()
    true = true_values(motion(case.motion), times[0], times[-1]) if times else {}
    rows = []
    for key, value in true.items():
        if key in got:
            measure = got[key]
            number = float("nan") if measure.value is None else measure.value
            rows.append(Found(key, number, value, measure.grade, measure.reasons))
        else:
            rows.append(Found(key, float("nan"), value, "none", ("no_gait",)))
    return rows


@cache
def contact_errors(case: Case) -> Contacts:
    """Each true contact against the nearest of its kind that was found."""
    one = motion(case.motion)
    seen = [(f.monotonic_ns / 1e9, s) for f in case.frames() for s in f.subjects]
    bodies = [Body.of(s.skeleton, s.points(), s.world_points(), case.lens) for _, s in seen]
    track = Track.of([t for t, _ in seen], bodies).cleaned(0.3)
    way = progress(track, one.species, case.lens)
    contacts = gait(way, one.species).contacts if way is not None else []
    errors: list[float] = []
    missed = 0
    for true in one.contacts:
        if not len(track) or not track.times[0] + _MARGIN_S < true.t < track.times[-1] - _MARGIN_S:
            continue
        kind = "contact" if true.kind == "strike" else "lift"
        late = [c.t - true.t for c in contacts if (c.foot, c.kind) == (true.foot, kind)]
        best = min(late, key=abs, default=np.inf)
        if abs(best) < _NEAR_S:
            errors.append(float(best))
        else:
            missed += 1
    return Contacts(errors, missed)


def true_values(one: Motion, start: float, end: float) -> dict[str, float]:
    """What is true of the strides between two moments, by metric."""
    truth = dict(one.truth)
    if one.species == "dog":
        return _of_dog(truth)
    strikes = {foot: [t for t in one.strikes(foot) if start <= t <= end] for foot in SIDES}
    strides = [b - a for times in strikes.values() for a, b in pairwise(times)]
    stride = float(np.mean(strides)) if strides else float("nan")
    found = {
        "cadence": 120 / stride,
        "stride_time": stride,
        "gait_speed": truth["speed"],
        "stride_length": truth["speed"] * stride,
        "double_support": 100 * truth["double_support"],
    }
    for side in SIDES:
        found[f"step_length_{side}"] = truth[f"step_length_{side}"]
        found[f"stance_{side}"] = 100 * truth[f"stance_{side}"]
    for what in ("step_time", "step_length", "stance"):
        left, right = truth[f"{what}_left"], truth[f"{what}_right"]
        found[f"{what}_symmetry"] = (left - right) / (left + right)
    return found


def _of_dog(truth: dict[str, float]) -> dict[str, float]:
    found = {
        "stride_time": truth["front_stride_time_left"],
        "stride_length": truth["front_stride_length_left"],
        "gait_speed": truth["speed"],
    }
    for end in ("front", "hind"):
        left, right = (100 * truth[f"{end}_stance_{side}"] for side in SIDES)
        found |= {f"stance_{end}_left": left, f"stance_{end}_right": right}
        found[f"stance_symmetry_{end}"] = (left - right) / (left + right)
    return found
