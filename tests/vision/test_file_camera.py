"""Video files, good and bad."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge.errors import CameraError
from edge.link import CameraState
from edge.vision.file import FileCamera
from edge.vision.pictures import Picture, as_bgr
from edge.vision.source import open_source
from tests.vision.clips import rotate, set_durations, write_clip

if TYPE_CHECKING:
    from pathlib import Path

    import cv2


def play(path: Path, **options: bool) -> tuple[list[Picture], list[CameraState]]:
    camera = FileCamera(path, **options)
    items = list(camera.stream())
    camera.close()
    return [i for i in items if isinstance(i, Picture)], [i for i in items if isinstance(i, CameraState)]


def test_every_picture_with_its_time(tmp_path: Path) -> None:
    pictures, states = play(write_clip(tmp_path / "a.mp4", frames=25, fps=25))
    assert [p.monotonic_ns / 1e9 for p in pictures] == pytest.approx([i / 25 for i in range(25)], abs=1e-3)
    assert [state.state for state in states] == ["live", "ended"]
    assert states[-1].detail == ""
    assert pictures[0].bgr.shape == (48, 64, 3)


@pytest.mark.parametrize("size", [(62, 46), (34, 258), (640, 18)])
def test_odd_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    pictures, _ = play(write_clip(tmp_path / "a.mp4", frames=3, size=size))
    assert pictures[0].bgr.shape == (size[1], size[0], 3)


def test_phone_video_comes_out_upright(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", frames=2, size=(64, 32))
    rotate(path)
    pictures, _ = play(path)
    assert pictures[0].bgr.shape == (64, 32, 3)
    camera = FileCamera(path)
    assert camera.remarks == ("turned",)
    camera.close()
    bright = pictures[0].bgr[:32, 16:].mean()  # the top left quarter, turned clockwise, is at the top right
    assert bright > pictures[0].bgr[32:].mean() + 40


def test_variable_frame_rate_keeps_its_times(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", frames=6, fps=30)
    unit = 512  # the writer's ticks for a 30th of a second
    durations = [unit, 3 * unit, unit, 6 * unit, unit, unit]
    set_durations(path, durations)
    camera = FileCamera(path)
    pictures = [item for item in camera.stream() if isinstance(item, Picture)]
    assert camera.remarks == ("variable_frame_rate",)
    truth = np.concatenate([[0], np.cumsum(durations)[:-1]]) / (30 * unit)
    assert [p.monotonic_ns / 1e9 for p in pictures] == pytest.approx(truth.tolist(), abs=2e-3)


def test_truncated_file_is_said(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.avi", frames=60, size=(320, 240))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    pictures, states = play(path)
    assert 0 < len(pictures) < 60
    assert (states[-1].state, states[-1].detail) == ("ended", "truncated")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"not a video at all", "not a video"),
        (bytes(range(256)) * 500, "not a video"),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/secret.ts\n", "not a video"),
        (b"ffconcat version 1.0\nfile 'tcp://127.0.0.1:9'\n", "not a video"),
    ],
)
def test_what_is_no_video_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(CameraError, match=told) as caught:
        FileCamera(path)
    assert caught.value.remedy


def test_half_an_mp4_is_refused(tmp_path: Path) -> None:
    """The index of an MP4 stands at its end: without it there is nothing to play."""
    path = write_clip(tmp_path / "a.mp4", frames=60, size=(320, 240))
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(CameraError, match="not a video"):
        FileCamera(path)


def test_missing_and_folder(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="No such file"):
        FileCamera(tmp_path / "none.mp4")
    with pytest.raises(CameraError, match="not a file"):
        FileCamera(tmp_path)


def test_an_address_is_not_opened() -> None:
    with pytest.raises(CameraError, match="cannot be reached by http") as caught:
        open_source("http://127.0.0.1/clip.mp4")
    assert caught.value.exit_code == 3


def test_paced_like_a_camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINEBOX_ASSUME_CLOCK", "1")
    camera = FileCamera(write_clip(tmp_path / "a.mp4", frames=15, fps=30), paced=True)
    started = time.monotonic_ns()
    pictures = [item for item in camera.stream() if isinstance(item, Picture)]
    camera.close()
    assert all(p.monotonic_ns <= time.monotonic_ns() for p in pictures)
    assert pictures[-1].monotonic_ns - started >= 14 / 30 * 1e9
    assert all(p.utc_ns is not None for p in pictures)


def test_slow_consumer_of_a_paced_file_gets_the_present(tmp_path: Path) -> None:
    camera = FileCamera(write_clip(tmp_path / "a.mp4", frames=45, fps=30), paced=True)
    lateness = []
    for item in camera.stream():
        if isinstance(item, Picture):
            lateness.append((time.monotonic_ns() - item.monotonic_ns) / 1e9)
            time.sleep(0.12)
            skipped = item.skipped
    camera.close()
    assert max(lateness) < 0.5
    assert skipped > 10


class Slow:
    """A decoder that takes `seconds` for each picture, and may break."""

    def __init__(self, capture: cv2.VideoCapture, seconds: float, breaks_at: int = -1) -> None:
        self.capture, self.seconds, self.left = capture, seconds, breaks_at
        self.get, self.release = capture.get, capture.release

    def read(self) -> tuple[bool, Any]:
        self.left -= 1
        if self.left == -1:
            raise MemoryError("no room for a picture")
        time.sleep(self.seconds)
        return self.capture.read()


def test_a_file_that_decodes_too_slowly_plays_slowly(tmp_path: Path) -> None:
    camera = FileCamera(write_clip(tmp_path / "a.mp4", frames=30, fps=30), paced=True)
    camera._capture = Slow(camera._capture, 0.05)  # type: ignore[assignment]
    times, lateness = [], []
    for item in camera.stream():
        if isinstance(item, Picture):
            times.append(item.monotonic_ns / 1e9)
            lateness.append(time.monotonic() - times[-1])
    assert len(times) > 20
    assert np.diff(times).min() > 0
    assert max(lateness) < 0.3
    assert times[-1] - times[0] > 1.2  # 29 pictures in 0.05 s each


@pytest.mark.parametrize("after", [0, 5])
def test_a_decoder_that_breaks_ends_the_stream(tmp_path: Path, after: int) -> None:
    camera = FileCamera(write_clip(tmp_path / "a.mp4", frames=30))
    camera._capture = Slow(camera._capture, 0, breaks_at=after)  # type: ignore[assignment]
    with pytest.raises(MemoryError):
        list(camera.stream())


def test_a_clip_of_one_picture_does_not_spin(tmp_path: Path) -> None:
    camera = FileCamera(write_clip(tmp_path / "a.mp4", frames=1), paced=True, loop=True)
    began = time.monotonic()
    ends = 0
    for item in camera.stream():
        if isinstance(item, CameraState) and item.state == "ended":
            ends += 1
        if ends == 10:
            camera.close()
    assert time.monotonic() - began > 10 / 31


def test_loop_starts_again_until_it_is_closed(tmp_path: Path) -> None:
    camera = FileCamera(write_clip(tmp_path / "a.mp4", frames=4), loop=True)
    times, states = [], []
    for item in camera.stream():
        if isinstance(item, Picture):
            times.append(item.monotonic_ns)
        else:
            states.append(item.state)
        if len(times) == 10:
            camera.close()
    assert states[:4] == ["live", "ended", "live", "ended"]
    assert times == sorted(set(times))


def test_a_file_that_is_taken_away_meanwhile_is_lost(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", frames=4)
    states = []

    def play() -> None:
        for item in FileCamera(clip, loop=True).stream():
            clip.unlink(missing_ok=True)
            if not isinstance(item, Picture):
                states.append((item.state, item.detail))

    with pytest.raises(CameraError, match="cannot open"):
        play()
    assert states == [("live", ""), ("ended", ""), ("lost", "not_found")]


@pytest.mark.parametrize("shape", [(8, 6), (8, 6, 4), (8, 6, 3)])
def test_any_kind_of_picture_becomes_bgr(shape: tuple[int, ...]) -> None:
    assert as_bgr(np.full(shape, 7, np.uint8)).shape == (8, 6, 3)
