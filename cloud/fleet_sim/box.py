"""One simulated box: records windows, loses its link, starts anew, and keeps what is not acknowledged."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING
from uuid import UUID

import mqtt5
import msgspec

from cloud.mqtt import Connection, RefusedError, Target, open_connection
from wire.messages import Ack, ContractError, Window, decode_as, encode
from wire.metrics import live_metrics

if TYPE_CHECKING:
    from random import Random

    from cloud.mqtt import Delivery
    from wire.topics import Address

RESEND_S = 2.0
RESEND_MOST = 500
"""A replay is rate-limited: no more than this in RESEND_S."""


class Habits(msgspec.Struct, frozen=True):
    """What a simulated box does."""

    windows: int
    """How many it records, at most."""
    interval_s: float
    """Seconds between two; they are ten seconds long, whatever this is."""
    outage: float
    """Part of the time that its link is down."""
    restart: float
    """Chance that it starts anew, at each window."""
    skew_s: float
    """Its clock is wrong by up to this."""


class SimulatedBox:
    """A box. `outbox` holds what is not acknowledged, by start and number."""

    def __init__(self, address: Address, target: Target, habits: Habits, dice: Random) -> None:
        self.address = address
        self.outbox: dict[str, dict[int, Window]] = {}
        self.recorded: set[tuple[str, int]] = set()
        self._target = target
        self._habits = habits
        self._dice = dice
        self._skew = dice.uniform(-habits.skew_s, habits.skew_s)
        self._stopped = False
        self._connection: Connection | None = None
        self._packet = 0
        self._subject, self._session = self._uuid(), self._uuid()

    @property
    def waiting(self) -> int:
        """How many messages are not acknowledged."""
        return sum(map(len, self.outbox.values()))

    async def run(self) -> None:
        """Record, send, and go on sending until the cloud has everything."""
        link = asyncio.create_task(self._keep_link())
        try:
            await self._record()
            while self.waiting:
                await asyncio.sleep(0.05)
        finally:
            link.cancel()
            await asyncio.gather(link, return_exceptions=True)

    def stop(self) -> None:
        """Record nothing more; `run` ends when everything is acknowledged."""
        self._stopped = True

    def put(self, delivery: Delivery) -> None:
        """An acknowledgement of the cloud has come."""
        try:
            ack = decode_as(Ack, delivery.payload)
        except ContractError:
            return
        rows = self.outbox.get(ack.boot, {})
        while rows and (first := next(iter(rows))) <= ack.seq:
            del rows[first]

    async def _record(self) -> None:
        boot, seq = self._uuid(), 0
        live = live_metrics()
        for _ in range(self._habits.windows):
            if self._stopped:
                break
            if self._dice.random() < self._habits.restart:
                boot, seq = self._uuid(), 0
            seq += 1
            known = self._dice.random() < 0.95
            window = Window(
                device=self.address.device, boot=boot, seq=seq,
                at=time.time() + self._skew if known else None, clock="estimated" if known else "unknown",
                subject=self._subject, species="human", session=self._session, camera="cam0", duration_s=10.0,
                exercise=self._dice.choice([None, "squat", "sit_to_stand"]), reps=self._dice.randint(0, 4),
                metrics={m.key: round(self._dice.uniform(m.minimum, m.maximum), 2) for m in live},
                grade="B",
            )  # fmt: skip
            self.outbox.setdefault(boot, {})[seq] = window
            self.recorded.add((boot, seq))
            self._send([window])
            await asyncio.sleep(self._habits.interval_s * self._dice.uniform(0.5, 1.5))

    async def _keep_link(self) -> None:
        while True:
            connection = Connection(self)
            try:
                async with asyncio.timeout(10):
                    await open_connection(connection, self._target, [self.address.topic("ack")])
                self._connection = connection
                await self._resend_until_lost(connection)
            except (OSError, TimeoutError, RefusedError):
                pass
            finally:
                self._connection = None
                connection.abort()
            down = self._habits.outage / max(1 - self._habits.outage, 0.01)
            await asyncio.sleep(0.1 + self._dice.expovariate(1) * down)

    async def _resend_until_lost(self, connection: Connection) -> None:
        """The link holds for a second on average where there are outages; after one, everything comes in a flood."""
        until = time.monotonic() + (self._dice.expovariate(1) if self._habits.outage else 1e9)
        while not connection.lost.done() and time.monotonic() < until:
            old = [window for rows in self.outbox.values() for window in rows.values()]
            self._send([msgspec.structs.replace(window, historical=True) for window in old[:RESEND_MOST]])
            await asyncio.wait([connection.lost], timeout=min(RESEND_S, max(until - time.monotonic(), 0)))

    def _send(self, windows: list[Window]) -> None:
        if self._connection is None:
            return
        packets = []
        for window in windows:
            self._packet = self._packet % 65_535 + 1
            floor = next(iter(self.outbox[window.boot]))
            payload = encode(msgspec.structs.replace(window, floor=floor))
            topic = self.address.topic("window")
            packet = mqtt5.PublishPacket(topic, payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=self._packet)
            packets.append(packet.write())
        self._connection.send(b"".join(packets))

    def _uuid(self) -> str:
        return str(UUID(int=self._dice.getrandbits(128), version=4))
