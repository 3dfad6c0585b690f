"""The disk of a machine: Debian trixie with its own kernel, and Kinebox installed in it as a signed release."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.testbed import rootfs, software
from tests.testbed.rootfs import TestbedError

ROOT: Final = software.ROOT
CACHE: Final = ROOT / ".cache" / "vm"
SYSTEM: Final = rootfs.System(
    "machine",
    (
        *rootfs.BOX.packages,
        *("linux-image-amd64", "initramfs-tools", "qemu-guest-agent", "e2fsprogs", "systemd-cryptsetup"),
        "v4l-utils",
        *("libtss2-esys-3.0.2-0t64", "libtss2-rc0t64", "libtss2-mu-4.0.1-0t64", "libtss2-tcti-device0t64"),
    ),
    boots=True,
)
"""The boxes' system with what a container has from its host, or has not at all."""

TOOLS: Final = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "swtpm": "swtpm",
    "mke2fs": "e2fsprogs",
    "ssh": "openssh-client",
    "debootstrap": "debootstrap",
}
_SIZE: Final = "6G"
_UNUSED_S: Final = 3600
_OVERLAY: Final = ROOT / "firmware-config" / "shared" / "etc"
_FILES: Final = Path(__file__).parent / "files"
_FINISH: Final = """\
set -eu
cp -r /mnt/overlay/. /etc/
cp -r /mnt/files/. /
echo machine >/etc/hostname
echo '127.0.1.1 machine' >>/etc/hosts
: >/etc/resolv.conf
chmod 600 /etc/NetworkManager/system-connections/*
mkdir -p /etc/nftables.d
useradd --create-home --shell /bin/bash --groups sudo kinebox-admin
echo 'kinebox-admin ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/90-cloud-init-users
install -d -m 0700 -o kinebox-admin -g kinebox-admin /home/kinebox-admin/.ssh
install -m 0600 -o kinebox-admin -g kinebox-admin /mnt/key.pub /home/kinebox-admin/.ssh/authorized_keys
systemctl enable --quiet NetworkManager.service
# Nothing is new: rebuilding the hardware database alone would take the first boot a minute.
touch /etc/.updated /var/.updated
"""
"""What provisioning and a first boot have done before the tests look."""


@dataclass(frozen=True)
class Image:
    """Files of one build; none is written to."""

    folder: Path

    @property
    def disk(self) -> Path:
        return self.folder / "disk.ext4"

    @property
    def kernel(self) -> Path:
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        return self.folder / "initrd"

    @property
    def key(self) -> Path:
        """That opens the administrator's account."""
        return self.folder / "key"


def why_not() -> str | None:
    """What is missing for a machine; None if nothing is."""
    if os.geteuid() != 0:
        return "a virtual machine (its disk is made as root)"
    packages = [package for tool, package in TOOLS.items() if shutil.which(tool) is None]
    if packages:
        return f"a virtual machine (scripts/vm prepare, or apt install {' '.join(packages)})"
    return None


def prepared() -> Image:
    """The newest state of this checkout as a disk, made where it is not there. TestbedError where it cannot be."""
    if (absent := why_not()) is not None:
        raise TestbedError(f"missing: {absent}")
    system = rootfs.build(SYSTEM)
    rootfs.build(rootfs.BOX)  # a release is installed on it
    _, layer = software.installed()
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        image = Image(CACHE / _digest(layer))
        if not image.folder.exists():
            for old in CACHE.iterdir():
                if old.is_dir() and time.time() - old.stat().st_mtime > _UNUSED_S:
                    shutil.rmtree(old)
            with tempfile.TemporaryDirectory(prefix=".build-", dir=CACHE) as scratch:
                made = Image(Path(scratch) / "made")
                made.folder.mkdir()
                _make(made, system, layer)
                made.folder.rename(image.folder)
        os.utime(image.folder)
    return image


def _make(image: Image, system: Path, layer: Path) -> None:
    _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "tests", "-f", str(image.key))
    kernel = next((system / "boot").glob("vmlinuz-*"))
    release = kernel.name.partition("-")[2]
    shutil.copy(kernel, image.kernel)
    shutil.copy(system / "boot" / f"initrd.img-{release}", image.initrd)
    work = image.folder.parent
    for name in ("upper", "work", "root", "mnt"):
        (work / name).mkdir()
    (work / "upper").chmod(0o755)
    root = f"{work}/root"
    binds = {_OVERLAY: "overlay", _FILES: "files"}
    steps = [
        f"mount -t overlay overlay -o lowerdir={layer}:{system},upperdir={work}/upper,workdir={work}/work {root}",
        f"mount -t tmpfs tmpfs {root}/mnt",
        *(
            f"mkdir {root}/mnt/{name}; mount --bind {source} {root}/mnt/{name}"
            for source, name in binds.items()
        ),
        f"cp {image.key}.pub {root}/mnt/key.pub",
        f"chroot {root} /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin /bin/sh",
        f"umount --recursive {root}/mnt",
        f"mke2fs -q -t ext4 -L kinebox -d {root} {image.disk} {_SIZE}",
    ]
    _run(
        "unshare", "--mount", "--propagation=private", "/bin/sh", "-ec", "\n".join(steps),
        given=software.SETTLE + _FINISH,
    )  # fmt: skip


def _digest(layer: Path) -> str:
    """Of everything that goes in."""
    digest = hashlib.sha256(f"{SYSTEM.folder}\n{layer.parent.name}\n{_FINISH}{_SIZE}".encode())
    for folder in (_OVERLAY, _FILES):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _run(*command: str, given: str | None = None) -> None:
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TestbedError(f"{command[0]} failed:\n{(done.stdout + done.stderr)[-3000:]}")
