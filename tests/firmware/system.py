"""A box's system with firmware-config laid over it, for the validators that come with it.

Debian trixie with the packages that read these files. Nothing of it runs or stays: each command sees the system
through an overlay in a mount namespace of its own, without a network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

from tests.testbed import rootfs

if TYPE_CHECKING:
    from pathlib import Path

_ENTER: Final = """\
set -eu
scratch=$1 lower=$2
mount -t tmpfs none "$scratch"
mkdir "$scratch/upper" "$scratch/work" "$scratch/root"
cp -a "$3/." "$scratch/upper"
mount -t overlay none -o "lowerdir=$lower,upperdir=$scratch/upper,workdir=$scratch/work" "$scratch/root"
mount -t proc none "$scratch/root/proc"
mount -t tmpfs none "$scratch/root/run"
mkdir "$scratch/root/run/sshd"
shift 3
exec chroot "$scratch/root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin LC_ALL=C.UTF-8 "$@"
"""


def why_not() -> str | None:
    """What is missing for this; None if nothing is."""
    if os.geteuid() != 0:
        return "the firmware's validators (they need root)"
    if shutil.which("unshare") is None:
        return "unshare"
    if not rootfs.is_built(rootfs.BOX):
        return "the boxes' root file system (as root: scripts/testbed build)"
    return None


class System:
    """What one folder lays over the system; files can be added until a command is run."""

    def __init__(self, folder: Path) -> None:
        self.files = folder / "files"
        self.files.mkdir(parents=True)
        self._scratch = folder / "scratch"
        self._scratch.mkdir()

    def lay(self, source: Path, below: str = "/") -> None:
        """Copy a folder over the system."""
        shutil.copytree(source, self.files / below.lstrip("/"), dirs_exist_ok=True, symlinks=True)

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Put one file there."""
        target = self.files / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)

    def read(self, path: str) -> str:
        """One of the files that were put there."""
        return (self.files / path.lstrip("/")).read_text()

    def run(self, *command: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command in it; what it changes is gone afterwards."""
        return subprocess.run(
            [
                *("unshare", "--mount", "--net", "--pid", "--fork", "--uts", "sh", "-c", _ENTER, "enter"),
                *(str(self._scratch), str(rootfs.rootfs(rootfs.BOX)), str(self.files)),
                *command,
            ],
            input=given if given is not None else "",
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
