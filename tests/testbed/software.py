"""Kinebox as a box has it: a signed release of this checkout, made and installed once, as layers for `box.boot`.

Kept in the cache until the sources change.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.testbed import rootfs
from tests.testbed.rootfs import TestbedError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[2]
PYTHON: Final = "3.13"
"""Debian trixie's."""
_SOURCES: Final = ("edge", "models", "wire", "systemd", "scripts", "requirements/run.txt", "pyproject.toml")
_NOT_SOURCES: Final = {"__pycache__", "node_modules", "static"}
_UNUSED_S: Final = 3600
SETTLE: Final = """\
set -eu
cd /opt/kinebox/current/systemd
ln -s "$PWD"/kinebox* /etc/systemd/system/
mkdir -p /etc/sysusers.d /etc/tmpfiles.d
ln -s "$PWD"/sysusers.d/*.conf /etc/sysusers.d/
ln -s "$PWD"/tmpfiles.d/*.conf /etc/tmpfiles.d/
systemd-sysusers
systemd-tmpfiles --create --exclude-prefix=/run --exclude-prefix=/dev 2>/dev/null || :
systemctl enable --quiet kinebox.target
"""
"""What provisioning does on a real box, before its first start."""


def installed() -> tuple[Path, ...]:
    """Layers of a box that starts Kinebox when it boots. TestbedError where the release cannot be made.

    The camera is `/dev/video0`, which no box has: say otherwise in /etc/kinebox/kinebox.env.
    """
    folder = rootfs.cache_dir() / "software"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = folder / _digest()
        if not kept.exists():
            for old in folder.iterdir():
                if old.is_dir() and time.time() - old.stat().st_mtime > _UNUSED_S:
                    shutil.rmtree(old)
            with tempfile.TemporaryDirectory(prefix=".build-", dir=folder) as scratch:
                made = Path(scratch) / "made"
                _make(made)
                made.rename(kept)
        os.utime(kept)
    return kept / "settings", kept / "software"


def signing_key() -> Path:
    """The private key whose releases these boxes trust, for making further ones."""
    return installed()[0].parent / "key.pem"


def _make(folder: Path) -> None:
    opt = folder / "software/opt/kinebox"
    keys = folder / "software/etc/kinebox/update-keys"
    keys.mkdir(parents=True)
    _run(sys.executable, "-m", "edge.cli", "update", "new-key", str(folder / "key.pem"))
    shutil.copy(folder / "key.pub", keys / "test.pub")
    release = (str(ROOT / "scripts/build-release"), "--sign", str(folder / "key.pem"), "--python", PYTHON)
    for place, more in ((opt, ()), (opt / "models", ("--models",))):
        _run(*release, str(place / "releases"), "--version", "test-1", "--serial", "1", *more)
        for link in ("current", "previous"):
            (place / link).symlink_to("releases/test-1")
    settings, work, root = (folder / name for name in ("settings", "work", "root"))
    for made in (settings, work, root):
        made.mkdir()
    settings.chmod(0o755)
    lower = f"{folder}/software:{rootfs.rootfs(rootfs.BOX)}"
    mount = f"mount -t overlay overlay -o lowerdir={lower},upperdir={settings},workdir={work} {root}"
    inside = f"chroot {root} /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin /bin/sh"
    _run(
        "unshare",
        "--mount",
        "--propagation=private",
        "/bin/sh",
        "-ec",
        f"{mount}; exec {inside}",
        given=SETTLE,
    )
    shutil.rmtree(work)
    root.rmdir()


def _digest() -> str:
    """Of everything that goes into a release, and of what it is installed on."""
    digest = hashlib.sha256(f"{rootfs.BOX.folder}\n{SETTLE}".encode())
    for path in _files():
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _files() -> Iterator[Path]:
    for source in _SOURCES:
        top = ROOT / source
        found = sorted(top.rglob("*")) if top.is_dir() else [top]
        yield from (one for one in found if one.is_file() and _NOT_SOURCES.isdisjoint(one.parts))


def _run(*command: str, given: str | None = None) -> None:
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise TestbedError(f"{Path(command[0]).name} failed:\n{(done.stdout + done.stderr)[-3000:]}")
