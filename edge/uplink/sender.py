"""From the outbox to the broker: in order, bounded, and again where no acknowledgement comes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from msgspec.structs import replace

from edge.uplink.outbox import START
from wire.messages import Window, encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.clock import Now
    from edge.uplink.outbox import Outbox, Position
    from wire.messages import SessionChange
    from wire.topics import Address

log = logging.getLogger(__name__)

UNACKNOWLEDGED = 500
"""Messages sent and not acknowledged by the cloud, at most."""
LATE_S = 30.0
"""A message about a time further back is marked as historical."""
_LONGEST_PAUSE = 32
"""The pause before a resend grows up to so many times the first."""


class Sender:
    """Walks through the outbox. A new connection, and a time without progress, begin again with the oldest."""

    def __init__(
        self,
        outbox: Outbox,
        address: Address,
        publish: Callable[[str, bytes], bool],
        *,
        replay_per_s: float,
        resend_after_s: float,
    ) -> None:
        self.sent = self.resent = 0
        """Messages handed to the broker; those of them that had been before."""
        self._outbox = outbox
        self._address = address
        self._publish = publish
        self._replay_per_s = replay_per_s
        self._resend_after_s = resend_after_s
        self._reached = self._furthest = START
        self._oldest: Position | None = None
        self._again = False
        self._progress_s = 0.0
        self._patience = 1
        self._allowance = max(replay_per_s, 1.0)
        self._stepped_s: float | None = None

    def begin_again(self) -> None:
        """What is not acknowledged may be lost: the next step sends it again. From any thread."""
        self._again = True

    def step(self, now: Now, room: int) -> int:
        """Hand over what is due, at most `room` messages; returns how many. Raises `StoreError`."""
        seconds = now.monotonic_ns / 1e9
        since = 0.0 if self._stepped_s is None else seconds - self._stepped_s
        self._stepped_s = seconds
        self._allowance = min(self._allowance + since * self._replay_per_s, max(self._replay_per_s, 1.0))
        if self._again:
            self._again = False
            self._reached, self._oldest = START, None
        self._watch_progress(seconds)
        room = min(room, UNACKNOWLEDGED - self._outbox.count_until(self._reached))
        if room <= 0:
            return 0
        before = self.sent
        for position, message in self._outbox.after(self._reached, room):
            if message is None:
                log.error("message %s of the outbox is damaged and given up", position)
                self._outbox.give_up(position)
                continue
            again = position <= self._furthest
            historical = again or _is_late(message, now)
            if historical and self._allowance < 1:
                break
            topic = self._address.topic("window" if isinstance(message, Window) else "session")
            ours = replace(message, device=self._address.device, historical=historical)
            if not self._publish(topic, encode(ours)):
                break
            self._allowance -= historical
            self.sent += 1
            self.resent += again
            self._reached = position
            self._furthest = max(self._furthest, position)
        return self.sent - before

    def _watch_progress(self, seconds: float) -> None:
        """Begin again where the oldest message that was sent has been waiting for too long."""
        first = self._outbox.after(START, 1)
        oldest = first[0].position if first else None
        if oldest != self._oldest:
            self._oldest, self._progress_s, self._patience = oldest, seconds, 1
            return
        stuck = oldest is not None and oldest <= self._reached
        if stuck and seconds - self._progress_s >= self._resend_after_s * self._patience:
            self._reached, self._progress_s = START, seconds
            self._patience = min(self._patience * 2, _LONGEST_PAUSE)


def _is_late(message: Window | SessionChange, now: Now) -> bool:
    if message.at is None or now.utc is None:
        return True
    return now.utc - (message.at + message.duration_s) > LATE_S
