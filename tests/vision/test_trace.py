"""Recorded keypoints as a camera."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from edge.errors import CameraError
from edge.link import CameraState, Hello, PoseFrame
from edge.vision.source import open_source
from edge.vision.trace import TraceSource, TraceWriter, read_trace
from tests.link.test_link import HELLO, frame

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_recorded_comes_back(trace: Path) -> None:
    records = list(read_trace(trace))
    assert records[0] == HELLO
    assert records[2:7] == [frame(number) for number in range(1, 6)]
    assert isinstance(open_source(str(trace)), TraceSource)


def test_the_same_recording_gives_the_same_file(trace: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.trace"
    records = list(read_trace(trace))
    assert isinstance(records[0], Hello)
    writer = TraceWriter(copy, records[0])
    for record in records[1:]:
        writer.write(record)
    writer.close()
    assert copy.read_bytes() == trace.read_bytes()


def test_paced_and_looped_it_is_a_camera_of_the_present(trace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINEBOX_ASSUME_CLOCK", "1")
    source = TraceSource(trace, paced=True, loop=True)
    frames, ends = [], 0
    for record in source.stream():
        if isinstance(record, PoseFrame):
            frames.append(record)
        else:
            ends += record.state == "ended"
        if len(frames) == 12:
            source.close()
    assert [f.number for f in frames] == list(range(1, 13))
    assert ends == 2
    assert all(a.monotonic_ns < b.monotonic_ns for a, b in itertools.pairwise(frames))
    assert all(f.utc_ns is not None for f in frames)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:0],
        lambda data: b"plain text" + data,
        lambda data: data[: len(data) // 2],
        lambda data: data[:40] + bytes([data[40] ^ 255]) + data[41:],
    ],
    ids=["empty", "no gzip", "cut short", "flipped"],
)
def test_damaged_trace_is_told(trace: Path, damage: object) -> None:
    trace.write_bytes(damage(trace.read_bytes()))  # type: ignore[operator]
    with pytest.raises(CameraError, match=r"trace|Trace"):
        list(TraceSource(trace).stream())


def test_trace_without_frames_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.trace"
    writer = TraceWriter(path, HELLO)
    writer.write(CameraState(camera="cam0", state="live", monotonic_ns=0))
    writer.close()
    with pytest.raises(CameraError, match="no frames"):
        TraceSource(path)


def test_a_short_trace_does_not_spin(tmp_path: Path) -> None:
    path = tmp_path / "one.trace"
    writer = TraceWriter(path, HELLO)
    writer.write(frame(1))
    writer.close()
    source = TraceSource(path, paced=True, loop=True)
    began = time.monotonic()
    rounds = sum(1 for _ in itertools.islice(source.stream(), 20)) / 2
    assert rounds / (time.monotonic() - began) < 35


@pytest.mark.parametrize(
    "wrong", [{"skeleton": "zebra"}, {"keypoints": bytes(10 * 12)}, {"world": bytes(12)}, {"keypoints": b""}]
)
def test_a_trace_of_another_shape_is_told(tmp_path: Path, wrong: dict[str, object]) -> None:
    path = tmp_path / "odd.trace"
    writer = TraceWriter(path, HELLO)
    seen = frame(1)
    writer.write(replace(seen, subjects=(replace(seen.subjects[0], **wrong),)))
    writer.close()
    with pytest.raises(CameraError, match=r"unknown skeleton|impossible length"):
        TraceSource(path)


def test_missing_trace(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="No such file"):
        TraceSource(tmp_path / "none.trace")
