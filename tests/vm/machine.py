"""A virtual machine: a computer with Debian's own kernel, its disks, and a plug that can be pulled."""

from __future__ import annotations

import base64
import contextlib
import os
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from tests.testbed.inside import Inside
from tests.testbed.rootfs import TestbedError
from tests.vm.agent import Agent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.vm.image import Image

BOOT_S: Final = 1200.0
STOP_S: Final = 300.0
_MEMORY_MB: Final = 2048
_KERNEL: Final = (
    "root=/dev/vda rw rootflags=noatime,commit=60 console=ttyS0 panic=10 quiet mitigations=off "
    "systemd.default_timeout_start_sec=900 systemd.default_device_timeout_sec=900"
)
_TIED: Final = ("setpriv", "--pdeathsig", "KILL", "nice", "-n", "10")
"""It ends with the tests, however these end, and leaves the processor to others."""


class Machine(Inside):
    """Switched on by `start`, off by `poweroff` or, as if the plug were pulled, by `cut`.

    What was written to its disks survives all three; it goes with `remove`. Use `running` for the usual way.
    """

    def __init__(self, image: Image, *, disks: Sequence[int] = (), tpm: bool = False) -> None:
        """`disks`: sizes in bytes of further, empty disks (/dev/vdb and so on).

        `tpm`: it has a TPM 2 of its own, which `other_tpm` replaces.
        """
        self.image = image
        self.folder = Path(tempfile.mkdtemp(prefix="kinebox-vm-"))
        self.console = self.folder / "console.log"
        """What a serial cable shows."""
        self.ssh_port = _free_port()
        """Where 127.0.0.1 leads to its port 22."""
        self._tpm = tpm
        self._agent: Agent | None = None
        self._qemu: subprocess.Popen[bytes] | None = None
        self._swtpm: subprocess.Popen[bytes] | None = None
        self._disks = [("qcow2", self.folder / "system.qcow2")]
        backing = ("-b", str(image.disk.resolve()), "-F", "raw")
        _run("qemu-img", "create", "-q", "-f", "qcow2", *backing, str(self._disks[0][1]))
        for number, size in enumerate(disks):
            disk = self.folder / f"disk-{number}.raw"
            disk.touch()
            os.truncate(disk, size)
            self._disks.append(("raw", disk))

    # Power

    def start(self, more: str = "") -> Self:
        """Switch on until it has booted; `more`: for the kernel's command line. TestbedError if it does not."""
        if self._tpm:
            self._start_tpm()
        with (self.folder / "qemu.log").open("ab") as log:
            self._qemu = subprocess.Popen(
                [*_TIED, *self._command(more)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.wait_booted()
        return self

    def wait_booted(self) -> None:
        """Wait until systemd has started all it was going to. TestbedError where that takes too long."""
        deadline = time.monotonic() + BOOT_S
        state = ""
        while state not in ("running", "degraded"):
            if self._qemu is None or self._qemu.poll() is not None:
                raise TestbedError(f"the machine has ended:\n{self._last_words()}")
            if time.monotonic() > deadline:
                raise TestbedError(
                    f"the machine is {state or 'silent'} after {BOOT_S:.0f} s:\n{self._last_words()}"
                )
            time.sleep(0.5)
            with contextlib.suppress(TestbedError, OSError, subprocess.TimeoutExpired):
                state = self.run(["systemctl", "is-system-running"], check=False).stdout.strip()

    def poweroff(self) -> None:
        """Shut down in order."""
        self._connected().tell("guest-shutdown")
        try:
            assert self._qemu is not None
            self._qemu.wait(STOP_S)
        except subprocess.TimeoutExpired as error:
            raise TestbedError(f"the machine does not power off:\n{self._last_words()}") from error
        self.cut()

    def cut(self) -> None:
        """Pull the plug: what the machine has not brought to its disks is lost."""
        self._forget_agent()
        if self._qemu is not None:
            self._qemu.kill()
            self._qemu.wait()
            self._qemu = None
        if self._swtpm is not None:  # ends when QEMU lets go of it; has nothing to save where that never came
            self._swtpm.terminate()
            self._swtpm.wait()
            self._swtpm = None

    def reboot(self) -> None:
        """Shut down in order and switch on again."""
        self.poweroff()
        self.start()

    def remove(self) -> None:
        """Cut it off and forget what it wrote."""
        self.cut()
        shutil.rmtree(self.folder, ignore_errors=True)

    def other_tpm(self) -> None:
        """Put the disks into another board; the machine is off."""
        shutil.rmtree(self.folder / "tpm")

    # Inside

    def run(
        self,
        command: str | Sequence[str],
        *,
        check: bool = True,
        timeout: float = 300,
        stdin: str | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """See `Inside`."""
        full = ["/bin/sh", "-c", command] if isinstance(command, str) else ["/usr/bin/env", *command]
        try:
            done = self._connected().execute(full, stdin or "", timeout)
        except (TestbedError, OSError):
            self._forget_agent()
            raise
        if check and done.returncode:
            said = (done.stdout + done.stderr)[-3000:]
            raise TestbedError(f"in the machine: {command!r} ended with {done.returncode}:\n{said}")
        return done

    def copy(self, file: Path, path: str) -> None:
        """Bring a file in, for everybody to read."""
        text = base64.b64encode(file.read_bytes()).decode()
        self.run(f"base64 -d >{shlex.quote(path)} && chmod 644 {shlex.quote(path)}", stdin=text)

    def ssh(self, command: str, seconds: int = 60) -> subprocess.CompletedProcess[str]:
        """Run a line of shell as an administrator who comes over the network; 255 where ssh gets no answer."""
        return subprocess.run(
            ["ssh", *self.ssh_options(seconds), "-p", str(self.ssh_port), "kinebox-admin@127.0.0.1", command],
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=seconds + 120,
        )  # fmt: skip

    def ssh_options(self, seconds: int = 60) -> list[str]:
        """Of the ssh that gets in."""
        options = (
            *("BatchMode=yes", "StrictHostKeyChecking=accept-new", f"ConnectTimeout={seconds}"),
            *("ServerAliveInterval=10", f"UserKnownHostsFile={self.folder / 'known_hosts'}"),
        )
        return ["-i", str(self.image.key), *(word for option in options for word in ("-o", option))]

    def _connected(self) -> Agent:
        if self._agent is None:
            self._agent = Agent(self.folder / "agent")
        return self._agent

    def _forget_agent(self) -> None:
        if self._agent is not None:
            self._agent.close()
            self._agent = None

    def _last_words(self) -> str:
        logs = (self.folder / "qemu.log", self.console)
        return "\n".join(log.read_text(errors="replace")[-2000:] for log in logs if log.exists())

    # Built of

    def _command(self, more: str) -> list[str]:
        drives = [
            word
            for number, (kind, path) in enumerate(self._disks)
            for word in (
                *("-drive", f"if=none,id=disk{number},format={kind},file={path}"),
                *("-device", f"virtio-blk-pci,drive=disk{number}"),
            )
        ]
        board = (
            *("-chardev", f"socket,id=tpm,path={self.folder / 'tpm.socket'}"),
            *("-tpmdev", "emulator,id=tpm,chardev=tpm", "-device", "tpm-crb,tpmdev=tpm"),
        )
        return [
            *("qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max,la57=off"),
            *("-smp", "2", "-m", str(_MEMORY_MB), "-nodefaults", "-no-user-config", "-display", "none"),
            *(
                "-kernel",
                str(self.image.kernel),
                "-initrd",
                str(self.image.initrd),
                "-append",
                f"{_KERNEL} {more}",
            ),
            *("-chardev", f"file,id=console,path={self.console},append=on", "-serial", "chardev:console"),
            *drives,
            *("-device", "virtio-rng-pci", "-device", "virtio-serial-pci"),
            *("-chardev", f"socket,id=agent,path={self.folder / 'agent'},server=on,wait=off"),
            *("-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"),
            # It reaches nobody, and nobody but this machine reaches its ssh.
            *("-netdev", f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{self.ssh_port}-:22"),
            *("-device", "virtio-net-pci,netdev=net"),
            *(board if self._tpm else ()),
        ]

    def _start_tpm(self) -> None:
        """A new one where there is none; it ends with the machine."""
        state = self.folder / "tpm"
        state.mkdir(exist_ok=True)
        path = self.folder / "tpm.socket"
        path.unlink(missing_ok=True)
        with (self.folder / "tpm.log").open("ab") as log:
            self._swtpm = subprocess.Popen(
                [*_TIED, "swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}", "--ctrl",
                 f"type=unixio,path={path}", "--terminate"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        deadline = time.monotonic() + 10
        while not path.exists():
            if time.monotonic() > deadline:
                raise TestbedError(f"swtpm does not start:\n{(self.folder / 'tpm.log').read_text()}")
            time.sleep(0.05)


@contextlib.contextmanager
def running(image: Image, *, disks: Sequence[int] = (), tpm: bool = False) -> Iterator[Machine]:
    """A machine that has booted, and is gone at the end of the block; see `Machine`."""
    machine = Machine(image, disks=disks, tpm=tpm)
    try:
        yield machine.start()
    finally:
        machine.remove()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise TestbedError(f"{command[0]} failed:\n{(done.stdout + done.stderr)[-2000:]}")
