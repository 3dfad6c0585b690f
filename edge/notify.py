"""What systemd is told (sd_notify(3)): that a service is ready, how it is, and that its work goes on.

Without systemd all of this says nothing to nobody.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time

_EVERY_S = 1.0
"""Seconds between two signs of life; a watchdog wants one in several seconds."""
_READY_S = 10.0
"""How long systemd may be busy when it is to hear that a service is ready: this is said once."""


class Manager:
    """The service manager that started this process, if it wants to hear."""

    def __init__(self) -> None:
        """Speak to NOTIFY_SOCKET, if there is one."""
        address = os.environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = (
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) if address else None
        )
        if self._socket is not None:
            self._socket.setblocking(False)  # systemd is not waited for: the next sign of life is near
        self._due = 0.0

    def ready(self, status: str) -> None:
        """The service can be used, and its watchdog begins."""
        if self._socket is not None:
            self._socket.settimeout(_READY_S)
            self._say("READY=1", f"STATUS={status}")
            self._socket.setblocking(False)

    def progress(self, status: str, *, news: bool = False) -> None:
        """A piece of work is done: call this from the work itself, never from a timer beside it.

        Told at most once a second; `news` are told at once.
        """
        now = time.monotonic()
        if news or now >= self._due:
            self._due = now + _EVERY_S
            self._say("WATCHDOG=1", f"STATUS={status}")

    def close(self) -> None:
        """Say no more."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _say(self, *lines: str) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.sendto("\n".join(lines).encode(), self._address)
