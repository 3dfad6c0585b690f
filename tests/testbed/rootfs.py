"""A small Debian trixie in a folder: what servers and boxes run in, whatever the machine itself has installed.

Built once with debootstrap (about a minute, needs root and the machine's own Debian mirror) and kept. Adding trixie
as a package source of the machine instead would upgrade half of it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True)
class System:
    """What one folder holds."""

    name: str
    packages: tuple[str, ...]
    boots: bool = False
    """It is started like a machine, so its packages may start services there."""

    @property
    def folder(self) -> str:
        """A change of what is inside builds a new one."""
        return f"{self.name}-{hashlib.sha256(' '.join(self.packages).encode()).hexdigest()[:8]}"


SERVERS: Final = System("servers", ("postgresql-17", "postgresql-17-timescaledb", "mosquitto"))
BOX: Final = System(
    "box",
    (
        *("systemd-sysv", "dbus", "udev", "kmod", "procps", "iproute2", "socat", "ca-certificates", "sudo"),
        *("python3", "python3-apt", "openssh-server", "openssl", "nftables", "network-manager", "chrony"),
        *("cloud-init", "cryptsetup-bin", "systemd-zram-generator", "unattended-upgrades", "mosquitto"),
    ),
    boots=True,
)
"""A Raspberry Pi OS without what is particular to the Raspberry Pi; the broker is for what boxes talk to."""

_APT: Final = """\
Acquire::Languages "none";
Acquire::Retries "3";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Dpkg::Options:: "--path-exclude=/usr/share/doc/*";
Dpkg::Options:: "--path-exclude=/usr/share/man/*";
Dpkg::Options:: "--path-exclude=/usr/share/locale/*";
"""
_ON_REQUEST: Final = ("mosquitto.service", "NetworkManager.service", "unattended-upgrades.service")
_UNUSED: Final = (
    *(
        "apt-daily.timer",
        "apt-daily-upgrade.timer",
        "dpkg-db-backup.timer",
        "e2scrub_all.timer",
        "fstrim.timer",
    ),
    *("chrony-wait.service", "console-getty.service"),  # the first waits for ever without a network
)
_ADDRESS: Final = re.compile(r"\bhttps?://[^\s\"]+")


class TestbedError(RuntimeError):
    """The test bed cannot be built or started here; the message says why."""

    __test__ = False


def cache_dir() -> Path:
    """Where the folder is kept: KINEBOX_TESTBED, else the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("KINEBOX_TESTBED") or Path(base) / "kinebox" / "testbed")


def rootfs(system: System = SERVERS) -> Path:
    """The folder, whether built or not."""
    return cache_dir() / system.folder


def is_built(system: System = SERVERS) -> bool:
    """Whether the folder is complete."""
    return (rootfs(system) / ".ready").exists()


def build(system: System = SERVERS) -> Path:
    """The folder, built if it is not there. TestbedError where that is not possible."""
    if is_built(system):
        return rootfs(system)
    if os.geteuid() != 0:
        raise TestbedError("the test bed is not built, and building it needs root")
    if shutil.which("debootstrap") is None:
        raise TestbedError("debootstrap is not installed")
    cache_dir().mkdir(parents=True, exist_ok=True)
    with (cache_dir() / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs on one cache: the second waits and finds it ready
        if not is_built(system):
            with tempfile.TemporaryDirectory(prefix=".build-", dir=cache_dir()) as scratch:
                root = Path(scratch) / "root"
                _fill(root, system)
                root.rename(rootfs(system))
    return rootfs(system)


def _fill(root: Path, system: System) -> None:
    _run("debootstrap", "--variant=minbase", "trixie", str(root), _mirror())
    root.chmod(0o755)
    etc = root / "etc"
    for name in ("resolv.conf", "hosts"):
        (etc / name).write_bytes((Path("/etc") / name).read_bytes())
    (etc / "apt/apt.conf.d/99testbed").write_text(_APT)
    # What this machine needs to reach its mirror (proxy, certificates, dated archive); removed again below.
    host = etc / "apt/apt.conf.d/98host"
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    host.write_text("\n".join(re.findall(r"^Acquire::(?:https?::|Check-).*$", dump, re.MULTILINE)) + "\n")
    # No cluster made at installation, no service started by a package here.
    (etc / "postgresql-common").mkdir(exist_ok=True)
    (etc / "postgresql-common/createcluster.conf").write_text("create_main_cluster = false\n")
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    for arguments in (("update",), ("install", "--yes", *system.packages), ("clean",)):
        _run("chroot", str(root), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet", *arguments)
    host.unlink()
    if system.boots:
        _prepare_to_boot(root)
    (etc / "apt/sources.list").write_text("")
    for folder in ("var/lib/apt/lists", "etc/apt/sources.list.d"):
        shutil.rmtree(root / folder, ignore_errors=True)
    (root / "srv").mkdir(exist_ok=True)
    (root / ".ready").write_text(" ".join(system.packages))


def _prepare_to_boot(root: Path) -> None:
    """Every box is a machine of its own, whose services start unless nothing here needs them."""
    (root / "usr/sbin/policy-rc.d").unlink()
    (root / "etc/machine-id").write_text("")  # made at boot; "uninitialized" would enable every service, too
    (root / "etc/hostname").unlink(missing_ok=True)  # each box is told its own
    shutil.rmtree(root / "etc/postgresql-common")
    (root / "etc/cloud/cloud-init.disabled").touch()
    _run("systemctl", f"--root={root}", "disable", *_ON_REQUEST)
    _run("systemctl", f"--root={root}", "mask", *_UNUSED)


def _mirror() -> str:
    """The first archive of this machine's own package sources."""
    if chosen := os.environ.get("KINEBOX_TESTBED_MIRROR"):
        return chosen
    lists = Path("/etc/apt/sources.list.d")
    for path in (
        *sorted(lists.glob("*.sources")),
        Path("/etc/apt/sources.list"),
        *sorted(lists.glob("*.list")),
    ):
        if not path.exists():
            continue
        for found in re.findall(
            r"^(?:URIs:|deb(?:\s+\[[^\]]*\])?)\s*(https?://\S+)", path.read_text(), re.MULTILINE
        ):
            if re.search(r"/debian/?$", found):
                return str(found)
    raise TestbedError("no Debian archive among this machine's package sources (set KINEBOX_TESTBED_MIRROR)")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-5:])
        raise TestbedError(f"{command[0]} failed:\n{_ADDRESS.sub('<archive>', tail)}")
