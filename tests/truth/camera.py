"""A pinhole camera that looks at a motion, and what a perfect pose model would say it sees.

Pixels as on the link: x right, y down, from the top left. World points as BlazePose gives them: metres from the
middle of the hips along the camera's own axes, x right, y up, z towards the camera.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from edge.link import PoseFrame, Subject
from tests.truth.measured import measured, visibility

if TYPE_CHECKING:
    from tests.truth.motion import Motion, Sample

Array = npt.NDArray[np.float64]

_LEAST_INSIDE = 0.6
"""Share of the points that must be in the picture for the subject to be found at all."""


class Seen(NamedTuple):
    """A subject in T pictures."""

    times: Array
    """float64[T], seconds."""
    pixels: Array
    """float64[T, K, 2]; NaN behind the camera."""
    world: Array
    """float64[T, K, 3]."""
    visibility: Array
    """float64[T, K], 0-1."""
    found: npt.NDArray[np.bool_]
    """bool[T]: the subject is there at all."""


class Disturbance(Protocol):
    """What a real pose model does to the points."""

    def disturb(self, seen: Seen, names: tuple[str, ...], rng: np.random.Generator) -> Seen:
        """The same pictures, seen worse."""


@dataclass(frozen=True, kw_only=True)
class Camera:
    """Where the camera stands and how it looks. It does not move."""

    yaw: float = 90.0
    """From where the subject is seen, degrees: 0 the front, 90 the right side, -90 the left, 180 the back."""
    tilt: float = 0.0
    """Of the optical axis, degrees: positive looks down."""
    roll: float = 0.0
    """About the optical axis, degrees: positive turns the picture's content anticlockwise."""
    distance: float = 4.0
    """Metres on the floor from the target."""
    height: float | None = None
    """Metres over the floor; None: as high as it must be for the target to be in the middle, but not below 0.05."""
    target: tuple[float, float, float] | None = None
    """What it is pointed at from the side; None: half the subject's height over the middle of its path."""
    field: float = 66.0
    """Horizontal field of view, degrees (66: Raspberry Pi Camera Module 3)."""
    width: int = 1280
    height_px: int = 720

    @property
    def focal(self) -> float:
        """Focal length in pixels."""
        return self.width / 2 / math.tan(math.radians(self.field / 2))

    def placed(self, motion: Motion) -> Pinhole:
        """This camera before `motion`."""
        target = self.target or _middle(motion)
        yaw, tilt, roll = (math.radians(a) for a in (self.yaw, self.tilt, self.roll))
        level = target[1] + self.distance * math.tan(tilt)
        height = max(level, 0.05) if self.height is None else self.height
        back = np.array([math.cos(yaw), 0.0, math.sin(yaw)])  # from the target to the camera
        up = np.array([0.0, 1.0, 0.0])
        towards = math.cos(tilt) * back + math.sin(tilt) * up
        right = np.cross(up, back)
        above = np.cross(towards, right)
        c, s = math.cos(roll), math.sin(roll)
        # To turn the content anticlockwise, the camera turns clockwise (seen from behind it).
        axes = np.stack([c * right - s * above, s * right + c * above, towards])
        centre = np.array([target[0], height, target[2]]) + self.distance * back
        return Pinhole(centre, axes, self.focal, (self.width, self.height_px))

    def see(
        self,
        motion: Motion,
        fps: float = 30.0,
        *,
        jitter: float = 0.0,
        noise: Disturbance | None = None,
        world_scale: float = 1.0,
        start: float = 0.0,
        end: float | None = None,
        seed: int = 0,
    ) -> list[PoseFrame]:
        """The frames of a pose model, one a picture; without a subject where too little of it is in the picture.

        `jitter`: standard deviation of the times at which pictures are taken, as a share of the time between them;
        the stamps are the true times. `world_scale`: metres of the world points for a true metre: a model does not
        know the subject's height.
        """
        rng = np.random.default_rng(seed)
        times = np.arange(start, (motion.duration_s if end is None else end) + 1e-9, 1 / fps)
        times = times + np.clip(jitter * rng.standard_normal(len(times)), -0.45, 0.45) / fps
        times = np.clip(times, 0, motion.duration_s)
        times = times[np.concatenate([[True], np.diff(times) > 1e-6])]
        seen = self.placed(motion).look(motion, motion.at(times), world_scale)
        if noise is not None:
            seen = noise.disturb(seen, motion.names, rng)
        return frames(seen, motion, (self.width, self.height_px))


@dataclass(frozen=True)
class Pinhole:
    """A placed camera."""

    centre: Array
    """float64[3], on the floor's axes."""
    axes: Array
    """float64[3, 3]: rows right, up and towards the camera, on the floor's axes."""
    focal: float
    size: tuple[int, int]

    def project(self, points: Array) -> Array:
        """Pixels float64[..., 2] of floor points float64[..., 3]; NaN for those not before the camera."""
        local = (points - self.centre) @ self.axes.T
        depth = np.where(local[..., 2] < -0.05, -local[..., 2], np.nan)
        x = self.size[0] / 2 + self.focal * local[..., 0] / depth
        y = self.size[1] / 2 - self.focal * local[..., 1] / depth
        return np.stack([x, y], axis=-1)

    def look(self, motion: Motion, sample: Sample, world_scale: float = 1.0) -> Seen:
        """All that is to be seen of `sample`."""
        pixels = self.project(sample.points)
        origin = _origin(motion, sample.points)
        world = world_scale * (sample.points - origin[:, None]) @ self.axes.T
        with np.errstate(invalid="ignore"):
            inside = ((pixels >= 0) & (pixels < self.size)).all(axis=-1)
        usual = visibility(motion.names, self._facing(motion, sample.points, origin))
        seen = np.where(inside, usual, measured()["visibility"]["outside"])
        return Seen(sample.times, pixels, world, seen, inside.mean(axis=1) >= _LEAST_INSIDE)

    def _facing(self, motion: Motion, points: Array, origin: Array) -> Array:
        """Sine of the turn from the camera, float64[T, K]: 1 for the side that is turned to it, -1 for the other."""
        away = self.centre - origin
        away = away / np.linalg.norm(away, axis=1)[:, None]
        sides = np.array([_side(name) for name in motion.names])
        left, right = points[:, sides < 0].mean(axis=1), points[:, sides > 0].mean(axis=1)
        across = right - left
        across = across / np.linalg.norm(across, axis=1)[:, None]
        return np.asarray((across * away).sum(axis=1)[:, None] * np.where(sides == 0, 1, sides))


def frames(seen: Seen, motion: Motion, size: tuple[int, int], camera: str = "truth") -> list[PoseFrame]:
    """What vision would send for `seen`. Points that are nowhere are (0, 0) with no visibility."""
    known = np.isfinite(seen.pixels).all(axis=-1)
    pixels = np.where(known[..., None], seen.pixels, 0.0)
    keypoints = np.concatenate([pixels, np.where(known, seen.visibility, 0.0)[..., None]], axis=-1).astype(
        "<f4"
    )
    world = seen.world.astype("<f4")
    records = []
    for number, time in enumerate(seen.times):
        subject = Subject(
            id=1,
            species=motion.species,
            skeleton=motion.skeleton,
            score=1.0,
            keypoints=keypoints[number].tobytes(),
            world=world[number].tobytes() if motion.species == "human" else None,
        )
        records.append(
            PoseFrame(
                camera=camera,
                number=number,
                monotonic_ns=round(time * 1e9),
                utc_ns=None,
                width=size[0],
                height=size[1],
                timings={},
                subjects=(subject,) if seen.found[number] else (),
            )
        )
    return records


def _side(name: str) -> int:
    return -1 if "left" in name else 1 if "right" in name else 0


def _origin(motion: Motion, points: Array) -> Array:
    """Middle of the hips float64[T, 3]; of a dog, the middle of all points."""
    hips = [index for index, name in enumerate(motion.names) if name in {"left_hip", "right_hip"}]
    return np.asarray(points[:, hips].mean(axis=1) if hips else points.mean(axis=1))


def _middle(motion: Motion) -> tuple[float, float, float]:
    points = motion.at([0.0, motion.duration_s]).points
    height = points[..., 1].max() / 2
    return float(points[..., 0].mean()), float(height), float(points[..., 2].mean())
