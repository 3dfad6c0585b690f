"""The cases of the accuracy report: what moves, from where it is seen, how well, and what is known of the camera."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from edge.motion.lens import Lens
from tests.truth import dog, walking
from tests.truth.camera import Camera
from tests.truth.exercises import arm_raise, curl, lunge, sit_to_stand, squat
from tests.truth.jumping import jump
from tests.truth.lasting import Lasting
from tests.truth.noise import Noise
from tests.truth.repetitions import Tempo

if TYPE_CHECKING:
    from edge.link import PoseFrame
    from tests.truth.camera import Disturbance
    from tests.truth.motion import Motion

Kind = Literal["none", "measured", "lean", "hips"]
NOISES: dict[Kind, Disturbance | None] = {
    "none": None,
    "measured": Noise(),
    "lean": Lasting(lean=15.0, turn=10.0),
    "hips": Lasting(hips=0.06),
}
"""lean and hips: the measured noise with an error that lasts."""
_TWO = Tempo(reps=2)
_GAIT_S = 60.0


@cache
def motion(name: str) -> Motion:
    """A movement of the report by its name; KeyError for another."""
    return {
        "squat": lambda: squat(tempo=_TWO),
        "curl": lambda: curl(tempo=_TWO),
        "arm raise": lambda: arm_raise(tempo=_TWO),
        "arm raise forwards": lambda: arm_raise(peak=120, way="flexion", tempo=_TWO),
        "lunge": lambda: lunge(tempo=_TWO),
        "sit to stand": lambda: sit_to_stand(tempo=Tempo(reps=2, eccentric=1.5, pause=1.0, concentric=1.3)),
        "jump": lambda: jump(jumps=2),
        "walk": lambda: walking.walk(duration_s=_GAIT_S, treadmill=True),
        "slow walk": lambda: walking.walk(
            speed=0.8, cadence=85, stance=0.66, duration_s=_GAIT_S, treadmill=True
        ),
        "fast walk": lambda: walking.walk(
            speed=1.7, cadence=125, stance=0.58, duration_s=_GAIT_S, treadmill=True
        ),
        "limp": lambda: walking.walk(limp=0.06, duration_s=_GAIT_S, treadmill=True),
        "uneven walk": lambda: walking.walk(asymmetry=0.1, duration_s=_GAIT_S, treadmill=True),
        "varied walk": lambda: walking.walk(cv=0.04, duration_s=_GAIT_S, treadmill=True),
        "walk past": lambda: walking.walk(duration_s=5.0),
        "run": lambda: walking.run(duration_s=_GAIT_S, treadmill=True),
        "dog walk": lambda: dog.walk(duration_s=_GAIT_S, treadmill=True),
        "dog trot": lambda: dog.trot(duration_s=_GAIT_S, treadmill=True),
        "lame dog": lambda: dog.walk(lame="front_left", duration_s=_GAIT_S, treadmill=True),
    }[name]()


EXERCISES = ("squat", "curl", "arm raise", "arm raise forwards", "lunge", "sit to stand", "jump")
WALKS = ("walk", "slow walk", "fast walk", "limp", "uneven walk", "varied walk", "walk past")
DOGS = ("dog walk", "dog trot", "lame dog")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One clip."""

    motion: str
    yaw: float = 90.0
    """Of the subject to the camera: 0 front, 90 right side."""
    tilt: float = 0.0
    fps: float = 30.0
    noise: Kind = "measured"
    tilt_known: bool = True
    distance: float = 4.0
    part: int = 0
    """Repeats of a case differ in this, and so in their noise; of a gait, in how much of it is seen."""
    seconds: float | None = None
    """How much is seen; None: all."""

    @property
    def seed(self) -> int:
        """The same for the same case, on every machine."""
        text = ",".join(f"{field.name}={getattr(self, field.name)}" for field in fields(self))
        return zlib.crc32(text.encode())

    @property
    def lens(self) -> Lens:
        """What is known of the camera."""
        return Lens(1280, 720, tilt=self.tilt if self.tilt_known else None)

    def frames(self) -> list[PoseFrame]:
        """What vision would send."""
        camera = Camera(yaw=self.yaw, tilt=self.tilt, distance=self.distance)
        return camera.see(
            motion(self.motion),
            self.fps,
            jitter=0.05,
            noise=NOISES[self.noise],
            end=self.seconds,
            seed=self.seed,
        )


def drawn(motions: tuple[str, ...], count: int, *, kinds: tuple[Kind, ...] = ("measured",)) -> list[Case]:
    """Cases by chance, the same ones every time: any view, tilt, rate and distance."""
    dice = np.random.default_rng(len(motions))
    return [
        Case(
            motion=motions[number % len(motions)],
            yaw=float(np.round(dice.uniform(0, 90))) * float(dice.choice([-1, 1])),
            tilt=float(np.round(dice.uniform(-20, 30))),
            fps=float(dice.choice([10, 12, 15, 20, 25, 30, 60])),
            noise=kinds[number // len(motions) % len(kinds)],
            tilt_known=bool(dice.random() < 0.5),
            distance=float(np.round(dice.uniform(2.5, 9.0), 1)),
            seconds=float(dice.choice([4, 7, 10, 20, 30] if "past" not in name else [3, 5]))
            if (name := motions[number % len(motions)]) not in EXERCISES
            else None,
            part=number,
        )
        for number in range(count)
    ]
