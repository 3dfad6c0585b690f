"""The sender against a network that loses, doubles and reorders: everything arrives, and is one at the end."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from edge.uplink import sender as module
from edge.uplink.outbox import Outbox
from edge.uplink.sender import Sender
from tests.uplink.broker import Ledger
from tests.uplink.samples import LIMITS, ME, UTC, now, session, window
from wire.messages import SessionChange, Window, decode
from wire.topics import Address

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HERE = Address("acme", "gym-1", ME)


class Wire:
    """Takes what is sent; a test decides what becomes of it."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Window | SessionChange]] = []
        self.up = True

    def publish(self, topic: str, payload: bytes) -> bool:
        message = decode(payload)
        assert isinstance(message, Window | SessionChange)
        if self.up:
            self.sent.append((topic, message))
        return self.up

    def take(self) -> list[Window | SessionChange]:
        taken, self.sent = [message for _, message in self.sent], []
        return taken


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(tmp_path / "outbox.db", **LIMITS) as outbox:
        yield outbox


@pytest.fixture
def wire() -> Wire:
    return Wire()


def sender(outbox: Outbox, wire: Wire, *, replay_per_s: float = 1000, resend_after_s: float = 30) -> Sender:
    return Sender(outbox, HERE, wire.publish, replay_per_s=replay_per_s, resend_after_s=resend_after_s)


def record(outbox: Outbox, count: int, at: float = UTC) -> None:
    for n in range(count):
        outbox.add(window(reps=n, at=at), 0)
    outbox.flush()


def test_each_kind_on_its_topic_in_order(outbox: Outbox, wire: Wire) -> None:
    outbox.add(session(device="00000000-0000-4000-8000-0000000000ff"), 0)
    outbox.add(window(), 0)
    outbox.flush()
    one = sender(outbox, wire)
    assert one.step(now(10), 100) == 2
    assert one.step(now(11), 100) == 0
    assert [(topic, m.seq, m.device) for topic, m in wire.sent] == [
        (HERE.topic("session"), 1, ME), (HERE.topic("window"), 2, ME),
    ]  # fmt: skip


def test_late_is_historical_and_limited_and_the_present_is_neither(outbox: Outbox, wire: Wire) -> None:
    record(outbox, 30, at=UTC - 3600)
    record(outbox, 5, at=UTC)
    one = sender(outbox, wire, replay_per_s=10)
    counts = [one.step(now(second), 100) for second in range(4)]
    assert counts == [10, 10, 15, 0]
    assert [message.historical for message in wire.take()] == [True] * 30 + [False] * 5


def test_what_is_not_acknowledged_is_sent_again_with_growing_pauses(outbox: Outbox, wire: Wire) -> None:
    record(outbox, 3)
    one = sender(outbox, wire, resend_after_s=30)
    times = [second for second in range(400) if one.step(now(second), 100)]
    assert times == [0, 30, 90, 210]
    assert [message.historical for message in wire.take()] == [False] * 3 + [True] * 9
    assert one.resent == 9


def test_progress_is_patience(outbox: Outbox, wire: Wire) -> None:
    record(outbox, 10)
    ledger = Ledger()
    one = sender(outbox, wire, resend_after_s=30)
    one.step(now(0), 100)
    for second, message in enumerate(wire.take()):  # one acknowledgement every 20 s
        one.step(now(20 * second), 100)
        outbox.acknowledged(ledger.commit(message))
        outbox.flush()
    assert one.resent == 0
    assert outbox.level().rows == 0


def test_never_more_than_may_be_unacknowledged(
    outbox: Outbox, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "UNACKNOWLEDGED", 8)
    record(outbox, 20)
    one = sender(outbox, wire)
    assert [one.step(now(0), 5), one.step(now(1), 5), one.step(now(2), 5)] == [5, 3, 0]
    ledger = Ledger()
    for message in wire.take()[:6]:
        outbox.acknowledged(ledger.commit(message))
    outbox.flush()
    assert one.step(now(3), 100) == 6


def test_a_damaged_row_stops_nothing(outbox: Outbox, wire: Wire) -> None:
    record(outbox, 3)
    outbox._db.execute("UPDATE messages SET body = x'00' WHERE seq = 1")
    ledger = Ledger()
    one = sender(outbox, wire)
    for second in (0, 1, 40):
        one.step(now(second), 100)
        for message in wire.take():
            outbox.acknowledged(ledger.commit(message))
        outbox.flush()
    assert [seq for _, seq in ledger.rows] == [2, 3]
    assert outbox.level()[0::3] == (0, 1)


@pytest.mark.parametrize("seed", range(6))
def test_a_bad_network_and_restarts(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    ledger, wire = Ledger(), Wire()
    second, recorded = 0.0, 0
    path = tmp_path / "outbox.db"
    late: list[Window | SessionChange] = []
    for start in range(4):
        outbox = Outbox(path, **LIMITS)
        one = sender(outbox, wire)
        wire.up = True
        for _ in range(60 if start < 3 else 3000):
            if start == 3 and outbox.level().rows == 0:
                break
            second += chance.uniform(0, 20)
            if start < 3:
                for _ in range(chance.randrange(4)):
                    outbox.add(window(reps=recorded, at=UTC + second), 0)
                    recorded += 1
            if chance.random() < (0.1 if start < 3 or not wire.up else 0.01):
                wire.up = not wire.up
                one.begin_again()
            outbox.tick(now(second))
            one.step(now(second), 20)
            late += wire.take()
            chance.shuffle(late)
            while late and chance.random() < 0.8:
                message = late.pop()
                if chance.random() < 0.2:
                    continue  # lost on the way there
                if chance.random() < 0.2:
                    late.append(message)  # and once more
                answer = ledger.commit(message)
                if chance.random() < 0.8:
                    outbox.acknowledged(answer)
        outbox.close()  # what waits in memory is written; the next start goes on with it
    with Outbox(path, **LIMITS) as outbox:
        assert outbox.level().rows == 0
    assert sorted(message.reps for message in ledger.rows.values()) == list(range(recorded))
