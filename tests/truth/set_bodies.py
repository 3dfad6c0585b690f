"""Sets and the time around them as whole bodies before a camera: everything that vision would send."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from tests.truth.camera import Camera, frames
from tests.truth.curves import ease
from tests.truth.motion import Motion
from tests.truth.movements import bend_down
from tests.truth.noise import Noise
from tests.truth.person import NAMES, Build, draw
from tests.truth.walking import walk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.link import PoseFrame
    from tests.truth.movements import Movement
    from tests.truth.sets import Plan

Array = npt.NDArray[np.float64]
CALM = Noise(gaps=0.0)
"""As measured, with its outliers; losses of sight are the plan's own."""


class Part(NamedTuple):
    """A stretch of a longer movement."""

    duration_s: float
    points: Callable[[Array], Array]
    """Seconds from its beginning to float64[T, 33, 3]."""
    join_s: float = 0.8
    """How long it takes to get from its end to the beginning of the next one."""


def joined(parts: Sequence[Part]) -> Motion:
    """One part after the other, with smooth ways between (on which bones are not quite of one length)."""
    begins, t = [], 0.0
    for part in parts:
        begins.append(t)
        t += part.duration_s + part.join_s
    duration = begins[-1] + parts[-1].duration_s
    ends = [(part.points(np.zeros(1))[0], part.points(np.array([part.duration_s]))[0]) for part in parts]

    def figure(times: Array) -> tuple[Array, dict[str, Array]]:
        at = np.clip(np.searchsorted(begins, times, side="right") - 1, 0, None)
        points = np.empty((len(times), len(NAMES), 3))
        for number, part in enumerate(parts):
            inside = np.flatnonzero(at == number)
            if not len(inside):
                continue
            u = times[inside] - begins[number]
            points[inside] = part.points(np.minimum(u, part.duration_s))
            way = u > part.duration_s
            if way.any() and number + 1 < len(parts):
                share = ease((u[way] - part.duration_s) / part.join_s)[:, None, None]
                points[inside[way]] = (1 - share) * ends[number][1] + share * ends[number + 1][0]
        return points, {}

    return Motion(
        species="human",
        skeleton="blazepose33",
        names=NAMES,
        duration_s=duration,
        contacts=(),
        truth={},
        figure=figure,
    )


def set_part(plan: Plan) -> Part:
    """The set itself."""
    build = Build(plan.height_m)

    def points(t: Array) -> Array:
        progress = plan.progress(t)
        return draw(build, plan.kind.pose(build, progress["left"], progress["right"]))[0]

    return Part(plan.duration_s, points)


def whole_set(plan: Plan) -> tuple[Motion, float]:
    """The set with its set-up, and when the set begins in it."""
    own = set_part(plan)
    if not plan.set_up:
        return joined([own]), 0.0
    before, after = around(Build(plan.height_m), plan.kind)
    begins = sum(part.duration_s + part.join_s for part in before)
    return joined([*before, own, *after]), begins


def see_set(plan: Plan) -> list[PoseFrame]:
    """The frames of a pose model, with noise as measured and the plan's losses of sight."""
    motion, begins = whole_set(plan)
    middle = 0.25 if plan.kind.lying else 0.5
    camera = Camera(
        yaw=plan.yaw,
        tilt=plan.tilt,
        distance=plan.distance,
        target=(0.0, middle * plan.height_m, 0.0),
    )
    rng = np.random.default_rng([plan.seed, 1])
    times = np.arange(0.0, motion.duration_s, 1 / plan.fps)
    times = times + np.clip(plan.jitter * rng.standard_normal(len(times)), -0.45, 0.45) / plan.fps
    times = np.clip(times, 0, motion.duration_s)
    seen = CALM.disturb(camera.placed(motion).look(motion, motion.at(times)), NAMES, rng)
    found = seen.found.copy()
    for start, length in plan.losses:
        found &= (times < begins + start) | (times > begins + start + length)
    return frames(seen._replace(found=found), motion, (camera.width, camera.height_px))


def posed(build: Build, kind: Movement | None, duration_s: float, course: Callable[[Array], Array]) -> Part:
    """Both sides through a movement (None: bending down) with a course of progress."""
    pose = kind.pose if kind else bend_down

    def points(t: Array) -> Array:
        progress = course(t)
        return draw(build, pose(build, progress, progress))[0]

    return Part(duration_s, points)


def walked(build: Build, duration_s: float, *, arrives: bool, seed: int = 0) -> Part:
    """A walk that ends, or begins, at the place of the set."""
    way = walk(height_m=build.height_m, duration_s=duration_s, seed=seed)
    hip = NAMES.index("left_hip")
    ends = way.at([0.0, duration_s]).points[:, hip]
    away = ends[1 if arrives else 0] * np.array([1.0, 0.0, 0.0])
    return Part(duration_s, lambda t: way.at(t).points - away, 0.7)


def around(build: Build, kind: Movement) -> tuple[list[Part], list[Part]]:
    """What is done before a set, and after it."""
    stand = posed(build, None, 0.8, np.zeros_like)
    before, after = [walked(build, 2.5, arrives=True), stand], [stand, walked(build, 2.5, arrives=False)]
    if kind.weight:
        lift = posed(build, None, 2.2, lambda t: 0.95 * (ease(t / 0.9) - ease((t - 1.3) / 0.9)))
        before, after = [*before, lift], [lift, *after]
    if kind.lying:
        crouch = posed(build, None, 0.5, np.ones_like)
        before, after = [*before, crouch._replace(join_s=1.2)], [crouch, *after]
    return before, after
