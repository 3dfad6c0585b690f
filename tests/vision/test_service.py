"""The vision process from outside: real processes, real signals, the real socket."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from edge.link import CameraState, Hello, PoseFrame
from tests.vision.clips import write_clip
from tests.vision.serving import Vision, receive

if TYPE_CHECKING:
    from pathlib import Path


def test_a_hub_is_told_that_there_is_no_camera(models: Path, tmp_path: Path) -> None:
    with Vision(tmp_path / "link", "/dev/video99") as vision:
        first = vision.connect()
        time.sleep(2)  # long after everything was said
        second = vision.connect()
        for subscriber in (first, second):
            records = receive(subscriber, 6, seconds=2)
            assert isinstance(records[0], Hello)
            state = [record for record in records if isinstance(record, CameraState)][-1]
            assert (state.state, state.detail) == ("lost", "not_found")
        vision.stop()
        assert vision.process.returncode == 0


@pytest.mark.parametrize("connected", [False, True], ids=["waiting for the hub", "playing"])
def test_a_signal_stops_a_recording(trace: Path, tmp_path: Path, connected: bool) -> None:
    with Vision(tmp_path / "link", trace, "--loop") as vision:
        subscriber = vision.connect()
        if connected:
            assert len(receive(subscriber, 4)) == 4
        else:
            subscriber.close()
            time.sleep(0.3)
        vision.stop()
        assert vision.process.returncode == 0
        assert not vision.link.exists()


def test_signals_stop_a_video_at_any_moment(models: Path, tmp_path: Path) -> None:
    """The file is being decoded ahead in a thread while the signal comes."""
    clip = write_clip(tmp_path / "a.mp4", frames=60, size=(1280, 720), fps=240)
    for turn in range(4):
        with Vision(tmp_path / "link", clip, "--loop") as vision:
            subscriber = vision.connect()
            records = receive(subscriber, 4)
            assert any(isinstance(record, PoseFrame) for record in records)
            time.sleep(0.05 * turn)
            output = vision.stop()
            assert vision.process.returncode == 0, output
            assert "Traceback" not in output
