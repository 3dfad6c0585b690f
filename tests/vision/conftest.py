"""What the tests of vision share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge.link import CameraState
from edge.vision.trace import TraceWriter
from tests.link.test_link import HELLO, frame

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """A recording of five frames."""
    path = tmp_path / "walk.trace"
    writer = TraceWriter(path, HELLO)
    writer.write(CameraState(camera="cam0", state="live", monotonic_ns=0))
    for number in range(1, 6):
        writer.write(frame(number))
    writer.write(CameraState(camera="cam0", state="ended", monotonic_ns=6))
    writer.close()
    return path
