"""Measuring what each way of working costs here: with the real models, on a drawn person, a small slice at a time.

All ways take turns, so that what else the machine does hits each of them alike, and the median of each one counts.
"""

from __future__ import annotations

import functools
import statistics
from time import perf_counter
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.vision.detector import Detector
from edge.vision.landmarks import LandmarkModel, decode
from edge.vision.roi import Roi
from edge.vision.tuning import Costs, Given, Way, name, size_name, ways_to_try
from models.figure import JOINTS, draw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

ROUNDS = 5
_SIDE = 720
_DRAWN = 180
"""Drawing is slow: it is done in small and enlarged."""


class Trial:
    """One self-test. Call `step` when there is a moment, until it answers True; then `costs` are known."""

    def __init__(self, given: Given, cores: int) -> None:
        self._given = given
        self._cores = cores
        self._took: dict[str, list[float]] = {}
        self._steps = self._run()

    def step(self) -> bool:
        """Do the next slice, some ten milliseconds; whether that was the last one. Raises ModelError."""
        return next(self._steps, None) is None

    def costs(self) -> Costs:
        """What was measured."""
        middle = {key: statistics.median(times) for key, times in self._took.items()}
        part = {
            kind: {key.removeprefix(kind): ms for key, ms in middle.items() if key.startswith(kind)}
            for kind in ("person ", "detect ", "decode ")
        }
        return Costs(
            person=part["person "], detect=part["detect "], decode=part["decode "], cores=self._cores
        )

    def _run(self) -> Iterator[str]:
        """What was done in each slice. The first run of everything is not counted: it is slower."""
        picture = _picture()
        jobs: dict[str, Callable[[], object]] = {}
        ways = ways_to_try(self._cores, self._given)
        for way in ways:
            jobs[f"person {name(way)}"] = _person(way, picture)
            yield "loaded"
        for precision in dict.fromkeys(way.precision for way in ways):
            jobs[f"detect {precision}"] = functools.partial(Detector(precision, 1).detect, picture)
            yield "loaded"
        for size in self._given.sizes:
            packed = cv2.imencode(".jpg", cv2.resize(picture, size))[1]
            jobs[f"decode {size_name(size)}"] = functools.partial(cv2.imdecode, packed, cv2.IMREAD_COLOR)
        for job in jobs.values():
            job()
            yield "warm"
        for _ in range(ROUNDS):
            for key, job in jobs.items():
                start = perf_counter()
                job()
                self._took.setdefault(key, []).append(max((perf_counter() - start) * 1e3, 1e-3))
                yield key


def _picture() -> npt.NDArray[np.uint8]:
    """A drawn person in the middle of a picture, uint8[720, 1280, 3], with noise as of a camera."""
    drawn = np.ascontiguousarray(draw(_DRAWN)[..., ::-1])
    person = cv2.resize(drawn, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC)
    picture = cv2.copyMakeBorder(person, 0, 0, 280, 280, cv2.BORDER_REPLICATE).astype(np.int16)
    picture += np.random.default_rng(7).integers(-6, 7, picture.shape, dtype=np.int16)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _person(way: Way, picture: npt.NDArray[np.uint8]) -> Callable[[], object]:
    """All that is done for one person in one picture."""
    model = LandmarkModel(way.precision, way.threads)
    hips, nose = (np.array([280 + _SIDE * x, _SIDE * y]) for x, y in (_middle(), (0.5, 0.05)))
    roi = Roi.from_alignment(hips, nose)
    return lambda: decode(model.network.run(model.crop(picture, roi)), roi)


def _middle() -> tuple[float, float]:
    (ax, ay), (bx, by) = JOINTS["left_hip"], JOINTS["right_hip"]
    return (ax + bx) / 2, (ay + by) / 2
