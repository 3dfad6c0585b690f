"""Range of a dog's hock in generated walks of known angles."""

from __future__ import annotations

import numpy as np
import pytest

from edge.coach.walks import Walks
from edge.motion.body import Body
from edge.motion.lens import Lens
from edge.motion.signals import Signals
from tests.truth.camera import Camera
from tests.truth.dog import trot, walk

MOTIONS = {"walk": walk(treadmill=True), "trot": trot(treadmill=True)}


@pytest.mark.parametrize("name", MOTIONS)
@pytest.mark.parametrize("yaw", [90, -90, 100])
def test_range_of_the_hock(name: str, yaw: float) -> None:
    motion, lens, walks = MOTIONS[name], Lens(1280, 720), Walks("dog")
    for frame in Camera(yaw=yaw, distance=2.5).see(motion, 60):
        for one in frame.subjects:
            body = Body.of(one.skeleton, one.points(), None, lens)
            walks.add(frame.monotonic_ns / 1e9, body, Signals(body).angles.value)
    walks.finish()
    found = walks.measures()
    for side in ("left", "right"):
        true = float(np.ptp(motion.at(np.arange(2, 4, 0.005)).angles[f"hock_flexion_{side}"]))
        assert found[f"hock_range_{side}"].value == pytest.approx(true, abs=4)
