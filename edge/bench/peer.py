"""MediaPipe in a virtual environment of its own: the pipeline that ours is measured against."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import platformdirs

from edge.errors import KineboxError

LOCK = Path(__file__).resolve().parents[2] / "requirements" / "peer.txt"
_NEWEST_PYTHON = (3, 12)


class PeerUnavailable(KineboxError):  # noqa: N818 - not an error of ours: the measurement goes on without it
    """MediaPipe cannot be installed or started on this machine."""


def peer_python() -> Path:
    """Python of an environment with MediaPipe, made at the first call and kept in the cache folder.

    Raises PeerUnavailable where there is no such thing: MediaPipe's last wheel with pose models is for x86-64
    and Python up to 3.12.
    """
    if platform.machine() != "x86_64" or sys.platform != "linux":
        raise PeerUnavailable("MediaPipe's pinned wheel is for Linux on x86-64 only")
    if not LOCK.is_file():
        raise PeerUnavailable(f"{LOCK} is missing", "Run this from a checkout of the project.")
    lock = LOCK.read_bytes()
    folder = platformdirs.user_cache_path("kinebox") / f"peer-{hashlib.sha256(lock).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    complete = folder / "complete"
    if not complete.exists():
        install = ["install", "--quiet", "--no-deps", "--require-hashes", "-r", str(LOCK)]
        try:
            shutil.rmtree(folder, ignore_errors=True)
            _run([_base_python(), "-m", "venv", str(folder)])
            _run([str(python), "-m", "pip", *install])
            _run([str(python), "-c", "import mediapipe; mediapipe.solutions.pose.Pose"])
            complete.touch()
        except OSError as error:
            raise PeerUnavailable(f"no environment for MediaPipe in {folder}: {error}") from error
    return python


def _base_python() -> str:
    """A Python that MediaPipe has a wheel for."""
    if sys.version_info[:2] <= _NEWEST_PYTHON:
        return sys.executable
    for name in ("python3.12", "python3.11"):
        if found := shutil.which(name):
            return found
    raise PeerUnavailable("MediaPipe's pinned wheel needs Python 3.12 or older", "Install python3.12.")


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise PeerUnavailable(f"MediaPipe could not be installed: {reason[-1]}", "Check the network.")
