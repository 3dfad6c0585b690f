"""Whatever vision says, an observer answers with grades and no exception, in a fixed amount of memory."""

from __future__ import annotations

import gc
import math
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from edge.coach.observer import Observer
from tests.truth.camera import Camera
from tests.truth.exercises import squat
from tests.truth.repetitions import Tempo

if TYPE_CHECKING:
    from edge.link import PoseFrame

FRAMES = Camera(yaw=60, distance=4).see(squat(tempo=Tempo(reps=2)), 30)
SPOILS = ["nothing", "nan", "huge", "still", "hidden", "upside down", "half", "no world", "one point"]
CLOCKS = ["steady", "1000 fps", "backwards", "stopped", "jumps", "slow"]


def spoilt(frame: PoseFrame, spoil: str, dice: np.random.Generator) -> PoseFrame:
    subjects = []
    for one in frame.subjects:
        points, world = one.points().copy(), one.world_points()
        assert world is not None
        world = world.copy()
        if spoil == "nan":
            points[dice.random(points.shape) < 0.4] = np.nan
            world[dice.random(world.shape) < 0.4] = np.inf
        elif spoil == "huge":
            points[:, :2] *= 1e30
            world *= 1e30
        elif spoil == "hidden":
            points[:, 2] = 0.0
        elif spoil == "upside down":
            points[:, 1] = frame.height - points[:, 1]
            world[:, 1] *= -1
        elif spoil == "half":
            points[20:] = 0.0
        elif spoil == "one point":
            points[:, :2], world[:] = 100.0, 0.0
        subjects.append(
            replace(
                one,
                keypoints=points.astype("<f4").tobytes(),
                world=None if spoil == "no world" else world.astype("<f4").tobytes(),
            )
        )
    return replace(frame, subjects=tuple(subjects))


def timed(number: int, clock: str, dice: np.random.Generator) -> float:
    """Seconds at which a picture claims to be taken."""
    return {
        "steady": number / 30,
        "1000 fps": number / 1000,
        "backwards": 100 - number / 30,
        "stopped": 5.0,
        "jumps": number / 30 + float(dice.choice([-3, 0, 0, 0, 0, 7])),
        "slow": number * 1.2,
    }[clock]


@given(
    spoil=st.sampled_from(SPOILS),
    clock=st.sampled_from(CLOCKS),
    count=st.integers(1, 200),
    exercise=st.sampled_from(["auto", "squat", "plank"]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=25)
def test_anything_is_survived(spoil: str, clock: str, count: int, exercise: str, seed: int) -> None:
    dice = np.random.default_rng(seed)
    observer, events = Observer(exercise, 1.75), []
    for number in range(count):
        frame = FRAMES[0 if spoil == "still" else number % len(FRAMES)]
        at = timed(number, clock, dice)
        with np.errstate(over="ignore", invalid="ignore"):
            seen = observer.update(replace(spoilt(frame, spoil, dice), monotonic_ns=round(at * 1e9)))
        for one in seen:
            events += one.events
            for measure in one.measures.values():
                assert measure.value is None or math.isfinite(measure.value)
    with np.errstate(over="ignore", invalid="ignore"):
        people = observer.finish()
    for person in people:
        for measure in person.measures().values():
            assert measure.value is None or math.isfinite(measure.value)
            assert (measure.value is None) == (measure.grade == "none")
        for event in events + person.events:
            for told in event.repetition.measures.values() if event.repetition else ():
                assert told.value is None or math.isfinite(told.value)


def test_after_a_long_time_no_more_is_kept() -> None:
    observer = Observer("squat", 1.75)
    frames, lap_s = FRAMES[::3], FRAMES[-1].monotonic_ns / 1e9 + 0.1
    kept, t = [], 0.0

    def see(frame: PoseFrame) -> None:
        observer.update(replace(frame, monotonic_ns=round(t * 1e9) + frame.monotonic_ns))

    tracemalloc.start()
    try:
        for _ in range(3):  # minutes
            for _ in range(round(60 / lap_s)):
                for frame in frames:
                    see(frame)
                t += lap_s
            t += 3.0  # out of sight: what was kept for the next look is looked at
            see(frames[0])
            gc.collect()
            kept.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert observer.people[1].coach.totals()["squat"][0] > 40
    assert kept[2] - kept[1] < 20_000  # twenty repetitions with their measures are 80,000
