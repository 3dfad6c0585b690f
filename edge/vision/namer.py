"""Who is who from picture to picture, for models that give points only: the nearest goes on being the same person."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge.vision.smoothing import OneEuro

Array = npt.NDArray[np.float64]

_NEAR = 0.35
"""Mean distance of the joints from where they are expected, in sizes of the person, below which it is the same."""
_REMEMBER_S = 10.0
"""Seconds in which somebody found again near the same place is the same person."""
_COAST_S = 0.5
"""Seconds for which somebody unseen is thought to go on as before."""
_SURE = 2
"""Finds after which somebody is shown: one alone may be a lamp."""
_STEADY = 0.5
"""Weight of the newest step in the velocity."""


class Known:
    """Somebody who was found, and the filter that calms the joints (MediaPipe's settings, in sizes a second)."""

    def __init__(self, points: Array, t: float) -> None:
        self.id = 0
        """0 until they are shown."""
        self.points = points
        """float64[K, 2] in the picture's pixels, smoothed."""
        self.seen_at = t
        self.finds = 0
        self._velocity = np.zeros(2)
        self._filter = OneEuro(min_cutoff=0.05, beta=80.0)

    @property
    def size(self) -> float:
        """About the height of the person, in pixels."""
        return max(float(np.ptp(self.points, axis=0).max()), 1.0)

    def expected(self, t: float) -> Array:
        """Where the joints are at `t` seconds."""
        return np.asarray(self.points + self._velocity * min(t - self.seen_at, _COAST_S))

    def update(self, points: Array, t: float) -> None:
        """Found again."""
        dt = t - self.seen_at
        if self.finds and 0 < dt < _COAST_S:
            step = (points.mean(axis=0) - self.points.mean(axis=0)) / dt
            self._velocity += _STEADY * (step - self._velocity)
        else:
            self._velocity = np.zeros(2)
        self.points = self._filter(points, t, self.size)
        self.seen_at = t
        self.finds += 1


class Namer:
    """Gives each person found the number they had."""

    def __init__(self) -> None:
        self.known: list[Known] = []
        self._newest = 0

    def reset(self) -> None:
        """Another scene: nobody is known; numbers go on."""
        self.known = []

    def update(self, found: Array, t: float) -> list[Known]:
        """The persons whose joints are `found` float64[P, K, 2] at `t` seconds, in the same order."""
        self.known = [
            one for one in self.known if 0 <= t - one.seen_at < (_REMEMBER_S if one.id else _COAST_S)
        ]
        named: dict[int, Known] = {}
        costs = sorted(
            (cost, index, number)
            for number, one in enumerate(self.known)
            for index, points in enumerate(found)
            if (cost := _distance(points, one.expected(t)) / one.size) < _NEAR
        )
        taken: set[int] = set()
        for _, index, number in costs:
            if index not in named and number not in taken:
                named[index] = self.known[number]
                taken.add(number)
        people = []
        for index, points in enumerate(found):
            one = named.get(index)
            if one is None:
                one = Known(points, t)
                self.known.append(one)
            one.update(points, t)
            if not one.id and one.finds >= _SURE:
                self._newest += 1
                one.id = self._newest
            people.append(one)
        return people


def _distance(a: Array, b: Array) -> float:
    return float(np.linalg.norm(a - b, axis=1).mean())
