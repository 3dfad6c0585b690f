"""A running RTSP server."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.conftest import missing

if TYPE_CHECKING:
    from edge.vision.device import DeviceCamera

_PYTHON = "/usr/bin/python3"
"""Debian's: the bindings of its GStreamer are its own packages."""
_SCRIPT = Path(__file__).with_name("rtsp_server.py")


@cache
def installed() -> bool:
    """Whether this machine can serve."""
    probe = (
        "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst, GstRtspServer; "
        "Gst.init(None); assert all(map(Gst.ElementFactory.find, ['x264enc', 'rtph264pay', 'vp9dec']))"
    )
    return (
        Path(_PYTHON).exists()
        and subprocess.run([_PYTHON, "-c", probe], capture_output=True, check=False).returncode == 0
    )


class RtspServer:
    """`rtsp_server.py`, killed in the end."""

    def __init__(
        self, login: str = "", clip: Path | str = "", port: int = 0, size: tuple[int, int] = (320, 240)
    ) -> None:
        if not installed():
            missing("GStreamer's RTSP server (scripts/install-test-tools)")
        self.process = subprocess.Popen(
            [_PYTHON, str(_SCRIPT), login, str(clip), str(port), *map(str, size)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self.address = f"rtsp://127.0.0.1:{self.port}/camera"

    def tell(self, *words: object) -> None:
        """Say what to do."""
        assert self.process.stdin is not None
        print(*words, file=self.process.stdin, flush=True)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.kill()


class Watcher:
    """What a camera delivers, from its own stream: every state that is news, and the newest picture."""

    def __init__(self, camera: DeviceCamera) -> None:
        self.camera = camera
        self._stream = camera.stream()

    def state(self, *wanted: str) -> str:
        """Go on until the camera's state or its detail is one of `wanted`."""
        from edge.link import CameraState

        for item in self._stream:
            if isinstance(item, CameraState):
                for word in (item.state, item.detail):
                    if word in wanted:
                        return word
        raise AssertionError("the stream has ended")

    def pictures(self, count: int) -> list[Any]:
        """The next `count` pictures."""
        from edge.vision.pictures import Picture

        found: list[Any] = []
        for item in self._stream:
            if isinstance(item, Picture):
                found.append(item)
                if len(found) == count:
                    return found
        raise AssertionError("the stream has ended")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.camera.close()
        for _item in self._stream:
            pass
