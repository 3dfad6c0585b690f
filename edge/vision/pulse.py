"""Signs of life for systemd's watchdog, taken from the work itself: each record that vision has passed on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.link import CameraState, PoseFrame

if TYPE_CHECKING:
    from edge.link import Record
    from edge.notify import Manager

HANGS = "stalled"
"""Detail of a camera that is there and says nothing: it may be this process that hangs, so it is started anew."""


class Pulse:
    """How vision is, in a line of text."""

    def __init__(self, manager: Manager) -> None:
        """Say to `manager` that vision is ready; from then on its watchdog wants to hear of work."""
        self._manager = manager
        self._frames = 0
        self._camera = "starting"
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
        elif isinstance(record, CameraState):
            self._camera = f"{record.state} ({record.detail})" if record.detail else record.state
            if record.detail == HANGS:
                return
        self._manager.progress(self.status, news=(self._camera, bool(self._frames)) != before)

    def wait(self) -> None:
        """A recording waits for somebody to see it."""
        self._manager.progress(self.status)
