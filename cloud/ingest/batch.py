"""Sorts a batch of messages: what goes into which table, which numbers are settled by it, and what is refused."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from cloud.ingest.decode import Decoder, Row, durable_key
from cloud.ingest.devices import Device
from cloud.ingest.values import Reader, Values
from wire.messages import Birth, ContractError, Durable, Health, SessionChange, decode
from wire.topics import Address, Kind, parse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from cloud.ingest.devices import Directory

KEPT_WHOLE = 64 * 1024
"""Bytes of a refused message that are kept. One that is longer was not made by a box: it is never settled."""


class DeadLetter(msgspec.Struct, frozen=True):
    """A message that is refused, and why."""

    topic: str
    payload: bytes
    reason: str
    detail: str
    device: Device | None = None


class Boot(msgspec.Struct):
    """What a batch says of one start of one box."""

    device: Device
    boot: str
    seqs: set[int] = msgspec.field(default_factory=set)
    floor: int = 1
    id: int = 0
    """In the database, once it is claimed there."""
    had: set[int] = msgspec.field(default_factory=set)
    """Those of `seqs` that were committed before."""

    def ranges(self) -> str:
        """The numbers as an int8multirange."""
        found: list[list[int]] = []
        for seq in sorted(self.seqs):
            if found and found[-1][1] == seq:
                found[-1][1] += 1
            else:
                found.append([seq, seq + 1])
        return "{" + ",".join(f"[{first},{end})" for first, end in found) + "}"


class Limits(msgspec.Struct, frozen=True):
    """How far from now the beginning of a message may lie, in seconds."""

    future_s: float
    past_s: float


class Batch(msgspec.Struct):
    """What one transaction writes."""

    received: float
    """UTC seconds: the time of what has none."""
    values: Values
    """Metrics and grades of the windows."""
    windows: list[tuple[Boot, Row]] = msgspec.field(default_factory=list)
    sessions: list[tuple[Boot, SessionChange]] = msgspec.field(default_factory=list)
    boots: dict[tuple[int, str], Boot] = msgspec.field(default_factory=dict)
    health: list[tuple[Device, Health]] = msgspec.field(default_factory=list)
    births: list[tuple[Device, Birth]] = msgspec.field(default_factory=list)
    available: list[tuple[Device, str]] = msgspec.field(default_factory=list)
    dead: list[DeadLetter] = msgspec.field(default_factory=list)


Message = tuple[str, bytes]
"""Topic and payload."""


class Sorter:
    """Turns messages into batches. Remembers what topics mean."""

    def __init__(self, decoder: Decoder, directory: Directory, limits: Limits) -> None:
        self._decoder = decoder
        self._reader = Reader(decoder)
        self._directory = directory
        self._limits = limits
        self._topics: dict[str, tuple[Address, Kind] | None] = {}

    def addresses(self, messages: Sequence[Message]) -> set[Address]:
        """Who the messages are from: the directory must load them before `sort`."""
        if len(self._topics) > 1_000_000:
            self._topics.clear()
        topics = {topic for topic, _ in messages}
        for topic in topics - self._topics.keys():
            self._topics[topic] = parse(topic)
        return {found[0] for topic in topics if (found := self._topics[topic])}

    def sort(self, messages: Sequence[Message], received: float | None = None) -> Batch:
        """Never raises for what a message holds: what is not right is in `dead`. `received`: UTC seconds, or now."""
        now = time.time()
        batch = Batch(now if received is None else received, Values(self._reader))
        senders: dict[str, tuple[Device | None, Kind]] = {}
        for topic, payload in messages:
            device: Device | None = None
            try:
                if topic not in senders:
                    senders[topic] = self._sender(topic)
                device, kind = senders[topic]
                if device is None:
                    raise _UnknownError(topic)
                if kind == "window":
                    row = self._decoder.window(payload)
                    self._check(device, row.device, row.at, now)
                    if boot := _note(batch, device, row.boot, row.seq, row.floor):
                        batch.windows.append((boot, row))
                        batch.values.add(row)
                else:
                    self._add(batch, device, kind, payload, now)
            except (ContractError, _RefusedError) as error:
                batch.dead.append(DeadLetter(topic, payload, error.reason, str(error)[:500], device))
                if device is not None and len(payload) <= KEPT_WHOLE:
                    _settle(batch, device, durable_key(payload))
        return batch

    def _sender(self, topic: str) -> tuple[Device | None, Kind]:
        place = self._topics[topic]
        if place is None:
            raise ContractError("kind", "no topic of ours")
        return self._directory.get(place[0]), place[1]

    def _add(self, batch: Batch, device: Device, kind: Kind, payload: bytes, now: float) -> None:
        if kind == "available":
            text = payload.decode(errors="replace")
            if text not in ("online", "stopped", "offline"):
                raise _RefusedError("malformed", f"availability is {text[:20]!r}")
            batch.available.append((device, text))
            return
        message = decode(payload)
        self._check(device, message.device, message.at if isinstance(message, Durable) else None, now)
        match kind, message:
            case "session", SessionChange():
                if boot := _note(batch, device, message.boot, message.seq, message.floor):
                    batch.sessions.append((boot, message))
            case "health", Health():
                batch.health.append((device, message))
            case "birth", Birth():
                batch.births.append((device, message))
            case _:
                raise _RefusedError("kind", f"a {type(message).__name__} on the topic {kind}")

    def _check(self, device: Device, named: str, at: float | None, now: float) -> None:
        if named != device.address.device:
            raise _RefusedError(
                "wrong_device", f"the message names {named}, its topic {device.address.device}"
            )
        if at is None:
            return
        if at > now + self._limits.future_s:
            raise _RefusedError("future", f"{at - now:.0f} s ahead")
        if at < now - self._limits.past_s:
            raise _RefusedError("past", f"{(now - at) / 86400:.0f} days back")


class _RefusedError(ValueError):
    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class _UnknownError(_RefusedError):
    def __init__(self, topic: str) -> None:
        super().__init__("unknown_device", f"no device is enrolled at {topic.rpartition('/')[0]}")


def _note(batch: Batch, device: Device, boot: str, seq: int, floor: int) -> Boot | None:
    """Note the number and return its boot; None where the batch has it already."""
    key = device.id, boot
    entry = batch.boots.get(key)
    if entry is None:
        entry = batch.boots[key] = Boot(device, boot)
    if floor > entry.floor:  # noqa: PLR1730 (a call of max takes three times as long)
        entry.floor = floor
    if seq in entry.seqs:
        return None
    entry.seqs.add(seq)
    return entry


def _settle(batch: Batch, device: Device, key: tuple[UUID, UUID, int] | None) -> None:
    """A refused message is kept as a dead letter: its box need not send it again."""
    if key is not None and key[0] == device.device:
        _note(batch, device, str(key[1]), key[2], 1)
