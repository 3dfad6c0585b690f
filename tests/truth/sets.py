"""Sets of exercises drawn by chance: who does what, how often, how fast, how far, and how it is seen.

A set is a plan of a few numbers; `set_signals` makes courses of signals of it and `set_bodies` whole bodies. The same
seed gives the same plan.

What can be counted at all: a repetition of T seconds spends about a third of T within a fifth of its range of either
end (a movement of least jerk, whatever its parts). With five pictures in T, at least one falls there; with fewer, a
repetition may leave no trace. So none is drawn with fewer than five, and sight is lost for a third of a
repetition at most, and only where it has fifteen pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tests.truth.curves import ease
from tests.truth.motion import SIDES
from tests.truth.movements import MOVEMENTS, Movement

Array = npt.NDArray[np.float64]

FASTEST_S, SLOWEST_S = 0.4, 8.0
LEAST_PICTURES = 5
_LOSS_PICTURES = 15
_LOSSES_A_MINUTE = 2.0
RANGE = (0.7, 1.2)
"""Of a repetition, in usual ones."""


class Repetition(NamedTuple):
    """One repetition: seconds, and progress at its ends."""

    start: float
    out: float
    pause: float
    back: float
    rest: float
    """At the start position, before the next one."""
    low: float
    """Progress at which it begins; it ends at that of the next one."""
    far: float
    side: str
    """left, right, or both."""

    @property
    def moving(self) -> float:
        """Seconds of movement."""
        return self.out + self.back

    @property
    def period(self) -> float:
        """Seconds from its start to the next one's."""
        return self.out + self.pause + self.back + self.rest


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One set."""

    seed: int
    movement: str
    height_m: float
    yaw: float
    """Degrees, 0 the front."""
    tilt: float
    distance: float
    fps: float
    jitter: float
    tempo_s: float
    """Mean time of a repetition."""
    repetitions: tuple[Repetition, ...]
    lead_s: float
    """Still at the start position before the first repetition."""
    tail_s: float
    set_up: bool
    """Walks in before (and bends for the weight, or gets down), and out after."""
    losses: tuple[tuple[float, float], ...]
    """Out of sight: from when, and for how long, in seconds of the set."""

    @property
    def kind(self) -> Movement:
        """What is done."""
        return MOVEMENTS[self.movement]

    @property
    def duration_s(self) -> float:
        """From the first stillness to the last, without set-up."""
        last = self.repetitions[-1]
        return last.start + last.period + self.tail_s

    @property
    def reps(self) -> int:
        """How many there are: the truth."""
        return len(self.repetitions)

    def progress(self, t: Array) -> dict[str, Array]:
        """Progress of each side at `t` seconds of the set, float64[T] each."""
        return {
            side: _course([one for one in self.repetitions if one.side in (side, "both")], t)
            for side in SIDES
        }


def draw_plan(seed: int, most_s: float = 600.0) -> Plan:
    """The plan of a seed; a set that would last longer than `most_s` gets fewer repetitions."""
    rng = np.random.default_rng(seed)
    name = str(rng.choice(list(MOVEMENTS)))
    kind = MOVEMENTS[name]
    tempo = float(np.exp(rng.uniform(np.log(max(FASTEST_S, kind.fastest_s)), np.log(SLOWEST_S))))
    fps = float(np.exp(rng.uniform(np.log(max(10.0, LEAST_PICTURES / tempo)), np.log(60.0))))
    count = int(rng.integers(1, 61))
    count = max(1, min(count, int(most_s / tempo)))
    lead = float(rng.uniform(0.5, 2.0))
    repetitions = _repetitions(rng, kind, tempo, fps, count, lead)
    tail = float(rng.uniform(0.7, 2.0))
    return Plan(
        seed=seed,
        movement=name,
        height_m=float(rng.uniform(1.5, 1.95)),
        yaw=float(rng.uniform(*kind.yaw) * rng.choice([-1, 1])),
        tilt=float(rng.uniform(-10, 20)),
        distance=float(rng.uniform(3.0, 4.5)),
        fps=fps,
        jitter=float(rng.choice([0.0, 0.1])),
        tempo_s=float(np.mean([one.period for one in repetitions])),
        repetitions=repetitions,
        lead_s=lead,
        tail_s=tail,
        set_up=bool(rng.random() < 0.5),
        losses=_losses(rng, repetitions, fps),
    )


def _repetitions(
    rng: np.random.Generator, kind: Movement, tempo: float, fps: float, count: int, lead: float
) -> tuple[Repetition, ...]:
    least = max(LEAST_PICTURES / fps, FASTEST_S, kind.fastest_s)
    slower, shorter = rng.uniform(0, 0.4), rng.uniform(0, 0.25)
    usual = rng.uniform(0.85, 1.1)
    pauses = rng.uniform(0, 0.3, 2) * (rng.random(2) < 0.5) if tempo > 1 else np.zeros(2)
    share_out = rng.uniform(0.3, 0.7)
    first = int(rng.integers(2))
    low = 0.0 if kind.limbs == "alternating" else rng.uniform(0, 0.1)  # feet that take turns come back
    found, start = [], lead
    for number in range(count):
        done = number / max(count - 1, 1)
        period = float(
            np.clip(tempo * (1 + slower * done) * np.exp(0.08 * rng.standard_normal()), least, SLOWEST_S)
        )
        far_pause, near_pause = period * pauses * rng.uniform(0.5, 1.0, 2)
        moving = period - far_pause - near_pause
        out = moving * np.clip(share_out + 0.05 * rng.standard_normal(), 0.25, 0.75)
        size = np.clip(usual * (1 - shorter * done) * (1 + 0.04 * rng.standard_normal()), *RANGE)
        own_low = float(np.clip(low * (1 + 0.2 * rng.standard_normal()), 0, 0.12))
        side = {"together": "both", "alternating": SIDES[(first + number) % 2], "one": SIDES[first]}[
            kind.limbs
        ]
        found.append(
            Repetition(
                start,
                float(out),
                float(far_pause),
                float(moving - out),
                float(near_pause),
                own_low,
                float(min(own_low + size, RANGE[1])),
                side,
            )
        )
        start += period
    return tuple(found)


def _losses(
    rng: np.random.Generator, repetitions: tuple[Repetition, ...], fps: float
) -> tuple[tuple[float, float], ...]:
    minutes = sum(one.period for one in repetitions) / 60
    found = []
    for at in rng.integers(len(repetitions), size=rng.poisson(_LOSSES_A_MINUTE * minutes)):
        one = repetitions[at]
        if one.period * fps < _LOSS_PICTURES:
            continue
        length = min(float(rng.uniform(0.1, 1.0)), one.moving / 3)
        found.append((one.start + float(rng.uniform(0, one.period)), length))
    # Two losses in one repetition could hide more of it than may be hidden.
    found.sort()
    longest = max(one.period for one in repetitions)
    apart: list[tuple[float, float]] = []
    for loss in found:
        if not apart or loss[0] - apart[-1][0] > 2 * longest:
            apart.append(loss)
    return tuple(apart)


def _course(repetitions: list[Repetition], t: Array) -> Array:
    """Progress over time; between repetitions it rests where the next one begins."""
    if not repetitions:
        return np.zeros_like(t)
    starts, out, pause, back, low, far = (
        np.array([getattr(one, field) for one in repetitions])
        for field in ("start", "out", "pause", "back", "low", "far")
    )
    after = np.append(low[1:], low[-1])
    at = np.clip(np.searchsorted(starts, t, side="right") - 1, 0, None)
    u = t - starts[at]
    there = ease(u / out[at]) * (far - low)[at]
    gone = ease((u - out[at] - pause[at]) / back[at]) * (far - after)[at]
    return np.asarray(low[at] + there - gone)
