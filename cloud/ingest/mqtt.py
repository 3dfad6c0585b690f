"""The connection to the broker: MQTT 5, persistent session, acknowledged only when the service says so.

Chosen by measurement (cloud/bench.py): the codec `mqtt5` (Rust, the core of aiomqtt 3) under an asyncio protocol.
See the table in docs/cloud.md.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections import deque
from typing import TYPE_CHECKING

import mqtt5
import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloud.ingest.settings import Settings

log = logging.getLogger(__name__)
KEEP_ALIVE_S = 30
CONNECT_TIMEOUT_S = 10
MAX_PACKET = 1024 * 1024
"""Bytes; the broker keeps what is larger from us. No box sends a fiftieth of that."""
_GRANTED = (mqtt5.SubAckReasonCode.GRANTED_QOS_AT_MOST_ONCE, mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE)


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """A message, and what acknowledging it takes: the packet's number is good on its own connection only."""

    connection: Connection
    packet: int | None
    topic: str
    payload: bytes


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

    def __init__(self, settings: Settings, topics: Sequence[str], inbox: Inbox) -> None:
        self._settings = settings
        self._filters = [f"$share/{settings.group}/{topic}" for topic in topics]
        self._inbox = inbox
        self._connection: Connection | None = None
        self.connects = 0

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
                    await self._open(connection)
                self._connection, wait = connection, 0.1
                self.connects += 1
                log.info("connected to the broker")
                await connection.lost
            except (OSError, TimeoutError, _RefusedError) as error:
                log.warning("no connection to the broker: %s", error or type(error).__name__)
            finally:
                self._connection = None
                connection.close()
            # A second process with our client id would take the session from us as we from it, for ever.
            wait = 30.0 if connection.taken_over else wait
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 (spreads, hides nothing)
            wait = min(wait * 2, 10.0)

    def publish(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Send at most once: who misses an acknowledgement sends again and gets another."""
        if self._connection is not None:
            self._connection.send(b"".join(mqtt5.PublishPacket(t, p).write() for t, p in messages))

    async def _open(self, connection: Connection) -> None:
        url = self._settings.mqtt_url
        secure = url.scheme == "mqtts"
        context = None
        if secure:
            context = ssl.create_default_context(cafile=self._settings.mqtt_ca)
            if self._settings.mqtt_certificate:
                context.load_cert_chain(self._settings.mqtt_certificate)
        port = url.port or (8883 if secure else 1883)
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: connection, url.host or "", port, ssl=context)
        packet = mqtt5.ConnectPacket(
            self._settings.client_id,
            username=url.username,
            password=url.password.encode() if url.password else None,
            clean_start=False,
            keep_alive=KEEP_ALIVE_S,
            session_expiry_interval=self._settings.session_expiry_s,
            receive_max=min(4 * self._settings.batch, 65_535),
            max_packet_size=MAX_PACKET,
        )
        await connection.open(packet, self._filters)


class _RefusedError(Exception):
    """The broker said no."""


class Connection(asyncio.Protocol):
    """One connection, from CONNECT to its end."""

    def __init__(self, inbox: Inbox) -> None:
        loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = loop.create_future()
        self.taken_over = False
        self._inbox = inbox
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._answers: asyncio.Queue[mqtt5.ConnAckPacket | mqtt5.SubAckPacket] = asyncio.Queue()
        self._ping: asyncio.Task[None] | None = None
        self._heard = loop.time()

    async def open(self, connect: mqtt5.ConnectPacket, filters: Sequence[str]) -> None:
        """Shake hands and subscribe. A broker that lost our session gets the subscriptions again this way."""
        self.send(connect.write())
        answer = await self._answers.get()
        if isinstance(answer, mqtt5.ConnAckPacket) and answer.reason_code != mqtt5.ConnAckReasonCode.SUCCESS:
            raise _RefusedError(answer.reason_code.name)
        wanted = [mqtt5.TopicFilter(f, max_qos=mqtt5.QoS.AT_LEAST_ONCE) for f in filters]
        self.send(mqtt5.SubscribePacket(1, wanted).write())
        granted = await self._answers.get()
        if isinstance(granted, mqtt5.SubAckPacket) and any(
            code not in _GRANTED for code in granted.reason_codes
        ):
            raise _RefusedError("the broker does not grant the subscriptions")
        self._ping = asyncio.create_task(self._keep_alive())

    def send(self, data: bytes) -> None:
        """Write, if there still is a connection."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def acknowledge(self, packets: Iterable[int]) -> None:
        """Tell the broker that these are ours to keep now."""
        self.send(b"".join(mqtt5.PubAckPacket(number).write() for number in packets))

    def pause(self, yes: bool) -> None:
        """Stop reading, or go on."""
        if self._transport is not None and not self._transport.is_closing():
            (self._transport.pause_reading if yes else self._transport.resume_reading)()

    def close(self) -> None:
        """Leave; the broker keeps the session."""
        self.send(mqtt5.DisconnectPacket().write())
        if self._ping is not None:
            self._ping.cancel()
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the socket is there."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the socket is gone."""
        if not self.lost.done():
            self.lost.set_result(None)
        if exc is not None:
            log.info("the connection to the broker broke: %s", exc)

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes are there. Whole packets are taken, the rest waits for more."""
        self._heard = asyncio.get_running_loop().time()
        self._buffer += data
        position = 0
        try:
            with memoryview(self._buffer) as view:
                while position < len(view):
                    with view[position:] as rest:
                        packet, size = mqtt5.read(rest)
                    position += size
                    self._handle(packet)
        except IndexError:
            pass  # the last packet is not complete yet
        except ValueError as error:
            log.warning("the broker sent what is no MQTT: %s", error)
            self.close()
        del self._buffer[:position]

    def _handle(self, packet: mqtt5.Packet) -> None:
        match packet:
            case mqtt5.PublishPacket():
                self._inbox.put(Delivery(self, packet.packet_id, packet.topic, packet.payload))
            case mqtt5.ConnAckPacket() | mqtt5.SubAckPacket():
                self._answers.put_nowait(packet)
            case mqtt5.DisconnectPacket():
                self.taken_over = packet.reason_code == mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER
                log.warning("the broker disconnects us: %s", packet.reason_code.name)
            case _:
                pass  # answers to our pings

    async def _keep_alive(self) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() - self._heard < 1.5 * KEEP_ALIVE_S:
            await asyncio.sleep(KEEP_ALIVE_S / 2)
            self.send(mqtt5.PingReqPacket().write())
        log.warning("the broker is silent")
        if self._transport is not None:
            self._transport.abort()
