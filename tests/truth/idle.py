"""What people do before a camera when they do not exercise: nothing of it is to be counted.

Arms that gesture, walks, sitting down and getting up, picking things up, stretching. All of it is irregular, drawn by
chance from a seed; nothing is done twice in the same way at the same pace.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tests.truth.camera import Camera
from tests.truth.curves import ease
from tests.truth.exercises import _sagittal, _standing
from tests.truth.motion import SIDES
from tests.truth.movements import MOVEMENTS
from tests.truth.person import Arm, Build, Pose, draw
from tests.truth.set_bodies import CALM, Part, joined, posed, walked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge.link import PoseFrame

Array = npt.NDArray[np.float64]


def gestures(rng: np.random.Generator, build: Build) -> list[Part]:
    """Stands and talks with the hands."""
    return [_arms(build, rng, 45.0, flexion=(0, 75), abduction=(4, 40), elbow=(10, 120), every_s=1.6)]


def telephone(rng: np.random.Generator, build: Build) -> list[Part]:
    """One hand at the ear, the other moves now and then."""
    other = _hands(rng, 30.0, flexion=(0, 50), abduction=(4, 20), elbow=(10, 90), every_s=4.0)

    def points(t: Array) -> Array:
        still = np.ones(len(t))
        held = {"right": Arm(flexion=40 * still, abduction=15 * still, elbow=140 * still), "left": other(t)}
        return draw(build, replace(_standing(build, len(t)), arms=held))[0]

    return [Part(30.0, points)]


def walking_past(rng: np.random.Generator, build: Build) -> list[Part]:
    """Comes, goes on, comes again."""
    return [
        walked(build, float(rng.uniform(4, 6)), arrives=way, seed=n)
        for n, way in enumerate((True, False) * 3)
    ]


def sitting_down(rng: np.random.Generator, build: Build) -> list[Part]:
    """Sits down, stays, moves the hands, gets up; once."""
    return [_still(build, 4.0), _sits(build, float(rng.uniform(18, 25))), _still(build, 5.0)]


def picking_up(rng: np.random.Generator, build: Build) -> list[Part]:
    """Picks something up, walks off with it, and later puts it down."""
    down, up = rng.uniform(0.7, 1.6, 2)

    def course(t: Array) -> Array:
        return np.asarray(0.9 * (ease((t - 1) / down) - ease((t - 1 - down - 0.4) / up)))

    bend = posed(build, None, float(down + up + 3), course)
    return [
        bend,
        walked(build, 3.5, arrives=False),
        walked(build, 3.5, arrives=True, seed=3),
        _arms(build, rng, 12.0, flexion=(0, 60), abduction=(4, 30), elbow=(10, 100), every_s=3.0),
        posed(build, None, 4.0, lambda t: 0.7 * (ease((t - 0.5) / 1.3) - ease((t - 2.4) / 0.9))),
    ]


def stretching(rng: np.random.Generator, build: Build) -> list[Part]:
    """Arms up and held, one arm up and held, a lunge held: each once, for long."""

    def arms_up(t: Array) -> Array:
        return np.asarray(ease((t - 1) / 1.8) - ease((t - 9) / 1.5))

    def one_up(t: Array) -> Pose:
        held = {}
        for side, up in (("left", 0.95 * arms_up(t)), ("right", 0 * t)):
            held[side] = Arm(flexion=0 * t, abduction=8 + 160 * up, elbow=10 + 40 * up)
        return replace(_standing(build, len(t)), arms=held)

    return [
        posed(build, MOVEMENTS["shoulder press"], 12.0, arms_up),
        Part(12.0, lambda t: draw(build, one_up(t))[0]),
        _still(build, float(rng.uniform(2, 4))),
        posed(build, MOVEMENTS["split squat"], 14.0, lambda t: 0.8 * arms_up(t)),
    ]


def waiting(rng: np.random.Generator, build: Build) -> list[Part]:
    """Stands, shifts about on bending knees, scratches the head now and then."""
    knees = _wander(rng, 40.0, (0.0, 16.0), 2.5)
    hands = {
        side: _hands(rng, 40.0, flexion=(0, 40), abduction=(4, 15), elbow=(5, 135), every_s=7.0)
        for side in SIDES
    }

    def points(t: Array) -> Array:
        knee = 4 + knees(t)
        pose = _sagittal(build, knee=knee, shin=0.4 * knee, lean=2 + 0.3 * knees(t), forwards=0 * t)
        return draw(build, replace(pose, arms={side: hand(t) for side, hand in hands.items()}))[0]

    return [Part(40.0, points)]


IDLE: dict[str, tuple[Callable[[np.random.Generator, Build], list[Part]], float]] = {
    "gestures": (gestures, 10.0),
    "gestures, from the side": (gestures, 70.0),
    "telephone": (telephone, 30.0),
    "walking past": (walking_past, 85.0),
    "sitting down": (sitting_down, 60.0),
    "picking up": (picking_up, 50.0),
    "stretching": (stretching, 20.0),
    "waiting": (waiting, 35.0),
}
"""By name: what is done, and the turn of the camera."""


def idle_frames(name: str, seed: int = 0, fps: float = 30.0) -> Iterator[PoseFrame]:
    """The frames of a pose model, with noise as measured."""
    parts, yaw = IDLE[name]
    rng = np.random.default_rng([seed, list(IDLE).index(name)])
    build = Build(float(rng.uniform(1.5, 1.95)))
    camera = Camera(yaw=yaw, tilt=5.0, distance=4.0, target=(0.0, build.height_m / 2, 0.0))
    yield from camera.see(joined(parts(rng, build)), fps, jitter=0.05, noise=CALM, seed=seed)


def _still(build: Build, duration_s: float) -> Part:
    return posed(build, None, duration_s, np.zeros_like)


def _sits(build: Build, seated_s: float) -> Part:
    """Down to a seat at knee height, and up again."""

    def points(t: Array) -> Array:
        down = ease(t / 1.6) - ease((t - 1.6 - seated_s) / 1.3)
        between = 4 * down * (1 - down)
        knee = 4 + 86 * down
        pose = _sagittal(build, knee=knee, shin=1.2 + 15 * between, lean=2 + 35 * between, forwards=20 * down)
        return draw(build, pose)[0]

    return Part(2.9 + seated_s, points)


def _arms(
    build: Build,
    rng: np.random.Generator,
    duration_s: float,
    *,
    flexion: tuple[float, float],
    abduction: tuple[float, float],
    elbow: tuple[float, float],
    every_s: float,
) -> Part:
    """Stands, and each arm goes from one position by chance to the next."""
    hands = {
        side: _hands(rng, duration_s, flexion=flexion, abduction=abduction, elbow=elbow, every_s=every_s)
        for side in SIDES
    }

    def points(t: Array) -> Array:
        held = {side: hand(t) for side, hand in hands.items()}
        return draw(build, replace(_standing(build, len(t)), arms=held))[0]

    return Part(duration_s, points)


def _hands(
    rng: np.random.Generator,
    duration_s: float,
    *,
    flexion: tuple[float, float],
    abduction: tuple[float, float],
    elbow: tuple[float, float],
    every_s: float,
) -> Callable[[Array], Arm]:
    courses = [_wander(rng, duration_s, (0.0, 1.0), every_s) for _ in range(2)]
    # Whoever lifts a hand bends the elbow: the two go together, but not in step.
    lifted, bent = courses

    def arm(t: Array) -> Arm:
        up, bend = lifted(t), bent(t)
        return Arm(
            flexion=flexion[0] + (flexion[1] - flexion[0]) * up,
            abduction=abduction[0] + (abduction[1] - abduction[0]) * up * bend,
            elbow=elbow[0] + (elbow[1] - elbow[0]) * bend,
        )

    return arm


def _wander(
    rng: np.random.Generator, duration_s: float, between: tuple[float, float], every_s: float
) -> Callable[[Array], Array]:
    """From one level by chance to the next, in movements of 0.4 to 1.4 seconds; half the time at the lowest."""
    times, levels, t = [0.0], [between[0]], 0.0
    while t < duration_s:
        t += 0.4 + float(rng.exponential(every_s))
        times.append(t)
        levels.append(float(rng.uniform(*between)) if rng.random() < 0.5 else between[0])
    lengths = rng.uniform(0.4, 1.4, len(times))

    def course(t: Array) -> Array:
        value = np.full(len(t), levels[0])
        for start, level, before, length in zip(times[1:], levels[1:], levels, lengths, strict=False):
            value += (level - before) * ease((t - start) / length)
        return value

    return course
