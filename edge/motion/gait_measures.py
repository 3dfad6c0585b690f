"""What gait is in numbers: lengths, times, shares, symmetry, with their grades.

Definitions after Perry and Burnfield, Gait Analysis (2nd ed., 2010); the symmetry index is (L - R) / (L + R), 0 for
equal sides. Dogs are measured by the same rows, for front and hind feet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from edge.motion.gait import FEET, PAIRS, RUNS, Gait, Stride
from edge.motion.grades import Grade, Measure, Reason, graded, view_reasons
from edge.motion.smooth import smooth
from wire.metrics import metrics

if TYPE_CHECKING:
    from edge.motion.progress import Progress

Array = npt.NDArray[np.float64]
GaitKind = Literal["walk", "run", "trot"]
LEAST_STRIDES = 2
"""Strides from which there is a gait at all."""
_MANY_STRIDES = 4
_VARIED = 8
"""Strides from which their variability says something."""
_DIAGONAL = 0.15
"""Shares of a stride by which diagonal feet may land apart in a trot."""
_TURN = (0.25, 0.75)
"""Shares of a stride between which the other foot of a pair lands, also of somebody who limps."""
_EVEN = 0.5
"""Share of the strides in which the other foot of the pair must land once."""
_WHOLE = 0.8
"""Share of a stride in which an angle must be known."""
_QUICKEST_S = {"human": 0.5, "dog": 0.2}
"""A sprinter's stride, and a small dog's."""
_LEAST_SWEEP = 0.12
"""Body lengths a foot must go ahead and back: less is shuffling on the spot."""
RATES: tuple[tuple[float, Grade], ...] = ((12.0, "none"), (20.0, "C"), (24.0, "B"))
"""Below so many pictures a second, contacts are told this well at best."""


@dataclass(frozen=True)
class Walk:
    """A gait and what it was read from."""

    gait: Gait
    progress: Progress
    species: str
    height_m: float | None
    """Of a person: body height; of a dog: length of the trunk. None: not calibrated."""
    rate: float
    """Pictures a second."""
    tilt_known: bool = False
    """Whether lengths account for the camera's tilt."""
    courses: Mapping[str, Array] = field(default_factory=dict)
    """float64[T] each, degrees, at the times of `progress`: joint angles by key, and `forward_lean`."""

    def course(self, key: str) -> Array:
        """float64[T]: a course, smoothed; NaN where unknown."""
        known = self.courses.get(key)
        if known is None:
            return np.full(len(self.progress.times), np.nan)
        return smooth(self.progress.times, known[:, None]).value[:, 0]

    def strides(self, foot: str) -> list[Stride]:
        """Strides of one foot."""
        return [stride for stride in self.gait.strides if stride.foot == foot]

    def landings(self, foot: str) -> list[float]:
        """Times at which a foot lands."""
        return [
            contact.t for contact in self.gait.contacts if contact.foot == foot and contact.kind == "contact"
        ]


Compute = Callable[[Walk], float]


@dataclass(frozen=True, kw_only=True)
class GaitMetric:
    """One row: how a metric is computed from a walk; NaN where it cannot be."""

    key: str
    species: tuple[str, ...] = ("human",)
    compute: Compute
    least: int = LEAST_STRIDES
    """Strides that are needed."""
    length: bool = False
    """A length, or a speed: the camera's tilt matters."""
    metres: bool = False
    """In metres: only with a known body height."""
    points: tuple[str, ...] = ()
    """What must be seen; empty: the feet."""


def _stride_time(walk: Walk) -> float:
    return float(np.mean([stride.time for stride in walk.gait.strides]))


def _stance(foot: str) -> Compute:
    def stance(walk: Walk) -> float:
        shares = [stride.stance for stride in walk.strides(foot)]
        return 100 * float(np.mean(shares)) if shares else float("nan")

    return stance


def _symmetry(left: Compute, right: Compute) -> Compute:
    def index(walk: Walk) -> float:
        a, b = left(walk), right(walk)
        return (a - b) / (a + b) if a + b > 0 else float("nan")

    return index


def _step_time(foot: str, other: str) -> Compute:
    """Mean seconds from a landing of the other foot to the next of this one."""

    def step(walk: Walk) -> float:
        landings = sorted(
            [(t, foot) for t in walk.landings(foot)] + [(t, other) for t in walk.landings(other)]
        )
        steps = [b[0] - a[0] for a, b in pairwise(landings) if a[1] == other and b[1] == foot]
        return float(np.mean(steps)) if steps else float("nan")

    return step


def _step_length(foot: str, other: str) -> Compute:
    """How far from the other foot's landing place this foot lands, in body lengths.

    Negative where a foot is only drawn up to the other and lands behind it, as of some who limp. A place is that of
    the foot against the body, and how far the body has gone meanwhile.
    """

    def step(walk: Walk) -> float:
        p = walk.progress
        point = {f.name: f.landing for f in FEET[walk.species]}
        places = []
        for name in (foot, other):
            ahead = p.ahead(point[name])
            known = np.isfinite(ahead)
            if known.sum() < 2:
                return float("nan")
            places += [
                (t, name, float(np.interp(t, p.times[known], ahead[known]))) for t in walk.landings(name)
            ]
        steps = [
            b[2] - a[2] + walk.gait.speed * (b[0] - a[0])
            for a, b in pairwise(sorted(places))
            if a[1] == other and b[1] == foot
        ]
        return float(np.mean(steps)) if steps else float("nan")

    return step


def _double_support(walk: Walk) -> float:
    """Share of a stride in which both feet stand: what their stances are longer together than the stride."""
    return max(_stance("left")(walk) + _stance("right")(walk) - 100, 0.0)


def _variability(walk: Walk) -> float:
    """Coefficient of variation of the stride time, of each foot's own strides."""
    ratios = []
    for foot in FEET[walk.species]:
        times = [stride.time for stride in walk.strides(foot.name)]
        if len(times) > 2:
            ratios.append(np.std(times, ddof=1) / np.mean(times))
    return 100 * float(np.mean(ratios)) if ratios else float("nan")


def _stride_length(walk: Walk) -> float:
    return walk.gait.speed * _stride_time(walk)


def _per_stride(key: str, of: Callable[[Array], float]) -> Compute:
    """Mean over the strides of what `of` says of an angle's course in each, degrees."""

    def mean(walk: Walk) -> float:
        course, times = walk.course(key), walk.progress.times
        found = []
        for stride in walk.gait.strides:
            inside = course[(times >= stride.start) & (times <= stride.end)]
            if len(inside) and np.isfinite(inside).mean() > _WHOLE:
                found.append(of(inside[np.isfinite(inside)]))
        return float(np.mean(found)) if found else float("nan")

    return mean


def _middle(course: Array) -> float:
    return float(np.median(course))


def _swing(side: str) -> Compute:
    """From furthest back to furthest ahead of the upper arm against the trunk."""
    return _per_stride(f"shoulder_flexion_{side}", lambda course: float(np.ptp(course)))


def _metres(compute: Compute) -> Compute:
    return lambda walk: compute(walk) * (walk.height_m or float("nan"))


def _cadence(walk: Walk) -> float:
    return 120 / _stride_time(walk)


_BOTH = ("human", "dog")
GAIT_METRICS: tuple[GaitMetric, ...] = (
    GaitMetric(key="cadence", compute=_cadence),
    GaitMetric(key="stride_time", species=_BOTH, compute=_stride_time),
    GaitMetric(key="stride_length", species=_BOTH, compute=_metres(_stride_length), length=True, metres=True),
    GaitMetric(key="stride_length_relative", species=_BOTH, compute=_stride_length, length=True),
    GaitMetric(
        key="gait_speed",
        species=_BOTH,
        compute=_metres(lambda walk: walk.gait.speed),
        length=True,
        metres=True,
    ),
    GaitMetric(key="gait_speed_relative", species=_BOTH, compute=lambda walk: walk.gait.speed, length=True),
    GaitMetric(
        key="step_length_left", compute=_metres(_step_length("left", "right")), length=True, metres=True
    ),
    GaitMetric(
        key="step_length_right", compute=_metres(_step_length("right", "left")), length=True, metres=True
    ),
    GaitMetric(key="stance_left", compute=_stance("left")),
    GaitMetric(key="stance_right", compute=_stance("right")),
    GaitMetric(key="double_support", compute=_double_support),
    GaitMetric(key="stride_time_cv", species=_BOTH, compute=_variability, least=_VARIED),
    GaitMetric(
        key="step_time_symmetry",
        compute=_symmetry(_step_time("left", "right"), _step_time("right", "left")),
        least=_MANY_STRIDES,
    ),
    GaitMetric(
        key="step_length_symmetry",
        compute=_symmetry(_step_length("left", "right"), _step_length("right", "left")),
        least=_MANY_STRIDES,
    ),
    GaitMetric(
        key="stance_symmetry", compute=_symmetry(_stance("left"), _stance("right")), least=_MANY_STRIDES
    ),
    *(
        GaitMetric(
            key=f"arm_swing_{side}", compute=_swing(side), points=(f"shoulder_{side}", f"elbow_{side}")
        )
        for side in ("left", "right")
    ),
    GaitMetric(
        key="arm_swing_symmetry",
        compute=_symmetry(_swing("left"), _swing("right")),
        least=_MANY_STRIDES,
        points=("elbow_left", "elbow_right"),
    ),
    GaitMetric(
        key="gait_trunk_lean", compute=_per_stride("forward_lean", _middle), points=("neck", "pelvis")
    ),
    GaitMetric(
        key="gait_neck_flexion",
        compute=_per_stride("neck_flexion", _middle),
        points=("head", "neck", "pelvis"),
    ),
    *(
        GaitMetric(key=f"stance_{foot.name}", species=("dog",), compute=_stance(foot.name))
        for foot in FEET["dog"]
    ),
    *(
        GaitMetric(
            key=f"stance_symmetry_{end}",
            species=("dog",),
            compute=_symmetry(_stance(f"{end}_left"), _stance(f"{end}_right")),
            least=_MANY_STRIDES,
        )
        for end in ("front", "hind")
    ),
)


def measure_gait(walk: Walk) -> dict[str, Measure]:
    """Every row for the species, graded."""
    rows = [row for row in GAIT_METRICS if walk.species in row.species]
    if not is_gait(walk):
        return {row.key: Measure(None, "none", ("no_gait",)) for row in rows}
    return {row.key: _measure(row, walk) for row in rows}


def is_gait(walk: Walk) -> bool:
    """Whether feet go ahead and back by turns as they do in a gait."""
    if any(not walk.strides(foot.name) for foot in FEET[walk.species]):
        return False
    if len(walk.gait.strides) < LEAST_STRIDES or not _stride_length(walk) > _LEAST_SWEEP:
        return False
    if _stride_time(walk) < _QUICKEST_S[walk.species]:
        return False
    if len(walk.gait.strides) < _EVEN * (len(walk.gait.strides) + walk.gait.uneven):
        return False
    return all(_by_turns(walk, left, right) for left, right in PAIRS[walk.species])


def _by_turns(walk: Walk, left: str, right: str) -> bool:
    """Whether each foot lands about half-way between the landings of the other."""
    phases = [
        (t - stride.start) / stride.time
        for foot, other in ((left, right), (right, left))
        for stride in walk.strides(foot)
        for t in walk.landings(other)
        if stride.start < t < stride.end
    ]
    return bool(phases) and _TURN[0] < float(np.median(phases)) < _TURN[1]


def gait_kind(walk: Walk) -> GaitKind | None:
    """Walk, run or trot; None where it is no gait."""
    if not is_gait(walk):
        return None
    stance = float(np.median([stride.stance for stride in walk.gait.strides]))
    if walk.species == "human":
        return "run" if stance < RUNS else "walk"
    return "trot" if _diagonal_lag(walk) < _DIAGONAL else "walk"


def _diagonal_lag(walk: Walk) -> float:
    """How far apart diagonal feet land, as a share of a stride, 0-0.5."""
    lags = [
        min(abs(t - other) for other in walk.landings(b))
        for a, b in (("front_left", "hind_right"), ("front_right", "hind_left"))
        for t in walk.landings(a)
    ]
    return float(np.median(lags)) / _stride_time(walk)


def _measure(row: GaitMetric, walk: Walk) -> Measure:
    if row.metres and walk.height_m is None:
        return Measure(None, "none", ("not_calibrated",))
    value, known = row.compute(walk), metrics()[row.key]
    if not known.minimum <= value <= known.maximum:
        value = float("nan")
    points = row.points or tuple(foot.landing for foot in FEET[walk.species])
    seen = float(np.mean([np.nanmean(walk.progress.weight(point)) for point in points]))
    reasons: dict[Reason, Grade] = view_reasons(seen, walk.progress.turn)
    for least, grade in RATES:
        if walk.rate < least:
            reasons.setdefault("low_frame_rate", grade)
    if len(walk.gait.strides) < row.least:
        reasons["few_strides"] = "none"
    elif len(walk.gait.strides) < _MANY_STRIDES:
        reasons["few_strides"] = "C"
    if row.length and walk.progress.plane == "image" and not walk.tilt_known:
        reasons["tilt_unknown"] = "B"
    if row.metres and gait_kind(walk) == "run":
        reasons["not_calibrated"] = "B"  # a runner's height over the floor is known less well
    return graded(value, reasons)
