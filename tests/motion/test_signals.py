"""Signals of a figure of known shape, and how far they are to be trusted from each view."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from edge.motion.body import INDEX, Body
from edge.motion.signals import COLUMN, Signals
from tests.figure import FOOT, SHANK, TRUNK, Figure

LUNGE = Figure(knee=(100, 95), hip=(80, -15), yaw=90)
SIDE, FRONT = ("knee_ahead_left", "hip_line"), ("knee_gap",)


def doubt(yaw: float, name: str) -> float:
    return float(Signals(dataclasses.replace(LUNGE, yaw=yaw).body()).doubt[COLUMN[name]])


@pytest.mark.parametrize("yaw", [90, 75, 50, 0, -90])
def test_the_knee_is_as_far_before_the_toes_as_it_is(yaw: float) -> None:
    """The shank leans forwards by 20 degrees, and the foot stands square to it."""
    lean = np.radians(20)
    true = (SHANK + 0.05) * np.sin(lean) - FOOT * np.cos(lean)
    ahead = Signals(dataclasses.replace(LUNGE, yaw=yaw).body())["knee_ahead_left"].value
    assert ahead == pytest.approx(true / TRUNK, abs=0.01)


def test_seen_from_the_side_a_misread_depth_moves_no_knee() -> None:
    body = LUNGE.body()
    misread = body.space.copy()
    misread[INDEX["knee_left"], 2] += 0.2
    wrong = Signals(Body(body.image, misread, body.visibility))["knee_ahead_left"].value
    assert wrong == pytest.approx(Signals(body)["knee_ahead_left"].value, abs=0.02)


@pytest.mark.parametrize("name", SIDE)
def test_what_only_a_side_view_shows(name: str) -> None:
    assert doubt(85, name) == pytest.approx(1)
    assert doubt(10, name) == pytest.approx(2)


@pytest.mark.parametrize("name", FRONT)
def test_what_only_a_front_view_shows(name: str) -> None:
    assert doubt(5, name) == pytest.approx(1)
    assert doubt(80, name) == pytest.approx(2)


def test_without_space_distances_are_unknown_and_doubted() -> None:
    body = LUNGE.body()
    flat = Signals(Body(body.image, np.full_like(body.space, np.nan), body.visibility))
    assert flat["knee_ahead_left"].visibility == 0
    assert flat.doubt[COLUMN["knee_ahead_left"]] == pytest.approx(2)
