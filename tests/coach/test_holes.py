"""Somebody is out of sight for a part of a repetition: what can be known of it counts, and nothing is made up."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from edge.coach.coach import Coach
from edge.motion.signals import Signals
from tests.coach.test_coach import POSES, VIEWS
from tests.figure import Figure

RATE = 20.0
Knots = list[tuple[float, float]]
"""Times in repetitions, and progress there; between them movement is smooth."""


def cycles(count: int, first: float = 0.0) -> Knots:
    return [(first + n / 2, float(n % 2)) for n in range(2 * count + 1)]


def progress(knots: Knots, at: float) -> float:
    for (t0, p0), (t1, p1) in pairwise(knots):
        if t0 <= at < t1:
            return p0 + (p1 - p0) * (1 - math.cos(math.pi * (at - t0) / (t1 - t0))) / 2
    return knots[-1][1] if at >= knots[-1][0] else knots[0][1]


def counted(name: str, period: float, knots: Knots, hole: tuple[float, float]) -> tuple[int, int]:
    """Full and partial repetitions, told the exercise; `hole`: from and to when nobody is seen, in repetitions."""
    rng, coach = np.random.default_rng(5), Coach(name)
    for number in range(int((knots[-1][0] * period + 2) * RATE)):
        t = number / RATE
        at = t / period - 1 / period
        if hole[0] <= at < hole[1]:
            coach.update(None, t)
            continue
        figure = POSES[name](progress(knots, at))
        body = Figure(**{**figure.__dict__, "yaw": VIEWS[name]}).body(noise=0.005, rng=rng)
        coach.update(Signals(body), t)
    return coach.totals()[name][:2]


@pytest.mark.parametrize("middle", [0.0, 0.25, 0.5, 0.75])
@pytest.mark.parametrize(("name", "period"), [("squat", 1.6), ("biceps_curl", 2.0)])
@pytest.mark.parametrize("share", [0.1, 0.3])
def test_up_to_a_third_of_a_repetition_may_be_out_of_sight(
    name: str, period: float, share: float, middle: float
) -> None:
    at = 3 + middle
    assert counted(name, period, cycles(6), (at - share / 2, at + share / 2)) == (6, 0)


@pytest.mark.parametrize(
    ("what", "there"),
    [
        ("half-way only, as slowly", [(3.5, 0.5), (4.0, 0.0)]),
        ("half-way only, as fast", [(3.25, 0.5), (3.5, 0.0), (4.0, 0.0)]),
        ("half-way only, and waits there", [(3.25, 0.5), (3.75, 0.5), (4.0, 0.0)]),
        ("stands", [(4.0, 0.0)]),
        ("stirs", [(3.25, 0.2), (3.5, 0.0), (4.0, 0.0)]),
    ],
)
@pytest.mark.parametrize("hole", [(3.1, 3.6), (3.25, 3.75), (3.2, 3.85)])
@pytest.mark.parametrize(("name", "period"), [("squat", 1.6), ("jumping_jack", 1.0)])
def test_what_did_not_happen_does_not_count(
    name: str, period: float, what: str, there: Knots, hole: tuple[float, float]
) -> None:
    knots = [*cycles(3), *there, *cycles(2, 4.0)[1:]]
    assert counted(name, period, knots, hole)[0] == 5, what


def test_who_stops_half_way_and_stays_there_did_nothing() -> None:
    for hole in ((3.1, 3.5), (3.2, 3.7), (3.2, 4.0)):
        assert counted("squat", 1.6, [*cycles(3), (3.25, 0.5), (7.0, 0.5)], hole)[0] == 3
