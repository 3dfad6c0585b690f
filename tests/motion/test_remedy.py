"""Which way to turn."""

from __future__ import annotations

import pytest

from edge.motion.remedy import Plane, Turn, turn_to_see
from edge.motion.view import torso_yaw
from tests.figure import Figure


@pytest.mark.parametrize(
    ("plane", "yaw", "turn"),
    [
        ("sagittal", 50, Turn(40, "left")),
        ("sagittal", -50, Turn(40, "right")),
        ("sagittal", 130, Turn(40, "right")),
        ("sagittal", 90, None),
        ("sagittal", -93, None),
        ("frontal", 40, Turn(40, "right")),
        ("frontal", -40, Turn(40, "left")),
        ("frontal", 150, Turn(30, "left")),
        ("frontal", -170, Turn(10, "right")),
        ("frontal", float("nan"), None),
    ],
)
def test_turn(plane: Plane, yaw: float, turn: Turn | None) -> None:
    assert turn_to_see(plane, yaw) == turn


@pytest.mark.parametrize("yaw", [-160, -120, -40, 20, 70, 110, 170])
@pytest.mark.parametrize("plane", ["sagittal", "frontal"])
def test_who_turns_so_is_seen_squarely(plane: Plane, yaw: float) -> None:
    """To turn left is anticlockwise from above: the right side comes to the camera of one whom it faces."""
    turn = turn_to_see(plane, torso_yaw(Figure(yaw=yaw).body()))
    degrees = 0.0 if turn is None else turn.degrees if turn.to == "left" else -turn.degrees
    body = Figure(yaw=yaw + degrees).body()
    across = abs(torso_yaw(body)) % 180
    assert min(abs(across - square) for square in ((90,) if plane == "sagittal" else (0, 180))) <= 5.1
