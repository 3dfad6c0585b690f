"""Stands in for picamera2, whose hardware is not at hand: its signatures, its errors, and pictures that are made."""

# ruff: noqa: ARG002, B006 - signatures are the real ones

from __future__ import annotations

import os
import queue
import time
from typing import Any, ClassVar

import numpy as np

BLUE = (200, 30, 10)
IMX708 = [
    {"size": (1536, 864), "fps": 120.13, "crop_limits": (768, 432, 3072, 1728), "bit_depth": 10},
    {"size": (2304, 1296), "fps": 56.03, "crop_limits": (0, 0, 4608, 2592), "bit_depth": 10},
    {"size": (4608, 2592), "fps": 14.35, "crop_limits": (0, 0, 4608, 2592), "bit_depth": 10},
]


class Rig:
    """What is connected, and what happens to it."""

    def __init__(self) -> None:
        self.cameras = 1
        self.says: dict[str, str] = {}
        """By method (`acquire`, `configure`, `start`): how the library says that it is not possible."""
        self.delivers = "RGB888"
        self.controls = {
            "FrameDurationLimits": (8333, 10**6, 33333),
            "AfMode": (0, 2, 0),
            "AeExposureMode": (0, 3, 0),
        }
        self.modes: list[dict[str, Any]] = IMX708
        self.pictures: queue.Queue[float | Exception] = queue.Queue()
        """Ages in seconds of the pictures that come, or what is raised instead."""
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.open: StandIn | None = None
        self.lent = 0
        """Requests that were not given back."""


class StandIn:
    """Signatures as in picamera2 0.3.38: test_picamera_contract.py holds them against the real ones."""

    rig: ClassVar[Rig]

    @staticmethod
    def global_camera_info() -> list[dict[str, Any]]:
        return [{"Num": number, "Model": "imx708"} for number in range(StandIn.rig.cameras)]

    def __init__(self, camera_num=0, verbose_console=None, tuning=None, allocator=None):  # type: ignore[no-untyped-def]
        self._called("__init__", camera_num)
        self.notifyme_w = os.open(os.devnull, os.O_WRONLY)
        try:
            self._said("acquire")
        except RuntimeError as error:
            raise RuntimeError("Camera __init__ sequence did not complete.") from error
        assert self.rig.open is None, "opened twice"
        self.rig.open = self
        self._waiting = self._started = False
        self._config: dict[str, Any] = {}

    def _called(self, name: str, *args: Any, **kwargs: Any) -> None:
        self.rig.calls.append((name, args, kwargs))

    def _said(self, name: str) -> None:
        if name in self.rig.says:
            raise RuntimeError(self.rig.says[name])

    @property
    def sensor_modes(self) -> list[dict[str, Any]]:
        return self.rig.modes

    @property
    def camera_controls(self) -> dict[str, Any]:
        return self.rig.controls

    def create_video_configuration(  # type: ignore[no-untyped-def]
        self,
        main={},
        lores=None,
        raw={},
        transform=None,
        colour_space=None,
        buffer_count=6,
        controls={},
        display="main",
        encode="main",
        queue=True,
        sensor={},
        use_case="video",
    ) -> dict[str, Any]:
        given = {"main": main, "buffer_count": buffer_count, "controls": controls, "sensor": sensor}
        self._called("create_video_configuration", **given)
        return given

    def configure(self, camera_config=None) -> None:  # type: ignore[no-untyped-def]
        self._called("configure", camera_config)
        self._said("configure")
        for control in camera_config["controls"]:
            if control not in self.rig.controls:
                raise RuntimeError(f"Control {control} is not advertised by libcamera")
        self._config = camera_config

    def stream_configuration(self, name="main") -> dict[str, Any]:  # type: ignore[no-untyped-def]
        self._called("stream_configuration", name)
        return self._config[name] | {"format": self.rig.delivers}

    def start(self, config=None, show_preview=False) -> None:  # type: ignore[no-untyped-def]
        self._called("start")
        self._said("start")
        assert self._config
        self._started = True

    def capture_request(self, wait=None, signal_function=None, flush=None) -> Request:  # type: ignore[no-untyped-def]
        self._called("capture_request", wait=wait)
        assert self._started
        self._waiting = True
        try:
            what = self.rig.pictures.get(timeout=wait)
        except queue.Empty:
            raise TimeoutError from None
        self._waiting = False
        if isinstance(what, Exception):
            raise what
        return Request(self.rig, what, self._config["main"]["size"])

    def cancel_all_and_flush(self) -> None:
        self._called("cancel_all_and_flush")
        self._waiting = False

    def close(self) -> None:
        self._called("close")
        assert not self._waiting, "the real one waits for the picture, for ever"
        os.close(self.notifyme_w)
        self.rig.open = None


class Request:
    """A completed request: memory that the camera wants back."""

    def __init__(self, rig: Rig, age: float, size: tuple[int, int]) -> None:
        self._rig, self._age, self._size = rig, age, size
        rig.lent += 1

    def make_array(self, name: str) -> np.ndarray[Any, Any]:
        assert name == "main"
        return np.full((self._size[1], self._size[0], 3), BLUE, np.uint8)

    def get_metadata(self) -> dict[str, Any]:
        taken = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - round(self._age * 1e9)
        return {"SensorTimestamp": taken, "ExposureTime": 8000}

    def release(self) -> None:
        self._rig.lent -= 1
