"""The camera that the box is told to use, looked at by `kinebox doctor` while nothing else uses it."""

from __future__ import annotations

import importlib
import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from edge.cli_camera import resolve
from edge.device.doctor_box import settings
from edge.device.doctor_finding import Finding
from edge.errors import CameraError
from edge.trouble import BY_CODE, Sign, words
from edge.trouble_signs import of_mode
from edge.vision.address import is_address, login, parse
from edge.vision.device import Unavailable, open_v4l2
from edge.vision.picamera import is_csi
from edge.vision.view import look, small

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.vision.device import Grabber

_CONNECT_S = 3.0
_WARM_S, _LOOK_S = 0.7, 1.5
"""Cameras set themselves to the light at first; then so long is looked."""
_WANTED_FPS = 30.0


class Sight(NamedTuple):
    """What a camera delivered."""

    fps: float
    mode: str
    brightness: float
    noise: float


def examine_camera(running: bool) -> list[Finding]:
    """The camera of the settings; `running`: the box has it, and has said how it is."""
    what = settings().get("KINEBOX_CAMERA") or "0"
    if is_address(what):
        return _address(what)
    if is_csi(what):
        return _csi(what, running)
    if what.isdigit() or what.startswith("/dev/"):
        return _v4l2(f"/dev/video{what}" if what.isdigit() else what, running)
    path = Path(what).expanduser()
    if path.is_file():
        return [Finding("camera", "ok", f"the recording {path.name}")]
    return [Finding("camera", "failed", f"{path} is not there", "Correct KINEBOX_CAMERA.")]


def _v4l2(device: str, running: bool) -> list[Finding]:
    if not Path(device).exists():
        others = ", ".join(map(str, sorted(Path("/dev").glob("video*"))))
        remedy = (
            f"Plug in a camera, or set KINEBOX_CAMERA to one of {others}." if others else "Plug in a camera."
        )
        return [Finding("camera", "warning", f"there is no {device}", f"{remedy} Files work without one.")]
    if not os.access(device, os.R_OK | os.W_OK):
        return [
            Finding(
                "camera",
                "failed",
                f"{device} may not be opened by this user",
                "Add the user to the group `video`.",
            )
        ]
    if running:
        return [Finding("camera", "ok", f"{device}, in use")]
    return look_through(device, lambda: open_v4l2(device))


def look_through(device: str, opener: Callable[[], Grabber | None]) -> list[Finding]:
    """Open the camera, look for two seconds, and say what would trouble the box."""
    try:
        camera = opener()
        if camera is None:
            return [
                Finding("camera", "failed", f"{device} is not a camera, or another program has it", _SHOW)
            ]
        try:
            sight = _sight(camera)
        finally:
            camera.release()
    except Unavailable as why:
        return [
            Finding("camera", "failed", f"{device}: {why.code}", "docs/cameras.md says what each code means.")
        ]
    if sight is None:
        return [
            Finding(
                "camera", "failed", f"{device} opens and delivers no pictures", "Plug it out and in again."
            )
        ]
    found = f"{device}, {sight.mode or 'mode not known'}, {sight.fps:.0f} pictures a second"
    findings = [
        Finding("camera", "ok", f"{found}, brightness {sight.brightness:.0f}, noise {sight.noise:.1f}")
    ]
    signs = {
        "dark": Sign(sight.brightness),
        "noisy": Sign(sight.noise),
        "few_pictures": Sign(sight.fps / _WANTED_FPS, f"{sight.fps:.0f}"),
        "wrong_mode": of_mode(sight.mode),
    }
    for code, sign in signs.items():
        kind = BY_CODE[code]
        if sign is not None and kind.wrong(sign):
            findings.append(Finding(code, "warning", words(kind, sign), kind.remedy))
    return findings


_SHOW = "`fuser -v /dev/video*` shows who has it."


def _sight(camera: Grabber) -> Sight | None:
    began = time.monotonic()
    pictures, first, before, seen = 0, 0.0, None, None
    while (now := time.monotonic()) - began < _WARM_S + _LOOK_S:
        shot = camera.read()
        if shot is None:
            time.sleep(0.01)
            continue
        if now - began < _WARM_S:
            continue
        first = first or now
        pictures += 1
        grey = small(shot[0])  # type: ignore[arg-type]
        seen = look(grey if before is None else before, grey)
        before = grey
    if seen is None:
        return None
    rate = (pictures - 1) / max(time.monotonic() - first, 1e-3)
    return Sight(rate, getattr(camera, "mode", ""), seen.brightness, seen.noise)


def _csi(what: str, running: bool) -> list[Finding]:
    try:
        cameras = importlib.import_module("picamera2").Picamera2.global_camera_info()
    except Exception as error:
        return [
            Finding(
                "camera",
                "failed",
                f"{what} needs picamera2, which cannot be loaded: {type(error).__name__}",
                "sudo apt install python3-picamera2, and run Kinebox with the system's Python (docs/cameras.md).",
            )
        ]
    number = int(what.partition(":")[2] or 0)
    if number >= len(cameras):
        return [
            Finding(
                "camera",
                "failed",
                f"{what} is not there: {len(cameras)} camera(s) on the ribbon",
                "Switch the board off, see to the cable; `rpicam-hello --list-cameras` lists what is found.",
            )
        ]
    return [
        Finding("camera", "ok", f"{what}: {cameras[number].get('Model', 'a camera')}{', in use' * running}")
    ]


def _address(what: str) -> list[Finding]:
    """Nothing of the path or the login is shown: both may be secrets."""
    try:
        address = parse(what)
        login()
        host = resolve(address)
    except CameraError as error:
        return [Finding("camera", "failed", str(error), error.remedy)]
    with suppress(OSError), socket.create_connection((str(host), address.port), _CONNECT_S):
        return [
            Finding(
                "camera", "ok", f"{address} answers; its pictures come over the network (docs/cameras.md)"
            )
        ]
    return [
        Finding(
            "camera",
            "failed",
            f"{address} does not answer",
            "Is it on, in this network, and RTSP switched on in it? The firewall lets vision reach one address only.",
        )
    ]
