"""The service's side of MQTT: one connection that comes back, and what it received and nobody took yet."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from typing import TYPE_CHECKING, get_args

import mqtt5

from cloud.mqtt import Connection, RefusedError, Target, open_connection
from wire.topics import FROM_CLOUD, Kind, everyone

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloud.ingest.settings import Settings
    from cloud.mqtt import Delivery

log = logging.getLogger(__name__)
CONNECT_TIMEOUT_S = 10
RETAIN_TIMEOUT_S = 10
RETAINING = 20
"""Messages to retain that the broker has not acknowledged, at most: what Mosquitto allows unless told otherwise."""


TO_EACH: frozenset[Kind] = frozenset({"birth", "available"})
"""Retained, and a shared subscription never gets what is retained: every replica takes them all."""


def filters(group: str) -> list[str]:
    """The subscriptions of a replica: each message goes to one of its group, but what is retained to all."""
    kinds = [kind for kind in get_args(Kind) if kind not in FROM_CLOUD]
    return [everyone(kind) if kind in TO_EACH else f"$share/{group}/{everyone(kind)}" for kind in kinds]


class Inbox:
    """What has arrived and waits to be taken. Full, it stops reading: the broker and the network hold the rest."""

    def __init__(self, limit: int) -> None:
        self._waiting: deque[Delivery] = deque()
        self._limit = limit
        self._arrived = asyncio.Event()
        self._taking = asyncio.Lock()
        self._paused: set[Connection] = set()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def put(self, delivery: Delivery) -> None:
        """Add one; never waits."""
        self._waiting.append(delivery)
        self._arrived.set()
        if len(self._waiting) >= self._limit and delivery.connection not in self._paused:
            self._paused.add(delivery.connection)
            delivery.connection.pause(True)

    async def take(self, most: int, linger_s: float) -> list[Delivery]:
        """At least one, at most `most`: whatever has come `linger_s` after the first."""
        async with self._taking:
            while not self._waiting:
                await self._next()
            try:
                async with asyncio.timeout(linger_s):
                    while len(self._waiting) < most:
                        await self._next()
            except TimeoutError:
                pass
            taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        if self._paused and len(self._waiting) < self._limit:
            for connection in self._paused:
                connection.pause(False)
            self._paused.clear()
        return taken

    async def _next(self) -> None:
        self._arrived.clear()
        await self._arrived.wait()


class Broker:
    """Keeps one connection to the broker, from start to stop."""

    def __init__(self, settings: Settings, inbox: Inbox) -> None:
        self._target = Target(
            str(settings.mqtt_url),
            settings.client_id,
            settings.mqtt_ca,
            settings.mqtt_certificate,
            settings.session_expiry_s,
            receive_max=min(4 * settings.batch, 65_535),
        )
        self._filters = filters(settings.group)
        self._inbox = inbox
        self._connection: Connection | None = None

    @property
    def connected(self) -> bool:
        """Whether the broker has taken the subscriptions."""
        return self._connection is not None

    async def run(self) -> None:
        """Connect, and connect again whenever that ends, until cancelled."""
        wait = 0.1
        while True:
            connection = Connection(self._inbox)
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    await open_connection(connection, self._target, self._filters)
                self._connection, wait = connection, 0.1
                log.info("connected to the broker")
                await connection.lost
            except (OSError, TimeoutError, RefusedError) as error:
                log.warning("no connection to the broker: %s", error or type(error).__name__)
            finally:
                self._connection = None
                await connection.leave()
            # A second process with our client id would take the session from us as we from it, for ever.
            wait = 30.0 if connection.taken_over else wait
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 (spreads, hides nothing)
            wait = min(wait * 2, 10.0)

    def publish(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Send at most once: who misses an acknowledgement sends again and gets another."""
        if self._connection is not None:
            self._connection.send(b"".join(mqtt5.PublishPacket(t, p).write() for t, p in messages))

    async def retain(self, messages: Sequence[tuple[str, bytes]]) -> list[bool]:
        """Have the broker retain messages; which of them it has acknowledged."""
        taken: list[bool] = []
        for begin in range(0, len(messages), RETAINING):
            if self._connection is None:
                break
            some = [self._connection.retain(*message) for message in messages[begin : begin + RETAINING]]
            done, late = await asyncio.wait(some, timeout=RETAIN_TIMEOUT_S)
            taken += [one in done and one.result() for one in some]
            if late:
                break
        return taken + [False] * (len(messages) - len(taken))
