"""One person being followed: where they are, how they move, and the filters that calm their joints."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from edge.link import Subject
from edge.vision.appearance import Appearance
from edge.vision.landmarks import HIPS, JOINTS, RIM
from edge.vision.roi import EXPAND, Roi
from edge.vision.smoothing import OneEuro

if TYPE_CHECKING:
    from edge.vision.landmarks import Landmarks

SKELETON = "blazepose33"
_STEADY_S = 0.3
"""Time constant of the velocity: longer than a step, shorter than a turn."""
_COURSE_S = 0.6
"""Time constant of the course: longer than a repetition goes one way, where somebody exercises on the spot."""
_COAST_S = 2.0
"""Time constant with which somebody unseen is thought to slow down."""
_FLOOR_S = 0.5
"""Time constant of where somebody stands: longer than a jump."""

_BEYOND = 0.1
"""From the outermost joints to the skin, the top of the head and the tips of clothes, in sides of the region."""
_SHORT_S = 0.08
"""From one picture to the next, a region is read where it was left: its margin is wide enough."""
_MOVES_ON = 2.0
"""By how much more who walks by their own height a second is due for a reading than who stays."""
_STIRS = 0.1
"""Weight of a reading in how fast somebody's joints usually move."""
_UNSEEN = 0.5
"""How visible joints still are that are shown without having been read."""
_LONG = 20
"""Readings over which belief is averaged."""

_VALUES = (2 * JOINTS, 2 * 2, 3 * JOINTS)
"""Of joints, alignment points and world coordinates, which share a filter: three would take twice as long."""
_CUTOFF, _BETA = np.repeat((0.05, 0.01, 0.1), _VALUES), np.repeat((80.0, 10.0, 40.0), _VALUES)
_PIXELS = np.repeat((True, True, False), _VALUES)

Array = npt.NDArray[np.float64]
State = Literal["tentative", "followed", "hidden"]


class Track:
    """A person, from the first sight of them until they are forgotten.

    `tentative`: perhaps nobody; `followed`: shown; `hidden`: known and not seen now. Filter settings are MediaPipe's
    (`pose_landmark_filtering`), in sizes of the person a second.
    """

    def __init__(self, roi: Roi, t: float) -> None:
        self.id = 0
        """0 while tentative."""
        self.state: State = "tentative"
        self.roi = roi
        self.born = self.seen_at = self.placed_at = t
        """Seconds: first sight, last reading in which they were there, and when the region was last moved."""
        self.read_at = -math.inf
        """Seconds of the last reading, whatever it showed."""
        self.readings = 0
        self.belief = 0.0
        """Mean of how clear the joints are (`Landmarks.clearness`), 0-1."""
        self.clearness = 0.0
        """The same of the last reading."""
        self.velocity = np.zeros(2)
        """Pixels a second of the middle of the hips."""
        self.course = np.zeros(2)
        """The same over a longer time."""
        self.free, self.free_velocity, self.free_at = roi, self.velocity, t
        """Region, course and time when nobody else was near."""
        self.floor = math.nan
        """Pixels from the picture's top to their feet while nobody else was near; not a number before that."""
        self.appearance = Appearance()
        self.looked_at = -math.inf
        """Seconds of the last look at their clothes."""
        self.worn: Array | None = None
        """The clothes in which they were last read, if that was beside others."""
        self.stirs = math.nan
        """How fast their joints usually leave their body's course, by themselves: sides of the region a second."""
        self.lost_to: Track | None = None
        """While hidden: who stands before them."""
        self.has_left = False
        """While hidden: whether they went out of the picture."""
        self.last: Landmarks | None = None
        self._stirred = math.nan
        self._read: tuple[Array, Array] | None = None
        """Joints with their visibility, and in the world, as calmed when they were last surely read,"""
        self._shown: tuple[Array, Array] | None = None
        """and as they are shown."""
        self._start_filters()

    def _start_filters(self) -> None:
        self._filter = OneEuro(min_cutoff=_CUTOFF, beta=_BETA)

    @property
    def size(self) -> float:
        """About the height of the person when standing, in pixels."""
        return self.roi.side / EXPAND

    @property
    def strays(self) -> bool:
        """Whether they go on unseen for a moment, since what was read last was not theirs."""
        return self.state == "followed" and self.placed_at > self.seen_at

    def predicted(self, t: float) -> Roi:
        """Where they are at `t` seconds: with the velocity they had when last seen by themselves, ever slower."""
        ahead = _COAST_S * (1 - math.exp(-max(t - self.free_at, 0.0) / _COAST_S))
        x, y = self.free_velocity * ahead
        return self.free._replace(x=self.free.x + float(x), y=self.free.y + float(y))

    def outline(self) -> tuple[Array, float]:
        """The joints of the last reading, and about how far the body goes beyond them, in pixels."""
        assert self.last is not None
        return self.last.points[:JOINTS], _BEYOND * self.roi.side

    def urgency(self, t: float) -> float:
        """How much they are due for a reading: the time since the last, longer for who moves on."""
        moves = min(float(np.hypot(*self.course)) / self.size, 1.0)
        return math.inf if self.read_at == -math.inf else (t - self.read_at) * (1 + _MOVES_ON * moves)

    def to_read(self, t: float) -> Roi:
        """The region to be read at `t` seconds: as it was left, and moved on where that was a while ago."""
        dt = t - self.placed_at
        if not _SHORT_S < dt < 1:
            return self.roi
        x, y = self.velocity * dt
        return self.roi._replace(x=self.roi.x + float(x), y=self.roi.y + float(y))

    def update(self, seen: Landmarks, roi: Roi, t: float, clearness: float = 1.0) -> None:
        """Take in a reading of `roi` in which somebody was there, and how clear it was."""
        raw = np.concatenate([seen.points[: RIM + 1].ravel(), seen.world.ravel()])
        smooth = self._filter(raw, t, np.where(_PIXELS, roi.side, 1.0))
        world = smooth[-_VALUES[2] :].reshape(-1, 3)
        points = smooth[: -_VALUES[2]].reshape(-1, 2)
        new = Roi.from_alignment(points[HIPS], points[RIM])
        dt = t - self.seen_at
        if self.readings and 0 < dt < 1:
            speed = np.array([new.x - self.roi.x, new.y - self.roi.y]) / dt
            self.velocity += (1 - math.exp(-dt / _STEADY_S)) * (speed - self.velocity)
            self.course += max(1 - math.exp(-dt / _COURSE_S), 1 / self.readings) * (speed - self.course)
        self._stirred = self.stirred(seen, t)
        self.roi, self.last = new, seen
        self.seen_at = self.placed_at = t
        self.readings += 1
        self.clearness = clearness
        self.belief += (clearness - self.belief) / min(self.readings, _LONG)
        self._read = self._shown = (np.column_stack([points[:JOINTS], seen.visibility[:JOINTS]]), world)

    def stirred(self, seen: Landmarks, t: float) -> float:
        """How fast their joints would have left the course of their body, were `seen` theirs: sides a second.

        The median of the joints; not a number where they were not read before.
        """
        dt = t - self.seen_at
        if self.last is None or dt <= 0:
            return math.nan
        x, y = (seen.points[:JOINTS] - self.last.points[:JOINTS] - self.velocity * dt).T
        middle = JOINTS // 2  # np.median takes ten times as long
        return math.sqrt(np.partition(x * x + y * y, middle)[middle]) / (self.roi.side * dt)

    def coast(self, t: float) -> None:
        """What was read says nothing of them: their region goes on as they went."""
        x, y = self.free_velocity * (t - self.placed_at)
        self.roi, self.placed_at = self.roi._replace(x=self.roi.x + float(x), y=self.roi.y + float(y)), t

    def glimpse(self, seen: Landmarks) -> None:
        """What was read is theirs, most likely, but unclear: it is shown as it is, and moves nobody."""
        self._shown = (np.column_stack([seen.points[:JOINTS], seen.visibility[:JOINTS]]), seen.world)

    def carry(self, t: float) -> None:
        """Nothing was read of them: they are shown as they were, where they should be, and less surely."""
        assert self._read is not None
        keypoints, world = self._read
        keypoints = keypoints * (1, 1, _UNSEEN)
        keypoints[:, :2] += self.free_velocity * (t - self.seen_at)
        self._shown = keypoints, world

    def alone(self) -> None:
        """Nobody else is near: from here one can be followed in thought."""
        assert self.last is not None
        lowest = float(self.last.points[:JOINTS, 1].max())
        steady = 1 - math.exp(-(self.seen_at - self.free_at) / _FLOOR_S)
        self.floor = lowest if math.isnan(self.floor) else self.floor + steady * (lowest - self.floor)
        if not math.isnan(self._stirred):
            usual = 0.0 if math.isnan(self.stirs) else self.stirs
            self.stirs = usual + max(_STIRS, 1 / (self.readings - 1)) * (self._stirred - usual)
        self.worn = None
        self.free, self.free_velocity, self.free_at = self.roi, self.course.copy(), self.seen_at

    def subject(self) -> Subject:
        """What the link is told of the last reading."""
        assert self._shown is not None
        assert self.last is not None
        keypoints, world = self._shown
        return Subject(
            id=self.id,
            species="human",
            skeleton=SKELETON,
            score=self.last.presence,
            keypoints=keypoints.astype("<f4").tobytes(),
            world=world.astype("<f4").tobytes(),
        )

    def resume(self, other: Track) -> None:
        """Go on where `other` was found."""
        self.state, self.lost_to = "followed", None
        self.roi, self.last, self.belief = other.roi, other.last, max(self.belief, other.belief)
        self.seen_at, self.placed_at, self.read_at = other.seen_at, other.placed_at, other.read_at
        self.velocity, self.course = other.velocity, other.course
        self._read, self._shown = other._read, other._shown
        self._filter = other._filter

    def swap_names(self, other: Track) -> None:
        """Each is the other: only the places where they are read stay."""
        for what in ("id", "appearance", "looked_at", "stirs", "free", "free_velocity", "free_at", "floor"):
            mine = getattr(self, what)
            setattr(self, what, getattr(other, what))
            setattr(other, what, mine)
