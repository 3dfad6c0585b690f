"""CSI cameras that stall, fail, are taken and come back. A stand-in with picamera2's signatures is the camera."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge.errors import CameraError
from edge.vision import picamera
from edge.vision.device import DeviceCamera, Unavailable
from edge.vision.picamera import csi_camera, is_csi, open_csi
from edge.vision.source import live_camera
from tests.vision.csi import BLUE, IMX708, Rig, StandIn
from tests.vision.streaming import Watcher

if TYPE_CHECKING:
    from collections.abc import Iterator


TAKEN = "Failed to acquire camera: Device or resource busy"


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    """A camera; in the end everything was given back."""
    StandIn.rig = rig = Rig()
    monkeypatch.setattr(picamera, "SILENCE_S", 0.3)
    monkeypatch.setattr(picamera, "PAUSES", (0.05,))
    before = descriptors()
    yield rig
    deadline = time.monotonic() + 5
    while rig.open is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert rig.open is None
    assert rig.lent == 0
    assert descriptors() == before


def descriptors() -> int:
    """How many this process has."""
    return len(list(Path("/proc/self/fd").iterdir()))


def named(rig: Rig, name: str) -> list[object]:
    """The arguments of every call of `name`."""
    return [args or kwargs for called, args, kwargs in rig.calls if called == name]


def test_pictures_with_the_sensors_times(rig: Rig) -> None:
    with Watcher(csi_camera("csi", StandIn)) as camera:
        rig.pictures.put(0.040)
        camera.state("live")
        (picture,) = camera.pictures(1)
        late = time.monotonic_ns() - picture.monotonic_ns
        assert 40e6 <= late < 900e6
        assert picture.bgr.shape == (720, 1280, 3)
        assert tuple(picture.bgr[0, 0]) == BLUE


def test_times_of_another_clock_are_not_believed(rig: Rig) -> None:
    with Watcher(csi_camera("csi", StandIn)) as camera:
        for age in (-5.0, 4000.0):
            rig.pictures.put(age)
            (picture,) = camera.pictures(1)
            assert 0 <= time.monotonic_ns() - picture.monotonic_ns < 1e9


def test_suspended_time_is_taken_out() -> None:
    clock = {time.CLOCK_MONOTONIC: 100_000, time.CLOCK_BOOTTIME: 7_000_100_000}.__getitem__
    assert picamera._taken(7_000_060_000, clock) == 60_000
    assert picamera._taken(None, clock) == 100_000


def test_what_the_camera_is_asked_for(rig: Rig) -> None:
    """The whole field of view at a steady rate, in the pipeline's own order of bytes."""
    rig.pictures.put(0.0)
    with Watcher(csi_camera("csi:0", StandIn)) as camera:
        camera.state("live")
    (asked,) = named(rig, "create_video_configuration")
    assert asked == {
        "main": {"size": (1280, 720), "format": "RGB888"},
        "sensor": {"output_size": (2304, 1296), "bit_depth": 10},
        "buffer_count": 4,
        "controls": {"FrameDurationLimits": (33333, 33333), "AfMode": 2, "AeExposureMode": 1},
    }


@pytest.mark.parametrize(
    ("modes", "chosen"),
    [
        ([], {}),
        ([{"format": "MJPEG"}], {}),
        (IMX708[2:], {}),
        (IMX708[:1], {"output_size": (1536, 864), "bit_depth": 10}),
        (
            [
                {"size": (640, 480), "fps": 103.0, "crop_limits": (1000, 752, 1280, 960), "bit_depth": 10},
                {"size": (1640, 1232), "fps": 41.0, "crop_limits": (0, 0, 3280, 2464), "bit_depth": 8},
                {"size": (1920, 1080), "fps": 47.0, "crop_limits": (680, 692, 1920, 1080), "bit_depth": 10},
            ],
            {"output_size": (1640, 1232), "bit_depth": 8},
        ),
    ],
    ids=["unknown", "not a sensor", "too slow", "one", "imx219"],
)
def test_the_mode_that_sees_most(modes: list[dict[str, object]], chosen: dict[str, object]) -> None:
    assert picamera._widest(modes) == chosen


def test_a_camera_with_few_controls_is_not_asked_for_others(rig: Rig) -> None:
    rig.controls = {"FrameDurationLimits": (33333, 33333, 33333)}
    rig.pictures.put(0.0)
    with Watcher(csi_camera("csi", StandIn)) as camera:
        camera.state("live")


def test_a_sensor_that_hangs_is_opened_anew(rig: Rig) -> None:
    with Watcher(csi_camera("csi", StandIn)) as camera:
        rig.pictures.put(0.0)
        camera.state("live")
        assert camera.state("stalled")
        rig.pictures.put(0.0)
        camera.state("live")
    assert len(named(rig, "__init__")) >= 2


def test_a_driver_that_fails_is_opened_anew(rig: Rig) -> None:
    with Watcher(csi_camera("csi", StandIn)) as camera:
        rig.pictures.put(0.0)
        camera.state("live")
        rig.pictures.put(RuntimeError("the pipeline handler is gone"))
        assert camera.state("unplugged")
        rig.pictures.put(0.0)
        camera.state("live")


def test_a_camera_that_comes_and_goes(rig: Rig) -> None:
    rig.cameras = 0
    with Watcher(csi_camera("csi", StandIn)) as camera:
        assert camera.state("not_found")
        rig.cameras = 1
        rig.pictures.put(0.0)
        camera.state("live")
        rig.cameras = 0
        rig.pictures.put(RuntimeError("gone"))
        assert camera.state("not_found")


def test_a_camera_that_another_program_has(rig: Rig) -> None:
    """Each attempt costs nothing, or a night of them would use up the descriptors."""
    rig.says["acquire"] = TAKEN
    with Watcher(csi_camera("csi", StandIn)) as camera:
        assert camera.state("busy")
        while len(named(rig, "__init__")) < 5:
            time.sleep(0.05)
        rig.says.clear()
        rig.pictures.put(0.0)
        camera.state("live")


@pytest.mark.parametrize(
    ("when", "says", "code", "lasting"),
    [
        ("acquire", TAKEN, "busy", False),
        ("acquire", "Failed to acquire camera: No such device", "not_found", False),
        (
            "acquire",
            "Camera(s) not found (Do not forget to disable legacy camera with raspi-config).",
            "not_found",
            False,
        ),
        ("acquire", "Failed to acquire camera: Permission denied", "failed", False),
        ("configure", "Invalid camera configuration: {}", "wrong_mode", True),
        ("configure", "Failed to configure camera: Device or resource busy", "busy", False),
        ("start", "Failed to start camera: Cannot allocate memory", "failed", False),
        ("start", "Failed to start camera: No such device", "not_found", False),
    ],
)
def test_why_there_are_no_pictures(
    rig: Rig, caplog: pytest.LogCaptureFixture, when: str, says: str, code: str, lasting: bool
) -> None:
    """Told apart, and the library's own words are in the log."""
    rig.says[when] = says
    with pytest.raises(Unavailable) as caught:
        open_csi("csi", StandIn)
    assert (caught.value.code, caught.value.lasting) == (code, lasting)
    assert [record.message for record in caplog.records] == [f"the CSI camera cannot be used: {says}"]


def test_another_kind_of_pictures_is_refused(rig: Rig) -> None:
    rig.delivers = "YUV420"
    with pytest.raises(Unavailable, match="wrong_mode"):
        open_csi("csi", StandIn)
    assert named(rig, "start") == []


def test_the_second_camera_is_opened_where_it_is_named(rig: Rig) -> None:
    rig.cameras = 2
    camera = open_csi("csi:1", StandIn)
    assert camera is not None
    camera.release()
    assert named(rig, "__init__") == [(1,)]
    assert open_csi("csi:2", StandIn) is None


def test_names() -> None:
    assert [is_csi(name) for name in ("csi", "csi:1", "csi:", "csi:10", "csi.mp4", "0")] == [True, True] + [
        False
    ] * 4
    for device, path in (("0", "/dev/video0"), ("/dev/kinebox/camera-usb", "/dev/kinebox/camera-usb")):
        camera = live_camera(device)
        assert isinstance(camera, DeviceCamera)
        assert camera.source == path
    assert live_camera("csi.mp4") is None


def test_without_picamera2_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(CameraError, match="picamera2") as caught:
        live_camera("csi")
    assert "apt install python3-picamera2" in caught.value.remedy
    (tmp_path / "picamera2.py").write_text("raise ValueError('numpy.dtype size changed')", encoding="utf-8")
    monkeypatch.delitem(sys.modules, "picamera2")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(CameraError, match=r"numpy\.dtype size changed"):
        live_camera("csi")
