"""Boxes that really boot: Debian trixie with its own systemd in a container, several at once, without an image each.

One root file system lies below all of them (`rootfs.BOX`, built once); what a box writes goes into an overlay of its
own, which is mounted in a namespace of its own, so nothing is left when the processes are gone, however they ended.
Needs root and systemd-nspawn. The clock is the machine's and a box may not set it.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from tests.testbed import cgroups, rootfs
from tests.testbed.inside import Inside
from tests.testbed.rootfs import TestbedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.testbed.network import Network

_ENVIRONMENT: Final = (
    "/usr/bin/env",
    "-i",
    "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL=C.UTF-8",
    "HOME=/root",
)
_NAMESPACES: Final = ("-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w")
_BOOT_S: Final = 60.0
_STOP_S: Final = 30.0
_TIED: Final = Path(__file__).with_name("tied.py")
_DROPPED: Final = "CAP_SYS_TIME,CAP_SYS_MODULE,CAP_SYS_RAWIO"
"""What a box could do to the machine that it runs on."""


def why_not() -> str | None:
    """What is missing for boxes to boot here; None if nothing is."""
    if os.geteuid() != 0:
        return "boxes to boot (they need root)"
    tools = ("systemd-nspawn", "nsenter", "unshare", "ip", "mount")
    absent = [tool for tool in tools if shutil.which(tool) is None]
    if absent:
        return f"boxes to boot (not installed: {', '.join(absent)})"
    if not rootfs.is_built(rootfs.BOX):
        return "the boxes' root file system (as root: scripts/testbed build)"
    return None


class Box(Inside):
    """A machine: switched on by `start`, off by `poweroff` or, as if the plug were pulled, by `cut`.

    What was written survives all three; it goes with `remove`. Use `boot` for the usual way.
    """

    def __init__(
        self,
        name: str,
        *,
        layers: Sequence[Path] = (),
        binds: dict[str, Path] | None = None,
        network: Network | None = None,
    ) -> None:
        """`name`: host name.

        `layers`: folders laid over the root file system, the first on top; they are not written to.
        `binds`: read-only, path in the box to path of the machine.
        `network`: what joins boxes; without it a box has only its loopback.
        """
        self.name = name
        self.network = network
        self._binds = dict(binds or {})
        _remove_abandoned()
        self._scratch = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-{name}-", dir=_boxes()))
        self.log = self._scratch / "console.log"
        """What the console shows."""
        for folder in ("upper", "work", "root"):
            (self._scratch / folder).mkdir()
        self._scratch.joinpath("upper").chmod(0o755)
        self._lower = (*layers, rootfs.rootfs(rootfs.BOX))
        self._unshare: subprocess.Popen[bytes] | None = None
        self._machine = _machine(self._scratch)
        self._group = cgroups.Group(self._machine)

    # Power

    def start(self) -> Self:
        """Switch on; returns when the box has booted. TestbedError when it does not."""
        where = self._scratch
        # What is written there is not brought to the disk: it is forgotten with the box, and no cut takes it away.
        shutil.rmtree(where / "work/work/incompat", ignore_errors=True)  # says so of an earlier start
        layers = ":".join(map(str, self._lower))
        overlay = f"volatile,lowerdir={layers},upperdir={where}/upper,workdir={where}/work"
        command = [
            *(
                "systemd-nspawn",
                f"--directory={where}/root",
                f"--machine={self._machine}",
                f"--hostname={self.name}",
            ),
            *("--boot", "--register=no", "--keep-unit", "--link-journal=no", "--console=passive", "--quiet"),
            *("--private-network", "--resolv-conf=off", "--timezone=off"),
            *("--capability=all", f"--drop-capability={_DROPPED}"),
            # So that a box's systemd can limit devices and addresses, and a service read the clock.
            "--system-call-filter=bpf adjtimex clock_adjtime",
            *(f"--bind-ro={source}:{target}" for target, source in self._binds.items()),
        ]
        script = (
            f"mount -t overlay overlay -o {shlex.quote(overlay)} {where}/root && exec {shlex.join(command)}"
        )
        self._group.make()
        with self.log.open("ab") as log:
            self._unshare = subprocess.Popen(
                [sys.executable, str(_TIED), str(os.getpid()), str(self._group.path),
                 "/usr/bin/unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
                 "/bin/sh", "-c", script],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env=os.environ | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
            )  # fmt: skip
        self.wait_booted()
        if self.network is not None:
            self.network.join(self)
        return self

    def wait_booted(self) -> None:
        """Wait until systemd has started all it was going to. TestbedError where that takes too long."""
        deadline = time.monotonic() + _BOOT_S
        state = ""
        while state not in ("running", "degraded"):
            if self._unshare is None or self._unshare.poll() is not None:
                raise TestbedError(
                    f"box {self.name} did not boot:\n{self.log.read_text(errors='replace')[-2000:]}"
                )
            if time.monotonic() > deadline:
                why = self.run(
                    "systemctl list-jobs --no-pager; journalctl -b -n 30 --no-pager", check=False
                ).stdout
                raise TestbedError(f"box {self.name} is {state or 'silent'} after {_BOOT_S:.0f} s:\n{why}")
            time.sleep(0.05)
            with contextlib.suppress(
                TestbedError, subprocess.TimeoutExpired
            ):  # it is not to be asked too early
                state = self.run(["systemctl", "is-system-running"], check=False, timeout=3).stdout.strip()

    def poweroff(self) -> None:
        """Shut down in order."""
        if self._unshare is not None and self._unshare.poll() is None:
            os.kill(self.leader, signal.SIGRTMIN + 4)
            try:
                self._unshare.wait(_STOP_S)
            except subprocess.TimeoutExpired as error:
                raise TestbedError(
                    f"box {self.name} does not power off:\n{self.log.read_text()[-2000:]}"
                ) from error
        self.cut()

    def cut(self) -> None:
        """Pull the plug: every process is gone at once. What the kernel has not written to disk is not lost."""
        if self._unshare is not None:
            self._group.kill()
            self._unshare.wait()
            self._unshare = None

    def reboot(self) -> None:
        """Shut down in order and start again; asked from inside, a box would only power off."""
        self.poweroff()
        self.start()

    def remove(self) -> None:
        """Cut it off and forget what it wrote."""
        self.cut()
        self._group.remove()
        shutil.rmtree(self._scratch, ignore_errors=True)

    # Inside

    @property
    def leader(self) -> int:
        """Process id, on this machine, of the box's systemd; another one after a reboot."""
        with contextlib.suppress(OSError, ValueError, AttributeError):
            (nspawn,) = _children(self._unshare.pid)
            for child in _children(nspawn):
                if Path(f"/proc/{child}/comm").read_text() == "systemd\n":
                    return child
        raise TestbedError(f"box {self.name} is off")

    @property
    def root(self) -> Path:
        """The box's files as this machine sees them while the box runs. Absolute links lead astray here."""
        return Path(f"/proc/{self.leader}/root")

    def enter(self, *command: str) -> list[str]:
        """The command line that runs `command` inside, for subprocess, ssh's ProxyCommand or a shell."""
        where = ["nsenter", f"--target={self.leader}", *_NAMESPACES, *_ENVIRONMENT]
        return [*where, *command]

    def run(
        self,
        command: str | Sequence[str],
        *,
        check: bool = True,
        timeout: float = 60,
        stdin: str | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """See `Inside`."""
        full = self.enter(*(("/bin/sh", "-c", command) if isinstance(command, str) else command))
        given = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
        done = subprocess.run(full, capture_output=True, text=True, check=False, timeout=timeout, **given)
        if check and done.returncode:
            said = (done.stdout + done.stderr)[-3000:]
            raise TestbedError(f"in box {self.name}: {command!r} ended with {done.returncode}:\n{said}")
        return done


@contextlib.contextmanager
def boot(
    name: str,
    *layers: Path,
    binds: dict[str, Path] | None = None,
    network: Network | None = None,
) -> Iterator[Box]:
    """A box that has booted, and is gone at the end of the block; see `Box`."""
    box = Box(name, layers=layers, binds=binds, network=network)
    try:
        yield box.start()
    finally:
        box.remove()


def _children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def _boxes() -> Path:
    folder = rootfs.cache_dir() / "boxes"
    folder.mkdir(exist_ok=True)
    return folder


def _remove_abandoned() -> None:
    """What boxes wrote whose test run was killed; their processes and mounts went with it."""
    for folder in _boxes().iterdir():
        owner = folder.name.partition("-")[0]
        if owner.isdigit() and not Path("/proc", owner).exists():
            cgroups.Group(_machine(folder)).remove()
            shutil.rmtree(folder, ignore_errors=True)


def _machine(scratch: Path) -> str:
    """Name of its container and control group: no other on this machine has it."""
    return f"kinebox-{scratch.name}".replace("_", "x")
