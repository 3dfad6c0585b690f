"""The names that our udev rules give to cameras are cameras for Kinebox, also while nothing is plugged in."""

from __future__ import annotations

import re

from edge.vision.device import DeviceCamera
from edge.vision.source import live_camera
from tests.firmware.places import SHARED


def test_they_are_devices_and_no_files() -> None:
    rules = (SHARED / "udev/rules.d/70-kinebox-camera.rules").read_text()
    names = re.findall(r'SYMLINK\+="([^"]+)"', rules)
    assert len(names) == 4
    for name in names:
        camera = live_camera("/dev/" + re.sub(r"\$env\{\w+\}", "046d_C920", name))
        assert isinstance(camera, DeviceCamera), name
