"""`kinebox doctor`: against a hub that runs, cameras that are wrong, and a machine without any."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from edge.box_records import REASONS, CameraView, Tuning
from edge.caretaker import Caretaker
from edge.device.doctor_box import describe, not_running
from edge.device.doctor_camera import examine_camera, look_through
from edge.link import CameraState
from edge.thermal import Thermometer
from edge.vision.device import Unavailable
from edge.web.messages import Camera
from tests.models.brought import kept, yolo_grid
from tests.test_analyze import kinebox
from tests.web.box import frame, running

if TYPE_CHECKING:
    from edge.vision.device import Grabber, Shot

TUNING = Tuning(
    basis="measured", precision="int8", threads=2, width=1280, height=720, fps=15.0, most=1, target=30.0,
    person_ms=21.3, detect_ms=14.0,
    reasons={"precision": "faster", "threads": "more_threads", "size": "full", "fps": "too_slow", "most": "time"},
)  # fmt: skip


def doctor(**environment: Any) -> dict[str, dict[str, str]]:
    done = kinebox("doctor", "--json", **environment)
    assert "Traceback" not in done.stderr
    findings = json.loads(done.stdout)
    assert done.returncode == any(finding["verdict"] == "failed" for finding in findings)
    return {finding["check"]: finding for finding in findings}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_a_running_box_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    """A hot board with a YUYV camera in a dark room."""
    system = tmp_path / "sys" / "devices/platform/soc/soc:firmware"
    system.mkdir(parents=True)
    (system / "get_throttled").write_text("9\n")
    now = [100.0]
    with running(tmp_path / "state") as box:
        caretaker = Caretaker(
            tmp_path / "state", box.state.publish_trouble, Thermometer(tmp_path / "sys"), lambda: now[0]
        )

        def live() -> None:
            box.state.caretaker = caretaker
            box.state.publish_camera(Camera(camera="cam0", state="live"))
            box.state.publish_frame(frame(1))
            caretaker.take(CameraState(camera="cam0", state="live", monotonic_ns=0))
            caretaker.take(TUNING)
            for _ in range(30):
                now[0] += 1
                caretaker.take(
                    CameraView(
                        camera="cam0",
                        monotonic_ns=0,
                        brightness=12.0,
                        contrast=9.0,
                        sharpness=0.4,
                        noise=2.0,
                        fps=9.0,
                        mode="YUYV 1280x720 10",
                    )
                )
                caretaker.tick()

        box.do(live)
        found = doctor(
            KINEBOX_PORT=str(box.port), KINEBOX_CAMERA="csi", KINEBOX_STATE=str(tmp_path / "other")
        )
        with box.client() as http:
            metrics = http.get("/metrics").text
    assert found["box"]["found"].startswith("running, camera live")
    assert found["dark"]["found"].startswith("the picture is dark: brightness 12 of 255 (for ")
    assert "YUYV 1280x720 at 10 a second" in found["wrong_mode"]["found"]
    assert "heat, power" in found["throttled"]["found"]
    assert found["few_pictures"]["verdict"] == "warning"
    assert found["no_pictures"]["verdict"] == "failed"  # views came, and no picture that was analysed
    assert all(found[code]["remedy"] for code in ("dark", "wrong_mode", "throttled", "few_pictures"))
    assert "int8 (it is the faster one here)" in found["way of working"]["found"]
    assert 'kinebox_trouble{kind="dark"} 1.0' in metrics
    assert 'kinebox_troubles_total{kind="dark"} 1.0' in metrics
    assert 'kinebox_trouble{kind="slow"} 0.0' in metrics


def test_every_reason_has_words() -> None:
    for code in REASONS:
        assert REASONS[code] in describe(replace(TUNING, reasons={"precision": code}))
    assert "21.3 ms" in describe(TUNING)


# Cameras, without a box that runs


@pytest.mark.parametrize(
    ("camera", "verdict", "said"),
    [
        ("/dev/video98", "warning", "there is no /dev/video98"),
        ("none.mp4", "failed", "none.mp4 is not there"),
        ("csi:1", "failed", "needs picamera2"),
        ("http://camera/", "failed", "cannot be reached by http://"),
        ("rtsp://user:secret@camera/", "failed", "holds a login"),
        ("rtsp://127.0.0.1:{closed}/secret", "failed", "does not answer"),
        ("rtsp://127.0.0.1:{open}/secret", "ok", "answers"),
        ("{file}", "ok", "the recording clip.mp4"),
    ],
)
def test_the_camera_of_the_settings(
    camera: str, verdict: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"")
    with socket.create_server(("127.0.0.1", 0)) as server:
        what = camera.format(closed=free_port(), open=server.getsockname()[1], file=clip)
        monkeypatch.setenv("KINEBOX_CAMERA", what)
        (found,) = examine_camera(running=False)
    assert found.verdict == verdict
    assert said in found.found
    assert "secret" not in f"{found.found} {found.remedy}"


def test_a_machine_on_which_nothing_runs(tmp_path: Path) -> None:
    found = doctor(KINEBOX_CAMERA="/dev/video98", KINEBOX_PORT=str(free_port()), KINEBOX_STATE=str(tmp_path))
    assert found["box"]["found"].startswith("not running")
    assert {"clock", "disk", "memory", "models int8", "processor", "camera"} <= found.keys()


def test_models_that_were_brought_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINEBOX_IMPORTED", str(tmp_path / "imported"))
    kept("yolo-pose", yolo_grid(), "gym")
    kept("yolo-pose", yolo_grid(), "club")
    (tmp_path / "imported" / "club.fp32.onnx").write_bytes(b"")
    found = doctor(KINEBOX_STATE=str(tmp_path))
    assert (found["model gym"]["verdict"], found["model gym"]["found"]) == (
        "ok",
        "imported (fp32) and undamaged",
    )
    assert found["model club"]["verdict"] == "failed"
    assert "Import" in found["model club"]["remedy"]


def test_a_box_whose_encrypted_data_stayed_shut(tmp_path: Path) -> None:
    mount = tmp_path / "var-lib-kinebox.mount"
    assert not_running(mount, tmp_path).verdict == "ok"
    mount.touch()
    shut = not_running(mount, tmp_path)
    assert (shut.verdict, "stayed shut" in shut.found, "journalctl" in shut.remedy) == ("failed", True, True)
    assert not_running(mount, Path("/proc")).verdict == "ok"  # mounted: the hub is away for another reason


class Device:
    """A camera that delivers this picture so often a second."""

    def __init__(self, bgr: np.ndarray[Any, Any], fps: float, mode: str) -> None:
        self.bgr, self.fps, self.mode = bgr, fps, mode
        self.released = False
        self._next = time.monotonic()
        self._rng = np.random.default_rng(0)

    def read(self) -> Shot | None:
        now = time.monotonic()
        time.sleep(max(self._next - now, 0))
        self._next = max(self._next, now) + 1 / self.fps
        noise = self._rng.integers(-1, 2, self.bgr.shape, dtype=np.int16)
        return np.clip(self.bgr + noise, 0, 255).astype(np.uint8), time.monotonic_ns()

    def release(self) -> None:
        self.released = True


def picture(brightness: int) -> np.ndarray[Any, Any]:
    tiles = np.random.default_rng(1).integers(brightness // 2, brightness * 3 // 2 + 1, (18, 32, 3))
    return cv2.resize(tiles.astype(np.uint8), (640, 360), interpolation=cv2.INTER_NEAREST)


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        (Device(picture(120), 25, "MJPG 1280x720 30"), {"camera"}),
        (Device(picture(10), 5, "YUYV 1280x720 5"), {"camera", "dark", "few_pictures", "wrong_mode"}),
    ],
    ids=["well", "dark, raw and slow"],
)
def test_a_camera_is_looked_through(device: Device, expected: set[str]) -> None:
    findings = {finding.check: finding for finding in look_through("/dev/video0", lambda: device)}
    assert expected <= findings.keys() <= expected | {"few_pictures"}  # on a busy machine any camera is slow
    assert device.released
    assert device.mode in findings["camera"].found
    assert all(finding.remedy for check, finding in findings.items() if check != "camera")


def test_a_camera_that_cannot_be_opened() -> None:
    def taken() -> Grabber | None:
        raise Unavailable("busy")

    assert look_through("/dev/video0", taken)[0].found == "/dev/video0: busy"
    assert look_through("/dev/video0", lambda: None)[0].verdict == "failed"
