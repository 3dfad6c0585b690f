"""A connection to an MQTT 5 broker whose messages are acknowledged only when their receiver says so.

The codec is `mqtt5` (Rust, the core of aiomqtt 3, whose own release is still an alpha), the rest asyncio. Measured
on one loaded machine, 20,000 waiting windows of 2.2 kB, received and acknowledged one by one or in groups of 500,
without a database: mqtt5 3.9 µs of processor time a message (56,000 a second), gmqtt 0.8 47 µs (12,500), paho-mqtt
2.2 99 µs (4,800). cloud/bench.py measures all three with the database behind them.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

import mqtt5
import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

log = logging.getLogger(__name__)
KEEP_ALIVE_S = 30
LEAVE_S = 2.0
"""How long a broker may take to hang up on one who has left."""
MAX_PACKET = 1024 * 1024
"""Bytes; the broker keeps what is larger from us. No box sends a fiftieth of that."""
_GRANTED = (mqtt5.SubAckReasonCode.GRANTED_QOS_AT_MOST_ONCE, mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE)
_TAKEN = (mqtt5.PubAckReasonCode.SUCCESS, mqtt5.PubAckReasonCode.NO_MATCHING_SUBSCRIBERS)


class RefusedError(Exception):
    """The broker said no, or nothing."""


class Target(msgspec.Struct, frozen=True):
    """Where to connect, and as whom."""

    url: str
    """mqtt://user:password@host:port, or mqtts://…"""
    client_id: str = ""
    ca: Path | None = None
    certificate: Path | None = None
    session_expiry_s: int = 0
    receive_max: int = 65_535
    """How many messages may come unacknowledged."""


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """A message, and what acknowledging it takes: the packet's number is good on its own connection only."""

    connection: Connection
    packet: int | None
    topic: str
    payload: bytes


class Receiver(Protocol):
    """Who takes the messages of a connection."""

    def put(self, delivery: Delivery) -> None:
        """Take one; must not wait."""


async def open_connection(connection: Connection, target: Target, filters: Sequence[str]) -> None:
    """Connect, with the session that the broker may have kept, and subscribe. Raises OSError or RefusedError."""
    url = urlsplit(target.url)
    context = _context(target) if url.scheme == "mqtts" else None
    loop = asyncio.get_running_loop()
    port = url.port or (8883 if context else 1883)
    await loop.create_connection(lambda: connection, url.hostname or "", port, ssl=context)
    packet = mqtt5.ConnectPacket(
        target.client_id,
        username=unquote(url.username) if url.username else None,
        password=unquote(url.password).encode() if url.password else None,
        clean_start=False,
        keep_alive=KEEP_ALIVE_S,
        session_expiry_interval=target.session_expiry_s,
        receive_max=target.receive_max,
        max_packet_size=MAX_PACKET,
    )
    await connection.open(packet, filters)


def _context(target: Target) -> ssl.SSLContext:
    """What the broker's certificate is checked against, and ours. Raises RefusedError for a file that is neither."""
    context = ssl.create_default_context()
    try:
        if target.ca:
            context = ssl.create_default_context(cafile=target.ca)
    except OSError as error:
        raise RefusedError(f"{target.ca} holds no certificates: {error}") from error
    try:
        if target.certificate:
            context.load_cert_chain(target.certificate)
    except OSError as error:
        raise RefusedError(f"{target.certificate} holds no certificate with its key: {error}") from error
    return context


class Connection(asyncio.Protocol):
    """One connection, from CONNECT to its end."""

    def __init__(self, receiver: Receiver) -> None:
        loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = loop.create_future()
        self.taken_over = False
        self._leaving = False
        self._why = ""
        self._receiver = receiver
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._answers: asyncio.Queue[mqtt5.ConnAckPacket | mqtt5.SubAckPacket | None] = asyncio.Queue()
        self._retaining: dict[int, asyncio.Future[bool]] = {}
        self._ping: asyncio.Task[None] | None = None
        self._heard = loop.time()

    async def open(self, connect: mqtt5.ConnectPacket, filters: Sequence[str]) -> None:
        """Shake hands and subscribe. A broker that lost our session gets the subscriptions again this way."""
        self.send(connect.write())
        answer = await self._answers.get()
        if not isinstance(answer, mqtt5.ConnAckPacket):
            raise RefusedError(f"the connection broke{self._why}")
        if answer.reason_code != mqtt5.ConnAckReasonCode.SUCCESS:
            raise RefusedError(answer.reason_code.name)
        # What is retained comes with the first subscription of a session; later the session itself misses nothing.
        wanted = [
            mqtt5.TopicFilter(
                f,
                max_qos=mqtt5.QoS.AT_LEAST_ONCE,
                retain_handling=mqtt5.RetainHandling.SEND_IF_SUBSCRIPTION_NOT_EXISTS,
            )
            for f in filters
        ]
        self.send(mqtt5.SubscribePacket(1, wanted).write())
        granted = await self._answers.get()
        if not isinstance(granted, mqtt5.SubAckPacket):
            raise RefusedError(f"the connection broke{self._why}")
        if any(code not in _GRANTED for code in granted.reason_codes):
            raise RefusedError("the broker does not grant the subscriptions")
        self._ping = asyncio.create_task(self._keep_alive())

    def send(self, data: bytes) -> None:
        """Write, if there still is a connection."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def acknowledge(self, packets: Iterable[int]) -> None:
        """Tell the broker that these are ours to keep now."""
        self.send(b"".join(mqtt5.PubAckPacket(number).write() for number in packets))

    def retain(self, topic: str, payload: bytes) -> asyncio.Future[bool]:
        """Publish with QoS 1, to be retained; whether the broker took it, False where the connection ends first."""
        number = next(n for n in range(2, 65_536) if n not in self._retaining)
        self._retaining[number] = taken = asyncio.get_running_loop().create_future()
        self.send(
            mqtt5.PublishPacket(
                topic, payload, qos=mqtt5.QoS.AT_LEAST_ONCE, retain=True, packet_id=number
            ).write()
        )
        if self.lost.done():
            self._give_up_retaining()
        return taken

    def pause(self, yes: bool) -> None:
        """Stop reading, or go on."""
        if self._transport is not None and not self._transport.is_closing() and not self._leaving:
            (self._transport.pause_reading if yes else self._transport.resume_reading)()

    def close(self) -> None:
        """Leave; the broker keeps the session."""
        self.send(mqtt5.DisconnectPacket().write())
        if self._ping is not None:
            self._ping.cancel()
        if self._transport is not None:
            self._transport.close()

    async def leave(self) -> None:
        """Leave, and have the broker hang up: it has read every acknowledgement then; it keeps the session.

        A socket that is closed before all that came was read takes down with it what the broker has not read yet.
        """
        self.pause(False)
        self._leaving = True
        self.send(mqtt5.DisconnectPacket().write())
        if self._transport is not None:
            await asyncio.wait([self.lost], timeout=LEAVE_S)
        self.abort()

    def abort(self) -> None:
        """Vanish, as a box does whose link breaks."""
        if self._ping is not None:
            self._ping.cancel()
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the socket is there."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the socket is gone."""
        if not self.lost.done():
            self.lost.set_result(None)
        self._answers.put_nowait(None)
        self._give_up_retaining()
        if exc is not None:
            log.info("the connection to the broker broke: %s", exc)
            self._why = f": {exc}"

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes are there. Whole packets are taken, the rest waits for more."""
        self._heard = asyncio.get_running_loop().time()
        if self._leaving:
            return  # it stays with the broker
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
                self._receiver.put(Delivery(self, packet.packet_id, packet.topic, packet.payload))
            case mqtt5.ConnAckPacket() | mqtt5.SubAckPacket():
                self._answers.put_nowait(packet)
            case mqtt5.PubAckPacket():
                taken = self._retaining.pop(packet.packet_id, None)
                if taken is not None and not taken.done():
                    taken.set_result(packet.reason_code in _TAKEN)
            case mqtt5.DisconnectPacket():
                self.taken_over = packet.reason_code == mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER
                log.warning("the broker disconnects us: %s", packet.reason_code.name)
            case _:
                pass  # answers to our pings

    def _give_up_retaining(self) -> None:
        for taken in self._retaining.values():
            if not taken.done():
                taken.set_result(False)
        self._retaining.clear()

    async def _keep_alive(self) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() - self._heard < 1.5 * KEEP_ALIVE_S:
            await asyncio.sleep(KEEP_ALIVE_S / 2)
            self.send(mqtt5.PingReqPacket().write())
        log.warning("the broker is silent")
        if self._transport is not None:
            self._transport.abort()
