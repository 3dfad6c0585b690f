"""The pose pipeline for the main person: find when lost, follow otherwise, smooth, report."""

from __future__ import annotations

import math
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edge.link import Subject
from edge.vision import landmarks
from edge.vision.detector import Detector
from edge.vision.landmarks import HIPS, JOINTS, RIM, LandmarkModel, Landmarks
from edge.vision.roi import Roi
from edge.vision.smoothing import OneEuro
from edge.zones import inside

if TYPE_CHECKING:
    from edge.vision.inference import Precision
    from edge.zones import Zone

MODEL = "blazepose"
SKELETON = "blazepose33"
_PRESENCE = 0.5
_REMEMBER = 10.0
"""Seconds in which someone found again near the same place is the same person."""
_LINGER = 1.0
"""Seconds in which the place where someone was lost is looked at again."""
_NEAR = 0.3
"""How near, in sides of the region."""


class _Track:
    """One person being followed: where to look next, and the filters that calm the joints.

    Filter settings are MediaPipe's (`pose_landmark_filtering`), in sizes of the person a second.
    """

    def __init__(self, track_id: int, roi: Roi) -> None:
        self.id = track_id
        self.roi = roi
        self._joints = OneEuro(min_cutoff=0.05, beta=80.0)
        self._alignment = OneEuro(min_cutoff=0.01, beta=10.0)
        self._world = OneEuro(min_cutoff=0.1, beta=40.0)

    def update(self, seen: Landmarks, t: float) -> Subject:
        size = self.roi.side
        joints = self._joints(seen.points[:JOINTS], t, size)
        world = self._world(seen.world, t)
        alignment = self._alignment(seen.points[[HIPS, RIM]], t, size)
        self.roi = Roi.from_alignment(alignment[0], alignment[1])
        keypoints = np.column_stack([joints, seen.visibility[:JOINTS]])
        return Subject(
            id=self.id,
            species="human",
            skeleton=SKELETON,
            score=seen.presence,
            keypoints=keypoints.astype("<f4").tobytes(),
            world=world.astype("<f4").tobytes(),
        )


class BlazePose:
    """Follows one person through a stream of pictures."""

    def __init__(self, precision: Precision = "int8", threads: int = 1) -> None:
        """Load both networks; ModelError when a file is missing or damaged."""
        self.precision = precision
        self.detector = Detector(precision, threads)
        self.landmarks = LandmarkModel(precision, threads)
        self.timings: dict[str, float] = {}
        """Milliseconds of the last picture: `detect` (all of finding), `model` (landmark network), `total`."""
        self.most = 1
        """People read in one picture."""
        self.waiting = 0
        """Known people who were not read in the last picture."""
        self._zones: tuple[Zone, ...] = ()
        self._track: _Track | None = None
        self._shape: tuple[int, int] = (0, 0)
        self._newest = 0
        self._last: tuple[_Track, float] | None = None

    def ignore(self, zones: tuple[Zone, ...]) -> None:
        """From now on nobody is followed whose hips' middle lies in one of these parts of the picture."""
        self._zones = zones

    def reset(self) -> None:
        """Forget who was followed: the next picture belongs to another scene."""
        self._track = self._last = None

    def process(self, bgr: npt.NDArray[np.uint8], t: float) -> list[Subject]:
        """The subjects in `bgr` uint8[H, W, 3] taken at `t` seconds."""
        start = perf_counter()
        height, width = bgr.shape[:2]
        if (height, width) != self._shape:
            self.reset()
            self._shape = (height, width)
        self.timings = {"detect": 0.0, "model": 0.0}
        if self._track is None:
            self._track = self._find(bgr, t)
            self.timings["detect"] = (perf_counter() - start) * 1e3
        subject = self._follow(self._track, bgr, t) if self._track else None
        self.timings["total"] = (perf_counter() - start) * 1e3
        return [subject] if subject else []

    def _find(self, bgr: npt.NDArray[np.uint8], t: float) -> _Track | None:
        """A track for the main person: the largest found in whom the landmark network sees a person, too.

        The largest is the one who stands before the camera; the detector alone also finds people where two stand
        close together and neither is. Where it finds nobody, someone lost just now may still be in the same place.
        """
        height, width = bgr.shape[:2]
        rois = sorted(
            (found.roi for found in self.detector.detect(bgr)), key=lambda roi: roi.side, reverse=True
        )
        if self._last is not None and 0 <= t - self._last[1] < _LINGER:
            rois.append(self._last[0].roi)
        for roi in rois:
            if not roi.usable(width, height) or self._ignored(roi):
                continue
            seen = landmarks.decode(self.landmarks.network.run(self.landmarks.crop(bgr, roi)), roi)
            if seen.presence >= _PRESENCE:
                return _Track(self._identity(roi, t), roi)
        return None

    def _identity(self, roi: Roi, t: float) -> int:
        """The last person's id where someone was lost a moment ago, else a new one."""
        if self._last is not None:
            track, seen_at = self._last
            near = math.hypot(roi.x - track.roi.x, roi.y - track.roi.y) < _NEAR * track.roi.side
            if near and 0 <= t - seen_at < _REMEMBER:
                return track.id
        return self._newest + 1

    def _follow(self, track: _Track, bgr: npt.NDArray[np.uint8], t: float) -> Subject | None:
        image = self.landmarks.crop(bgr, track.roi)
        start = perf_counter()
        outputs = self.landmarks.network.run(image)
        self.timings["model"] = (perf_counter() - start) * 1e3
        seen = landmarks.decode(outputs, track.roi)
        if not (seen.presence >= _PRESENCE and seen.finite()):
            self._track = None
            return None
        subject = track.update(seen, t)
        self._newest = max(self._newest, track.id)
        self._last = (track, t)
        if not track.roi.usable(self._shape[1], self._shape[0]) or self._ignored(track.roi):
            self._track = None
        return subject

    def _ignored(self, roi: Roi) -> bool:
        height, width = self._shape
        return any(inside(zone, roi.x / width, roi.y / height) for zone in self._zones)
