"""What is exported: the courses of one subject's keypoints and angles over a clip, as they were measured.

Nothing is smoothed, filled or guessed. A keypoint that was hardly seen and an angle that was not measurable are
NaN; a picture in which the subject was not found is a moment without any value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edge.motion.body import SEEN
from edge.motion.sideplane import level
from edge.motion.skeletons import SKELETONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge.motion.grades import Measure

Array = npt.NDArray[np.float64]

_NAMES = {"foot_index": "BigToe", "mouth_left": "LMouth", "mouth_right": "RMouth"}
_PREFIXES = {"left_": "L", "right_": "R"}


@dataclass(frozen=True, kw_only=True)
class Motion:
    """One subject from the first to the last picture in which it was found: T moments, K keypoints."""

    subject: int
    species: str
    skeleton: str
    markers: tuple[str, ...]
    """Names of the keypoints as OpenSim's markers are usually called: `RKnee`, `LBigToe`."""
    frames: npt.NDArray[np.int64]
    """int64[T]: which picture of the clip, from 1."""
    times: Array
    """float64[T]: seconds of the clip, rising."""
    pixels: Array
    """float64[T, K, 2]: x right, y down, from the top left; NaN where unseen."""
    visibility: Array
    """float64[T, K], 0-1; NaN where the subject was not found."""
    world: Array
    """float64[T, K, 3]: metres from the middle of the hips; x right in the picture, y up, z to the camera.

    Level where the camera's tilt is known. NaN where unseen, or where the model gives no space.
    """
    angles: dict[str, Array]
    """float64[T] by key of the metric catalogue; NaN where not measurable."""
    grades: dict[str, tuple[str, ...]]
    """Grade of each of these values: A, B, C or none."""
    tilt: float | None
    """Degrees by which the camera looks down; None: unknown, and taken as none."""

    @property
    def rate(self) -> float:
        """Pictures a second, the usual one; 0 for fewer than two."""
        return float(1 / np.median(np.diff(self.times))) if len(self.times) > 1 else 0.0


def marker_names(skeleton: str) -> tuple[str, ...]:
    """Names of a skeleton's keypoints as OpenSim's markers are usually called."""
    return tuple(_marker(name) for name in SKELETONS[skeleton].names)


def _marker(name: str) -> str:
    for prefix, side in _PREFIXES.items():
        if name.startswith(prefix):
            return side + _marker(name.removeprefix(prefix))
    return _NAMES.get(name) or "".join(part.capitalize() for part in name.split("_"))


@dataclass(frozen=True)
class _Moment:
    frame: int
    time: float
    points: npt.NDArray[np.float32]
    world: npt.NDArray[np.float32] | None
    measures: Mapping[str, Measure]


class Recording:
    """Takes what was seen picture by picture, and answers with everyone's motion."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._moments: dict[int, list[_Moment]] = {}
        self._who: dict[int, tuple[str, str]] = {}

    def picture(self, time: float) -> None:
        """The next picture, taken at `time` seconds of the clip."""
        self._times.append(time)

    def add(
        self,
        subject: int,
        species: str,
        skeleton: str,
        points: npt.NDArray[np.float32],
        world: npt.NDArray[np.float32] | None,
        measures: Mapping[str, Measure],
    ) -> None:
        """A subject in this picture, as on the link: `points` float32[K, 3], `world` float32[K, 3] or None."""
        self._who[subject] = (species, skeleton)
        moment = _Moment(len(self._times), self._times[-1], points, world, measures)
        self._moments.setdefault(subject, []).append(moment)

    def motion(self, subject: int, keys: Sequence[str], tilt: float | None) -> Motion:
        """Everything about one subject with the angles `keys`; KeyError for a subject that was never added.

        Pictures whose time does not come after the one before are left out.
        """
        species, skeleton = self._who[subject]
        moments = self._moments[subject]
        rows = self._rows(moments[0].frame, moments[-1].frame)
        at = {frame: row for row, frame in enumerate(rows)}
        markers = marker_names(skeleton)
        count = len(markers)
        points = np.full((len(rows), count, 3), np.nan)
        world = np.full((len(rows), count, 3), np.nan)
        angles = {key: np.full(len(rows), np.nan) for key in keys}
        grades = {key: ["none"] * len(rows) for key in keys}
        for moment in moments:
            row = at.get(moment.frame)
            if row is None:
                continue
            points[row] = moment.points
            if moment.world is not None:
                world[row] = moment.world
            for key in keys:
                measure = moment.measures.get(key)
                if measure is not None and measure.value is not None:
                    angles[key][row] = measure.value
                    grades[key][row] = measure.grade
        points[~np.isfinite(points).all(axis=2)] = np.nan
        unseen = ~(points[:, :, 2] >= SEEN)
        pixels = np.where(unseen[:, :, None], np.nan, points[:, :, :2])
        world[unseen | ~np.isfinite(world).all(axis=2)] = np.nan
        return Motion(
            subject=subject,
            species=species,
            skeleton=skeleton,
            markers=markers,
            frames=np.array(rows),
            times=np.array([self._times[frame - 1] for frame in rows]),
            pixels=pixels,
            visibility=points[:, :, 2],
            world=level(world, tilt or 0.0),
            angles=angles,
            grades={key: tuple(values) for key, values in grades.items()},
            tilt=tilt,
        )

    def _rows(self, first: int, last: int) -> list[int]:
        """Numbers of the pictures between these two whose times rise."""
        rows: list[int] = []
        latest = -np.inf
        for frame in range(first, last + 1):
            time = self._times[frame - 1]
            if np.isfinite(time) and time > latest:
                rows.append(frame)
                latest = time
        return rows
