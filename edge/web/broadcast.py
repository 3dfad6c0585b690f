"""One message to many browsers, where the slowest delays nobody."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_CLIENTS = 16
FRAMES_KEPT = 2
"""A browser that falls behind gets the newest frames, not a queue of old ones."""
EVENTS_KEPT = 256
"""A browser with more unread events than this is cut off: it connects again and reads the state anew."""


class HopelessClientError(Exception):
    """The client cannot keep up, even with the events alone."""


class Client:
    """The outbox of one browser: old frames make room for new ones, other messages all stay."""

    def __init__(self) -> None:
        """Begin with nothing to send."""
        self.dropped = 0
        """Frames this browser was too slow for."""
        self._queue: deque[tuple[bool, str]] = deque()
        self._frames = 0
        self._hopeless = False
        self._ready = asyncio.Event()

    def put_frame(self, text: str) -> None:
        """Queue a frame; where too many are waiting, the oldest goes."""
        if self._hopeless:
            return
        if self._frames == FRAMES_KEPT:
            self._queue.remove(next(item for item in self._queue if item[0]))
            self._frames -= 1
            self.dropped += 1
        self._queue.append((True, text))
        self._frames += 1
        self._ready.set()

    def put(self, text: str) -> None:
        """Queue a message that must not be lost."""
        if len(self._queue) - self._frames >= EVENTS_KEPT:
            self._hopeless = True
            self._queue.clear()
        if not self._hopeless:
            self._queue.append((False, text))
        self._ready.set()

    async def get(self) -> str:
        """The next message, when there is one. Raises `HopelessClientError` where too many were waiting."""
        while not self._queue:
            if self._hopeless:
                raise HopelessClientError
            self._ready.clear()
            await self._ready.wait()
        is_frame, text = self._queue.popleft()
        self._frames -= is_frame
        return text


class Broadcaster:
    """The browsers that watch. For the event loop's thread only."""

    def __init__(self, max_clients: int = MAX_CLIENTS) -> None:
        """Begin with nobody watching. It is up to the caller to refuse a browser when it is `full`."""
        self.max_clients = max_clients
        self._dropped_by_gone = 0
        self._clients: set[Client] = set()

    def __len__(self) -> int:
        """How many browsers watch."""
        return len(self._clients)

    @property
    def full(self) -> bool:
        """There is no place for another browser."""
        return len(self._clients) >= self.max_clients

    @property
    def dropped(self) -> int:
        """Frames that browsers were too slow for, all of them together."""
        return self._dropped_by_gone + sum(client.dropped for client in self._clients)

    @contextmanager
    def client(self) -> Iterator[Client]:
        """A new browser, for as long as the block runs."""
        client = Client()
        self._clients.add(client)
        try:
            yield client
        finally:
            self._clients.discard(client)
            self._dropped_by_gone += client.dropped

    def send_frame(self, text: str) -> None:
        """Offer a frame to every browser."""
        for client in self._clients:
            client.put_frame(text)

    def send(self, text: str) -> None:
        """Send a message that must not be lost to every browser."""
        for client in self._clients:
            client.put(text)
