"""Records as vision sends them."""

from __future__ import annotations

import numpy as np

from edge.link import Hello, PoseFrame, Subject

HELLO = Hello(camera="cam0", source="test", model="blazepose", precision="int8")


def frame(number: int, subjects: int = 1) -> PoseFrame:
    """The picture of this number, with one person so many times."""
    points = np.full((33, 3), number, "<f4").tobytes()
    person = Subject(id=1, species="human", skeleton="blazepose33", score=0.9, keypoints=points, world=points)
    return PoseFrame(
        camera="cam0",
        number=number,
        monotonic_ns=number * 33_000_000,
        utc_ns=None,
        width=640,
        height=360,
        timings={"total": 7.5},
        subjects=(person,) * subjects,
    )
