"""A network that only boxes are on: a bridge in a namespace of its own, where a broker can run, too."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from tests.testbed.box import Box

_NET: Final = ipaddress.ip_network("10.77.0.0/24")
_TIED: Final = Path(__file__).with_name("tied.py")


class Network:
    """Boxes that are told of it at their start can reach each other and `gateway`; nothing leads outside."""

    gateway: Final = str(_NET[1])
    """Address of the namespace itself: what `run` and `popen` start listens there."""

    def __enter__(self) -> Self:
        """Make the namespace; it lives as long as the process that holds it."""
        from tests.testbed.cgroups import hierarchy

        self._holder = subprocess.Popen(
            [sys.executable, str(_TIED), str(os.getpid()), str(hierarchy()),
             "/usr/bin/unshare", "--net", "/bin/sh", "-c", "echo; exec sleep infinity"],
            stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self._holder.stdout is not None
        self._holder.stdout.readline()
        self._addresses: dict[str, str] = {}
        for line in (
            "link set lo up",
            "link add boxes type bridge",
            f"addr add {self.gateway}/{_NET.prefixlen} dev boxes",
            "link set boxes up",
        ):
            self.run(["ip", *line.split()])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take it away, with every cable in it."""
        self._holder.send_signal(signal.SIGKILL)
        self._holder.communicate()

    def enter(self, *command: str) -> list[str]:
        """The command line that runs one of this machine's programs on this network."""
        return ["nsenter", f"--target={self._holder.pid}", "--net", *command]

    def run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run one of this machine's programs there."""
        return subprocess.run(self.enter(*command), capture_output=True, text=True, check=True)

    def address(self, box: Box) -> str:
        """A box's address."""
        return self._addresses.setdefault(box.name, str(_NET[10 + len(self._addresses)]))

    def join(self, box: Box) -> None:
        """Lay a cable from a running box to the bridge; its end there is called host0."""
        port = f"to-{self.address(box).rpartition('.')[2]}"
        with contextlib.suppress(subprocess.CalledProcessError):
            self.run(["ip", "link", "del", port])  # of an earlier start
        self.run(
            ["ip", "link", "add", port, "type", "veth", "peer", "name", "host0", "netns", str(box.leader)]
        )
        self.run(["ip", "link", "set", port, "master", "boxes", "up"])
        box.run(
            f"ip addr add {self.address(box)}/{_NET.prefixlen} dev host0 && ip link set host0 up && "
            f"ip route add default via {self.gateway}"
        )

    def unplug(self, box: Box) -> None:
        """Pull a box's cable out; `plug` puts it back."""
        self._cable(box, "down")

    def plug(self, box: Box) -> None:
        """Put a cable that was pulled out back in."""
        self._cable(box, "up")

    def _cable(self, box: Box, state: str) -> None:
        self.run(["ip", "link", "set", f"to-{self.address(box).rpartition('.')[2]}", state])
