"""A camera and the pipeline together: what an outage leaves behind."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from edge.link import CameraState, PoseFrame
from edge.vision.people import People
from edge.vision.pictures import Picture
from edge.vision.source import PixelSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DARK = np.zeros((48, 64, 3), np.uint8)


class Outage:
    """A camera in the dark that is lost for a moment and comes back, still in the dark."""

    id, source, remarks = "cam0", "test", ()

    def stream(self) -> Iterator[Picture | CameraState]:
        yield from (Picture(DARK, round(t * 1e9), None) for t in (0, 1, 3))
        yield CameraState(camera="cam0", state="lost", monotonic_ns=4_000_000_000)
        time.sleep(0.5)
        yield CameraState(camera="cam0", state="live", monotonic_ns=9_000_000_000)
        yield from (Picture(DARK, round(t * 1e9), None) for t in (9, 10, 12))

    def close(self) -> None:
        pass


def test_after_an_outage_darkness_and_read_time_begin_anew(models: Path) -> None:
    records = list(PixelSource(Outage(), People("int8")).stream())
    states = [record.state for record in records if isinstance(record, CameraState)]
    assert states == ["black", "lost", "live", "black"]
    assert all(record.timings["read"] < 400 for record in records if isinstance(record, PoseFrame))
