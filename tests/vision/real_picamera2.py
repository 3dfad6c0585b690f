"""What the real picamera2 makes of our use of it, as JSON. What it stands on (libcamera, the kernel) is imitated.

`real_picamera2.py FOLDER`: picamera2 lies in FOLDER.
"""

from __future__ import annotations

import gc
import importlib.abc
import importlib.machinery
import inspect
import json
import sys
import threading
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

IMITATED = {
    "libcamera",
    "videodev2",
    "prctl",
    "pidng",
    "piexif",
    "simplejpeg",
    "av",
    "libarchive",
    "kms",
    "pykms",
    "tqdm",
    "OpenEXR",
    "PIL",
    "jsonschema",
}


class Imitations(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Modules of which everything exists and does nothing."""

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        """Every module in the packages that are imitated."""
        if name.partition(".")[0] not in IMITATED:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """One that has everything."""
        module = MagicMock(name=spec.name)
        module.__path__ = []
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing."""


class ColourSpace:
    """Of libcamera: picamera2 asks for its type."""

    Rec709 = Smpte170m = Sycc = Raw = classmethod(lambda cls: cls())


class Transform:
    """Of libcamera: picamera2 asks for its type."""

    def __init__(self, **_: int) -> None: ...


def main() -> None:
    """Look at one thing after the other."""
    sys.meta_path.insert(0, Imitations())
    sys.path.insert(0, sys.argv[1])
    import libcamera

    libcamera.ColorSpace = libcamera._libcamera.ColorSpace = ColourSpace
    libcamera.Transform = libcamera._libcamera.Transform = Transform
    libcamera.CameraManager.singleton.return_value = SimpleNamespace(cameras=[])
    import picamera2

    real = picamera2.Picamera2
    print(
        json.dumps(
            {
                "signatures": signatures(real) | {"CompletedRequest": signatures(picamera2.CompletedRequest)},
                "configuration": configuration(real),
                "silence": silence(real),
                "opened_without_camera": str(open_it(real)),
                "busy": busy(real, libcamera),
            }
        )
    )


def signatures(kind: type) -> dict[str, Any]:
    """Names and kinds of the parameters of each method, and which of them may be left out."""
    return {
        name: [
            [parameter.name, parameter.kind.name, parameter.default is not parameter.empty]
            for parameter in inspect.signature(getattr(kind, name)).parameters.values()
        ]
        if callable(getattr(kind, name))
        else "property"
        for name in dir(kind)
        if not name.startswith("_") or name == "__init__"
    }


def bare(real: Any) -> Any:
    """An object without a camera."""
    camera = real.__new__(real)
    camera.camera, camera.is_open, camera._preview = object(), False, None
    camera.camera_properties_ = {"ColorFilterArrangement": 0}
    camera.sensor_format = "SRGGB10_CSI2P"
    camera.camera_ctrl_info = {}
    camera.lock, camera._job_list, camera.completed_requests = threading.Lock(), [], []
    return camera


def configuration(real: Any) -> dict[str, Any]:
    """What becomes of the configuration we ask for; the real checks raise where they do not like it."""
    from edge.vision import picamera
    from tests.vision.csi import Rig, StandIn

    StandIn.rig = rig = Rig()
    rig.pictures.put(0.0)
    camera = picamera.open_csi("csi", StandIn)
    assert camera is not None
    camera.read()
    camera.release()
    (asked,) = [kwargs for name, _, kwargs in rig.calls if name == "create_video_configuration"]
    made = bare(real).create_video_configuration(**asked)
    bare(real).check_camera_config(made)
    for name, args, kwargs in rig.calls:
        inspect.signature(getattr(real, name)).bind(
            *([object()] * (name != "global_camera_info")), *args, **kwargs
        )
    return {key: made[key] for key in ("main", "sensor", "buffer_count")} | {
        "calls": sorted({name for name, _, _ in rig.calls})
    }


def silence(real: Any) -> dict[str, Any]:
    """A picture is waited for that does not come, and then the camera is closed."""
    from edge.vision import picamera

    camera = bare(real)
    began = time.monotonic()
    raised = ""
    try:
        camera.capture_request(wait=0.2)
    except TimeoutError as error:
        raised = type(error).__name__
    waited, waiting = time.monotonic() - began, len(camera._job_list)
    picamera._close(camera)
    return {"raised": raised, "waited": waited, "jobs": waiting, "jobs_closed": len(camera._job_list)}


def open_it(real: Any) -> str:
    """What our opener says."""
    from edge.vision import device, picamera

    try:
        return repr(picamera.open_csi("csi", real))
    except device.Unavailable as why:
        return why.code


def refuse() -> None:
    """As libcamera does; an error of its own each time, for errors hold on to what raised them."""
    raise RuntimeError("Device or resource busy")


def busy(real: Any, libcamera: Any) -> dict[str, Any]:
    """There is a camera, and another program has it: five attempts."""
    taken = MagicMock()
    taken.acquire.side_effect = refuse
    taken.properties = {}
    taken.controls, taken.id = {}, "/base/soc/i2c0mux/i2c@1/imx708@1a"
    raw = SimpleNamespace(
        pixel_formats=["SRGGB10_CSI2P"], sizes=lambda _: [SimpleNamespace(width=2304, height=1296)]
    )
    taken.generate_configuration.return_value.at.return_value.formats = raw
    real._cm._cms = SimpleNamespace(cameras=[taken])
    said = open_it(real)
    gc.collect()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        open_it(real)
    gc.collect()
    return {
        "said": said,
        "leaked": len(list(Path("/proc/self/fd").iterdir())) - before,
        "acquired": taken.acquire.call_count,
    }


if __name__ == "__main__":
    main()
