"""Repetitions of known times: rest, eccentric (to the far end), pause, concentric (back)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tests.truth.curves import ease

Array = npt.NDArray[np.float64]
PEAK = 1.875
"""Greatest over mean speed of a movement of least jerk."""


@dataclass(frozen=True, kw_only=True)
class Tempo:
    """Times of the parts, in seconds; the first repetition begins after one `rest`, and one follows the last."""

    reps: int = 5
    eccentric: float = 1.2
    pause: float = 0.3
    concentric: float = 1.0
    rest: float = 0.6

    @property
    def period(self) -> float:
        """From one repetition to the next."""
        return self.eccentric + self.pause + self.concentric + self.rest

    @property
    def duration(self) -> float:
        """Of the whole set."""
        return self.rest + self.reps * self.period

    @property
    def starts(self) -> list[float]:
        """When each repetition begins."""
        return [self.rest + number * self.period for number in range(self.reps)]

    def course(self, t: Array, late: float = 0.0) -> Array:
        """0 at rest, 1 at the far end; all of it `late` seconds later."""
        number = np.floor((t - late - self.rest) / self.period)
        inside = (number >= 0) & (number < self.reps)
        u = t - late - self.rest - number * self.period
        there = ease(u / self.eccentric)
        back = ease((u - self.eccentric - self.pause) / self.concentric)
        return np.where(inside, there - back, 0.0)

    def truth(self, key: str, start: float, peak: float) -> dict[str, float]:
        """What is true of a joint that goes from `start` to `peak` degrees and back with this tempo."""
        size = abs(peak - start)
        return {
            "reps": float(self.reps),
            "eccentric": self.eccentric,
            "pause": self.pause,
            "concentric": self.concentric,
            f"{key}_peak": max(start, peak),
            f"{key}_range": size,
            f"{key}_mean_velocity_eccentric": size / self.eccentric,
            f"{key}_mean_velocity_concentric": size / self.concentric,
            f"{key}_peak_velocity_eccentric": PEAK * size / self.eccentric,
            f"{key}_peak_velocity_concentric": PEAK * size / self.concentric,
        }
