"""Vision as a process that finds out what it can do here: it works at once, measures meanwhile, and remembers."""

from __future__ import annotations

import re
import select
import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pytest

from edge.box_records import CameraView, Tuning
from edge.link import Hello, PoseFrame, Watch
from edge.vision.device import DeviceCamera
from edge.vision.pictures import Picture
from edge.vision.source import PixelSource
from edge.vision.tuned import TunedSource, Tuner, sizes_of
from edge.vision.tuning import SIZES, Costs, Given
from edge.vision.tuning_file import FILE
from tests.vision.clips import write_clip
from tests.vision.serving import Vision

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.link import Record
    from edge.link_socket import Subscriber
    from edge.vision.device import Shot


def until(subscriber: Subscriber, found: Callable[[Record], bool], seconds: float = 60) -> list[Record]:
    """What comes until a record is found, which is the last one."""
    records: list[Record] = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        select.select([subscriber], [], [], 0.1)
        while (record := subscriber.read()) is not None:
            records.append(record)
            if found(record):
                return records
    pytest.fail(f"not within {seconds:.0f} s: {records[-3:]}")


def measured(record: Record) -> bool:
    return isinstance(record, Tuning) and record.basis == "measured"


def test_it_works_first_then_measures_and_remembers(models: Path, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", frames=120, size=(320, 240), fps=30)
    with Vision(tmp_path / "link", clip, "--loop", KINEBOX_FPS="20") as vision:
        subscriber = vision.connect()
        records = until(subscriber, measured)
        status = Path(f"/proc/{vision.process.pid}/status").read_text(encoding="ascii")
    size = {name: int(rest.split()[0]) for name, rest in re.findall(r"^(Vm\w+):\s*(.*)$", status, re.M)}
    assert size["VmRSS"] < 0.8 * size["VmHWM"]  # the networks that were only measured are gone
    assert isinstance(records[0], Hello)
    kinds = [type(record) for record in records]
    first, last = (record for record in (records[1], records[-1]) if isinstance(record, Tuning))
    assert (first.basis, first.precision, first.threads) == ("safe", "int8", 1)
    assert kinds.count(PoseFrame) > 20  # one for each slice of the trial, at least
    assert CameraView in kinds
    assert last.target == 20
    assert last.person_ms > 0
    assert last.reasons["size"] == "fixed"
    assert (tmp_path / FILE).exists()

    with Vision(tmp_path / "link", clip, "--loop", "--precision", "fp32", "--threads", "1") as vision:
        subscriber = vision.connect()
        records = until(subscriber, lambda record: isinstance(record, PoseFrame))
    (kept,) = (record for record in records if isinstance(record, Tuning))
    assert (kept.basis, kept.precision, kept.threads) == ("kept", "fp32", 1)
    assert kept.reasons["precision"] == kept.reasons["threads"] == "given"


@pytest.mark.parametrize("wrong", [("--fps", "nan"), ("--threads", "0")])
def test_what_cannot_be_is_told(wrong: tuple[str, str], tmp_path: Path) -> None:
    with Vision(tmp_path / "link", "none.mp4", *wrong) as vision:
        output, _ = vision.process.communicate(timeout=60)
        assert vision.process.returncode == 2
    assert wrong[0] in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("camera", "sizes"),
    [("0", SIZES), ("/dev/video2", SIZES), ("csi:1", SIZES), ("rtsp://camera/", ()), ("clip.mp4", ())],
)
def test_sizes(camera: str, sizes: tuple[object, ...]) -> None:
    assert sizes_of(camera) == sizes


def costs(ms: float) -> Costs:
    decode = {"1280x720": 9.0, "640x360": 2.0}
    return Costs(person={"int8 x1": ms}, detect={"int8": ms}, decode=decode, cores=1)


class _People:
    """As far as a pipeline is told what to do; no picture comes."""

    precision, most, waiting = "int8", 4, 0
    timings: ClassVar[dict[str, float]] = {}

    def ignore(self, zones: object) -> None:
        pass


def test_the_size_is_asked_of_the_camera_and_the_hub_decides_about_people(tmp_path: Path) -> None:
    camera = DeviceCamera("/dev/video99", opener=lambda _: None)
    camera.size = SIZES[0]
    given = Given(precision="int8", threads=1, sizes=SIZES)
    tuner = Tuner(given, tmp_path)
    source = PixelSource(camera, _People())  # type: ignore[arg-type]
    tuned = TunedSource(source, tuner)
    assert tuner.measured(costs(900.0)) == 0  # nothing better was known before
    tuned._apply()
    assert camera.size == SIZES[1]
    assert source.pipeline.most == 1
    tuned.watch(Watch(most=3))
    assert source.pipeline.most == 3
    tuned.watch(Watch())
    assert source.pipeline.most == 1
    assert tuner.measured(costs(2.0)) == 1
    tuned._apply()
    assert (camera.size, source.pipeline.most) == (SIZES[0], 4)


def test_a_model_that_is_missing_stops_nothing_but_the_measuring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("KINEBOX_MODELS", str(tmp_path / "none"))
    camera = DeviceCamera("/dev/video99", opener=lambda _: None)
    tuned = TunedSource(PixelSource(camera, _People()), Tuner(Given(), tmp_path))  # type: ignore[arg-type]
    for _ in range(3):
        assert not tuned._tune()
    assert caplog.text.count("kinebox models build") == 1
    assert tuned.tuner.basis == "safe"
    assert not (tmp_path / FILE).exists()


class _Grabber:
    """Delivers pictures of the size that was asked for."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.picture = np.zeros((size[1], size[0], 3), np.uint8)
        self.mode = f"MJPG {size[0]}x{size[1]} 30"

    def read(self) -> Shot | None:
        time.sleep(0.01)
        return self.picture, time.monotonic_ns()

    def release(self) -> None:
        pass


def test_a_camera_is_opened_anew_in_another_size() -> None:
    camera = DeviceCamera("/dev/video99", opener=lambda _: _Grabber(camera.size or (0, 0)))
    camera.size = SIZES[0]
    seen: list[int] = []
    for item in camera.stream():
        if isinstance(item, Picture):
            width = item.bgr.shape[1]
            if width not in seen:
                seen.append(width)
                assert camera.mode.split()[1].startswith(str(width))
                camera.size = SIZES[1]
            elif width == SIZES[1][0]:
                camera.close()
        else:
            assert item.state in ("starting", "live")  # it was never lost
    assert seen == [SIZES[0][0], SIZES[1][0]]
