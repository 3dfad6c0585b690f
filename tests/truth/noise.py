"""Noise as a real pose model makes it, drawn from what was measured on footage (`noise.toml`).

Every coordinate of every joint gets a course with the correlation (1 + t/T) exp(-t/T) over time (a critically damped
oscillator driven by white noise), as large as it was measured at the joint's present speed; more where the joint is
hidden. Visibility wavers. To that come outliers of one picture, gaps in which nobody is found, and, if asked for,
legs taken for each other.
What is not in it: errors that last, such as a joint seen in the wrong place throughout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.truth.camera import Seen
from tests.truth.measure_noise import HALF
from tests.truth.measured import group, measured

Array = npt.NDArray[np.float64]

_LEGS = ("hip", "knee", "ankle", "heel", "foot_index", "hind_top", "hind_middle", "hind_paw")
_WELL_SEEN = 0.8


@dataclass(frozen=True, kw_only=True)
class Noise:
    """How much of what was measured; 1 is as measured, 0 none of it."""

    size: float = 1.0
    outliers: float = 1.0
    gaps: float = 1.0
    swaps: float = 0.0
    """Off unless asked for: in most views legs are not mistaken for each other at all."""
    swap_s: float = 0.3
    """How long legs stay exchanged, seconds (ours: the footage has too few to say)."""

    def disturb(self, seen: Seen, names: tuple[str, ...], rng: np.random.Generator) -> Seen:
        """`seen` as a real model sees it."""
        count = len(seen.times)
        if count < 2:
            return seen
        rows = [measured()["joint"][group(name)] for name in names]
        trunk_px, trunk_m = _trunk(seen.pixels, names), _trunk(seen.world, names)
        speed = _speed(seen, trunk_px)
        hidden = np.where(seen.visibility < _WELL_SEEN, [row["hidden_factor"] for row in rows], 1.0)
        courses = _courses(seen.times, (len(names), 5), measured()["footage"]["time_constant"], rng)
        sizes = {
            what: self.size
            * hidden
            * np.stack(
                [np.interp(v, row["speeds"], row[what]) for v, row in zip(speed.T, rows, strict=True)], axis=1
            )
            for what in ("image", "world", "depth")
        }
        pixels = seen.pixels + trunk_px * sizes["image"][..., None] * courses[..., :2]
        world = seen.world + trunk_m * np.concatenate(
            [sizes["world"][..., None] * courses[..., 2:4], sizes["depth"][..., None] * courses[..., 4:]],
            axis=-1,
        )
        self._throw_out(pixels, world, rows, (trunk_px, trunk_m), rng)
        visibility = self._flickering(seen, rng)
        self._swap(seen.times, names, (pixels, world, visibility), rng)
        found = seen.found & ~self._missing(seen.times, rng)
        return Seen(seen.times, pixels, world, visibility, found)

    def _flickering(self, seen: Seen, rng: np.random.Generator) -> Array:
        """Visibility that wavers about its usual value."""
        table = measured()["visibility"]
        # These courses of second order take 2.15 of their constants to fall as far as first order in one.
        course = _courses(seen.times, seen.visibility.shape[1:], table["time_constant"] / 2.15, rng)
        usual = np.clip(seen.visibility, 0.001, 0.999)
        odds = np.log(usual / (1 - usual)) + min(self.size, 1) * table["odds_spread"] * course
        return np.asarray(1 / (1 + np.exp(-odds)))

    def _throw_out(
        self,
        pixels: Array,
        world: Array,
        rows: list[dict[str, Any]],
        trunks: tuple[float, float],
        rng: np.random.Generator,
    ) -> None:
        """Move single points of single pictures far away, in place."""
        shares = self.outliers * np.array([row["outlier_share"] for row in rows])
        out = rng.random(pixels.shape[:2]) < shares
        sizes = np.array([row["outlier_size"] for row in rows]) * (1 + rng.exponential(0.5, pixels.shape[:2]))
        angle = rng.uniform(0, 2 * np.pi, pixels.shape[:2])
        away = (out * sizes)[..., None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        pixels += trunks[0] * away
        world[..., :2] += trunks[1] * away * (1, -1)

    def _swap(
        self, times: Array, names: tuple[str, ...], parts: tuple[Array, ...], rng: np.random.Generator
    ) -> None:
        """Exchange the legs for a while, in place."""
        rate = self.swaps * measured()["footage"]["leg_swaps_a_minute"] / 2  # there and back
        inside = _spells(times, rate, self.swap_s, rng)
        left = [at for at, name in enumerate(names) if name.startswith("left_") and name.endswith(_LEGS)]
        right = [names.index(names[at].replace("left_", "right_")) for at in left]
        for part in parts:
            part[np.ix_(inside, left + right)] = part[np.ix_(inside, right + left)]

    def _missing(self, times: Array, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
        footage = measured()["footage"]
        return _spells(times, self.gaps * footage["gaps_a_minute"], footage["gap"], rng)


def _trunk(points: Array, names: tuple[str, ...]) -> float:
    """Median length from shoulders to hips, or from withers to the base of the tail."""

    def middle(*ends: str) -> Array:
        return np.asarray(points[:, [names.index(end) for end in ends]].mean(axis=1))

    if "withers" in names:
        line = middle("withers") - middle("tail_base")
    else:
        line = middle("left_shoulder", "right_shoulder") - middle("left_hip", "right_hip")
    return float(np.nanmedian(np.linalg.norm(line, axis=1)))


def _speed(seen: Seen, trunk_px: float) -> Array:
    """Of each point in the picture, float64[T, K], trunk lengths a second: over as long as it was measured over."""
    footage = measured()["footage"]
    half = HALF / footage["pictures_a_second"]
    before, after = (np.clip(seen.times + way * half, seen.times[0], seen.times[-1]) for way in (-1, 1))
    courses = np.nan_to_num(seen.pixels).reshape(len(seen.times), -1)
    moved = np.stack(
        [np.interp(after, seen.times, c) - np.interp(before, seen.times, c) for c in courses.T], axis=1
    )
    velocity = moved.reshape(seen.pixels.shape) / (after - before)[:, None, None]
    return np.asarray(np.linalg.norm(velocity, axis=-1) / trunk_px)


def _courses(times: Array, shape: tuple[int, ...], constant: float, rng: np.random.Generator) -> Array:
    """Smooth noise of variance 1 at `times`, float64[T, *shape]: place and speed of driven, damped oscillators."""
    rate = 1 / constant
    still = np.diag([1.0, rate**2])
    state = np.linalg.cholesky(still) @ rng.standard_normal((2, int(np.prod(shape))))
    courses = [state[0]]
    for step in np.diff(times):
        decay = np.exp(-rate * step)
        move = decay * np.array([[1 + rate * step, step], [-(rate**2) * step, 1 - rate * step]])
        added = still - move @ still @ move.T
        spread = np.linalg.cholesky(added + 1e-12 * still)
        state = move @ state + spread @ rng.standard_normal(state.shape)
        courses.append(state[0])
    return np.stack(courses).reshape(len(times), *shape)


def _spells(times: Array, a_minute: float, length: float, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Which of `times` lie in spells that come by chance, so often, and last `length` seconds on average."""
    number = rng.poisson(a_minute * (times[-1] - times[0]) / 60)
    starts = rng.uniform(times[0], times[-1], number)
    lengths = rng.exponential(length, number)
    inside = (times[:, None] >= starts) & (times[:, None] < starts + lengths)
    return np.asarray(inside.any(axis=1))
