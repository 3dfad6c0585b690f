"""Signs of life for systemd's watchdog, taken from the work itself: each record that vision has passed on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from edge.link import CameraState, PoseFrame

if TYPE_CHECKING:
    from edge.link import Record
    from edge.notify import Manager

HANGS = "stalled"
"""Detail of a camera that is there and says nothing."""
PATIENCE_S = 15.0
"""Seconds after which such a camera is no sign of life any more: its driver may hold a thread for ever, and starting
anew is all that helps. A camera with an address is opened anew by then."""


class Pulse:
    """How vision is, in a line of text."""

    def __init__(self, manager: Manager) -> None:
        """Say to `manager` that vision is ready; from then on its watchdog wants to hear of work."""
        self._manager = manager
        self._frames = 0
        self._camera = "starting"
        self._hangs_since: float | None = None
        manager.ready(self.status)

    @property
    def status(self) -> str:
        """For `systemctl status`."""
        return f"camera {self._camera}, {self._frames} frames"

    def beat(self, record: Record) -> None:
        """`record` went out: a picture went through, or the camera is away and vision knows it."""
        before = self._camera, bool(self._frames)
        if isinstance(record, PoseFrame):
            self._frames += 1
            self._hangs_since = None
        elif isinstance(record, CameraState):
            self._camera = f"{record.state} ({record.detail})" if record.detail else record.state
            hangs = record.detail == HANGS
            self._hangs_since = (self._hangs_since or time.monotonic()) if hangs else None
            if self._hangs_since is not None and time.monotonic() - self._hangs_since > PATIENCE_S:
                return
        self._manager.progress(self.status, news=(self._camera, bool(self._frames)) != before)

    def wait(self) -> None:
        """A recording waits for somebody to see it."""
        self._manager.progress(self.status)
