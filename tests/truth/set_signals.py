"""Sets as courses of signals, without bodies: what ten thousand sets are counted from.

The signals of a movement's poses are read once, from a body without noise; over time they follow the progress. What
noise does to each signal is read from whole bodies with the measured noise. So the names are those of
`edge.motion.signals`, whatever they are; nothing here depends on how repetitions are counted, but `count_signals`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from edge.coach.coach import Coach
from edge.motion.body import Body
from edge.motion.lens import Lens
from edge.motion.signals import COLUMNS, Signals
from tests.truth.camera import Camera, frames
from tests.truth.measured import measured
from tests.truth.motion import SIDES
from tests.truth.movements import MOVEMENTS
from tests.truth.noise import _courses
from tests.truth.person import Build, draw
from tests.truth.set_bodies import CALM, Part, around, joined, posed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.truth.motion import Motion
    from tests.truth.sets import Plan

Array = npt.NDArray[np.float64]
_GRID = np.linspace(0, 1.25, 51)
_RATE = 30.0
_OUTLIER_SHARE, _OUTLIER_SIZE, _OUTLIER_TAIL = 0.008, 2.0, 1.2
"""Share of the values, least size in standard deviations of the signal's noise in motion, and mean excess over it in
least sizes: as whole bodies with the noise of `noise.toml` have them (0.2 to 0.4 % beyond four, 0.1 % beyond eight).
"""
_MOST = 2.5
"""Noise of fast movements, in that of a repetition of two seconds."""


class Made(NamedTuple):
    """A set as signals."""

    times: Array
    """float64[T], seconds."""
    courses: dict[str, Array]
    """float64[T] by name; NaN where out of sight."""
    reps: int
    """The truth."""
    far_s: Array
    """When each repetition is at its far end."""


def make_signals(plan: Plan) -> Made:
    """The signals of a plan's set, with its set-up, noise and losses of sight."""
    rng = np.random.default_rng([plan.seed, 2])
    before, after = _set_up(plan.movement) if plan.set_up else (None, None)
    begins = before.seconds if before else 0.0
    ends = begins + plan.duration_s
    total = ends + (after.seconds if after else 0.0)
    times = np.arange(0.0, total, 1 / plan.fps)
    times = times + np.clip(plan.jitter * rng.standard_normal(len(times)), -0.45, 0.45) / plan.fps
    times = np.clip(times, 0.0, total)
    inside = (times >= begins) & (times <= ends)
    progress = plan.progress(times[inside] - begins)
    speed = {side: np.ones(len(times)) for side in SIDES}  # somebody who walks or bends moves, too
    for side in SIDES:
        speed[side][inside] = np.abs(np.gradient(progress[side], times[inside]))
    noise, outliers = _noise(times, len(COLUMNS), plan.fps, rng)
    still, moving = _spread(plan.movement, moves=False), _spread(plan.movement, moves=True)
    lost = np.zeros(len(times), bool)
    for start, length in plan.losses:
        lost |= (times >= begins + start) & (times <= begins + start + length)
    courses = {}
    for number, name in enumerate(COLUMNS):
        course = np.empty(len(times))
        course[inside] = _read(plan.movement, name, progress)
        for part, offset, where in ((before, 0.0, times < begins), (after, ends, times > ends)):
            if part is not None and where.any():
                course[where] = np.interp(times[where] - offset, part.times, part.courses[name])
        fast = [own for side, own in speed.items() if name.endswith(side)] or list(speed.values())
        share = np.minimum(np.sqrt(np.max(fast, axis=0)), _MOST)
        course += (still[name] + (moving[name] - still[name]) * share) * noise[:, number]
        course += moving[name] * outliers[:, number]
        courses[name] = np.where(lost, np.nan, course)
    far = [one.start + one.out + one.pause / 2 for one in plan.repetitions]
    return Made(times, courses, plan.reps, begins + np.array(far))


def count_signals(times: Array, courses: Mapping[str, Array], exercise: str) -> int:
    """Full repetitions of `exercise` that are counted in these courses: the one place that knows the coach."""
    coach = Coach(exercise)
    for t, *values in zip(times, *(courses[name] for name in COLUMNS), strict=True):
        coach.update(None if np.isnan(values[0]) else _Moment(values), float(t))  # type: ignore[arg-type]
    return coach.totals().get(exercise, (0, 0, 0.0))[0]


class _Moment:
    """The signals of one moment, all well seen and in their planes."""

    doubt = np.ones(len(COLUMNS))
    _seen = np.ones(len(COLUMNS))

    def __init__(self, values: list[float]) -> None:
        self.arrays = (np.array(values), self._seen)
        self.trunk_px = _trunk_px()


@cache
def _trunk_px() -> float:
    """Of everybody who stands before the camera of `_signals`."""
    upright = joined([posed(Build(), MOVEMENTS["squat"], 1.0, np.zeros_like)])
    return _looks(upright, np.zeros(1), None)[0].trunk_px


class _Read(NamedTuple):
    seconds: float
    times: Array
    courses: dict[str, Array]


def _read(movement: str, name: str, progress: Mapping[str, Array]) -> Array:
    """One signal at a progress of each side: what the sides do by themselves adds up."""
    if MOVEMENTS[movement].limbs == "together":
        return np.interp(progress["left"], _GRID, _table(movement, "both")[name])
    at_rest = _table(movement, "left")[name][0]
    moved = [np.interp(progress[side], _GRID, _table(movement, side)[name]) - at_rest for side in SIDES]
    return np.asarray(at_rest + moved[0] + moved[1])


@cache
def _table(movement: str, side: str) -> dict[str, Array]:
    """Every signal at each progress of the grid."""
    build, kind = Build(), MOVEMENTS[movement]

    def points(t: Array) -> Array:
        sides = [t if side in (own, "both") else np.zeros_like(t) for own in SIDES]
        return draw(build, kind.pose(build, *sides))[0]

    return _signals(joined([Part(float(_GRID[-1]), points)]), _GRID, None)


@cache
def _set_up(movement: str) -> tuple[_Read, _Read]:
    """What is done before and after, with the ways between."""
    build, kind = Build(), MOVEMENTS[movement]
    rest = posed(build, kind, 0.05, np.zeros_like)
    before, after = around(build, kind)
    read = []
    for parts in ([*before, rest], [rest, *after]):
        motion = joined(parts)
        times = np.arange(0, motion.duration_s, 1 / _RATE)
        read.append(_Read(motion.duration_s, times, _signals(motion, times, None)))
    return read[0], read[1]


@cache
def _spread(movement: str, *, moves: bool) -> dict[str, float]:
    """Standard deviation of what noise adds to each signal: in repetitions of two seconds, or standing still."""
    build, kind = Build(), MOVEMENTS[movement]

    def course(t: Array) -> Array:
        return np.asarray((1 - np.cos(np.pi * t)) / 2 if moves else 0.1 + 0 * t)

    motion = joined([posed(build, kind, 8.0, course)])
    times = np.arange(0, 8.0, 1 / _RATE)
    clean = _signals(motion, times, None)
    noisy = _signals(motion, times, np.random.default_rng(7))
    spread = {}
    for name in COLUMNS:
        off = noisy[name] - clean[name]
        spread[name] = 1.4826 * float(np.median(np.abs(off - np.median(off))))
    return spread


def _signals(motion: Motion, times: Array, rng: np.random.Generator | None) -> dict[str, Array]:
    """Every signal of a motion at these times; with noise where there is a generator."""
    courses = np.array([now.arrays[0] for now in _looks(motion, times, rng)])
    return {name: _filled(course) for name, course in zip(COLUMNS, courses.T, strict=True)}


def _looks(motion: Motion, times: Array, rng: np.random.Generator | None) -> list[Signals]:
    """What a camera sees of a motion at these times."""
    camera = Camera(yaw=45.0, distance=4.0, target=(0.0, 0.8, 0.0))
    seen = camera.placed(motion).look(motion, motion.at(times))
    if rng is not None:
        seen = CALM.disturb(seen, motion.names, rng)
    seen = seen._replace(found=np.ones(len(times), bool))
    size = (camera.width, camera.height_px)
    lens = Lens(*size)
    subjects = [frame.subjects[0] for frame in frames(seen, motion, size)]
    return [Signals(Body.of(one.skeleton, one.points(), one.world_points(), lens)) for one in subjects]


def _filled(course: Array) -> Array:
    """Without gaps; a signal that cannot be computed at all is 0."""
    known = np.isfinite(course)
    if not known.any():
        return np.zeros(len(course))
    index = np.arange(len(course))
    return np.asarray(np.interp(index, index[known], course[known]))


def _noise(times: Array, signals: int, fps: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Noise of variance 1 that is correlated over time as measured, and outliers of single pictures."""
    stretch = min(len(times), 400)
    # The same stretch of noise again and again, each signal from another moment on: drawing all of it is slow.
    base = _courses(np.arange(stretch) / fps, (signals,), measured()["footage"]["time_constant"], rng)
    at = (np.arange(len(times))[:, None] + rng.integers(stretch, size=signals)) % stretch
    noise = base[at, np.arange(signals)]
    sizes = (
        _OUTLIER_SIZE
        * (1 + rng.exponential(_OUTLIER_TAIL, noise.shape))
        * rng.choice([-1.0, 1.0], noise.shape)
    )
    return noise, (rng.random(noise.shape) < _OUTLIER_SHARE) * sizes
