"""Tables of the accuracy report that vary one thing at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge.motion.smooth import smooth
from tests.truth.report_angles import angle_errors, joint
from tests.truth.report_cases import Case
from tests.truth.report_gait import contact_errors, gait_values

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from tests.truth.report_angles import Errors
    from tests.truth.report_cases import Kind

    Array = npt.NDArray[np.float64]

SIDE_VIEWS = ((90.0, 0.0), (75.0, 20.0), (-105.0, -10.0))
FRONT_VIEWS = ((0.0, 0.0), (15.0, 20.0), (-15.0, -10.0))
"""Yaw and tilt."""
IN_PLANE = {
    "knee_flexion": (("squat", "lunge", "sit to stand", "jump", "walk"), SIDE_VIEWS),
    "hip_flexion": (("squat", "lunge", "sit to stand", "jump", "walk"), SIDE_VIEWS),
    "ankle_dorsiflexion": (("squat", "lunge", "jump", "walk"), SIDE_VIEWS),
    "elbow_flexion": (("curl", "walk"), SIDE_VIEWS),
    "shoulder_flexion": (("arm raise forwards", "walk"), SIDE_VIEWS),
    "shoulder_abduction": (("arm raise",), FRONT_VIEWS),
    "trunk_lean": (("squat", "sit to stand", "walk"), SIDE_VIEWS),
    "pelvis_obliquity": (("walk", "arm raise"), FRONT_VIEWS),
}
"""In which movements an angle is looked at, and from where its plane is seen within 20 degrees."""


class InPlane(NamedTuple):
    """Errors of an angle in its plane, degrees."""

    clean: float
    """Mean absolute, without noise."""
    live: float
    """Of every moment with a value, with the measured noise."""
    graded_a: float
    """Of those with grade A."""
    a_95: float
    """95 of 100 moments with grade A err less."""
    smoothed: float
    """Of every moment, smoothed as for repetitions and strides."""
    share_a: float
    """Share of the moments with a value that get grade A."""


def in_plane(key: str) -> InPlane:
    """Of one angle, over its movements and views."""
    motions, views = IN_PLANE[key]
    clean, live, good, even = [], [], [], []
    for name in motions:
        for yaw, tilt in views:
            seconds = 5.0 if name == "walk" else None
            case = Case(motion=name, yaw=yaw, tilt=tilt, noise="none", seconds=seconds)
            clean += [_known(e.error) for e in angle_errors(case) if joint(e.key) == key]
            noisy = Case(motion=name, yaw=yaw, tilt=tilt, seconds=seconds)
            for e in angle_errors(noisy):
                if joint(e.key) == key:
                    live.append(_known(e.error))
                    good.append(e.graded("A"))
                    even.append(_known(_smoothed(e, noisy.fps)))
    every, a = np.abs(np.concatenate(live)), np.abs(np.concatenate(good))
    return InPlane(
        _mean(np.concatenate(clean)),
        _mean(every),
        _mean(a),
        float(np.percentile(a, 95)) if len(a) else float("nan"),
        _mean(np.concatenate(even)),
        len(a) / len(every),
    )


def by_view(
    key: str,
    name: str,
    kinds: tuple[Kind, ...],
    yaws: Iterable[float],
    *,
    tilt: float = 0.0,
    known: bool = True,
) -> dict[str, list[float]]:
    """Mean absolute error of one angle by the yaw from which it is seen, for each kind of noise."""
    found: dict[str, list[float]] = {}
    for kind in kinds:
        found[kind] = [
            _of(key, Case(motion=name, yaw=yaw, tilt=tilt, noise=kind, tilt_known=known)) for yaw in yaws
        ]
    return found


def by_rate(key: str, name: str, rates: Iterable[float], kind: Kind = "measured") -> list[float]:
    """The same by pictures a second, from the side."""
    return [_of(key, Case(motion=name, fps=fps, noise=kind, seconds=5.0)) for fps in rates]


class ContactRow(NamedTuple):
    """Contacts of walks seen in one way, seconds."""

    mean: float
    """Absolute."""
    p95: float
    late: float
    missed: float
    """Share."""


def contacts(
    motions: Iterable[str], *, kind: Kind = "measured", fps: float = 30.0, yaw: float = 90.0
) -> ContactRow:
    """Of 10 s of each movement; a walk past of all of it."""
    errors, missed = [], 0
    for name in motions:
        found = contact_errors(_gait_case(name, kind, fps, yaw))
        errors += found.errors
        missed += found.missed
    if not errors:
        return ContactRow(float("nan"), float("nan"), float("nan"), 1.0)
    late = np.array(errors)
    return ContactRow(
        _mean(late), float(np.percentile(np.abs(late), 95)), float(late.mean()), missed / (missed + len(late))
    )


def gait_errors(
    motions: Iterable[str],
    keys: Iterable[str],
    *,
    kind: Kind = "measured",
    fps: float = 30.0,
    yaw: float = 90.0,
) -> dict[str, float]:
    """Mean absolute error of gait metrics (as a share of the value where it is a time or a length) over movements."""
    keys = tuple(keys)
    found: dict[str, list[float]] = {key: [] for key in keys}
    for name in motions:
        for one in gait_values(_gait_case(name, kind, fps, yaw)):
            if one.key in found and np.isfinite(one.value):
                relative = (
                    "symmetry" not in one.key and "stance" not in one.key and one.key != "double_support"
                )
                found[one.key].append(abs(one.value - one.true) / (abs(one.true) if relative else 1.0))
    return {key: float(np.mean(values)) if values else float("nan") for key, values in found.items()}


def _gait_case(name: str, kind: Kind, fps: float, yaw: float) -> Case:
    seconds = 5.0 if name == "walk past" else 10.0
    return Case(motion=name, yaw=yaw, tilt=10.0, fps=fps, noise=kind, distance=5.0, seconds=seconds)


def _of(key: str, case: Case) -> float:
    errors = [_known(e.error) for e in angle_errors(case) if joint(e.key) == key]
    return _mean(np.concatenate(errors)) if errors else float("nan")


def _smoothed(one: Errors, fps: float) -> Array:
    """Errors of the smoothed course."""
    times = np.arange(len(one.error)) / fps
    return np.asarray(smooth(times, (one.error + one.true)[:, None]).value[:, 0] - one.true)


def _known(values: Array) -> Array:
    return values[np.isfinite(values)]


def _mean(values: Array) -> float:
    return float(np.abs(values).mean()) if len(values) else float("nan")
