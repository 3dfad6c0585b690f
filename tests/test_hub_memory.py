"""The hub's memory does not grow with the people who have come and gone."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
from collections import Counter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from edge.hub.hub import Hub
from edge.store import Store
from tests.coach.test_observer import RATE, frame, squatting
from tests.test_hub import HELLO

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from edge.link import Subject
    from edge.web.broadcast import Client

AT_ONCE, COUPLES = 2, 3
PEOPLE = AT_ONCE * COUPLES
STAY = [squatting(number, 0) for number in range(0, round(4 * RATE), 3)]
"""Ten pictures a second."""
GONE = round(11 * RATE)
"""Pictures after which somebody has left."""


class Room:
    """People come two at a time, squat for four seconds, and leave; a browser watches."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.people = 0
        self._picture = 0
        hub.caretaker._clock = lambda: self._picture / RATE  # what it keeps for seconds is theirs, too

    async def generation(self) -> None:
        for _ in range(COUPLES):
            ids = range(self.people + 1, self.people + 1 + AT_ONCE)
            self.people += AT_ONCE
            for squat in STAY:
                self._take(*(replace(squat, id=one) for one in ids))
                await asyncio.sleep(0)
            self._picture += GONE
            self._take()
            self.hub.caretaker.tick()
            self.hub.recorder.store.flush()

    def _take(self, *seen: Subject) -> None:
        self._picture += 3
        self.hub.take(replace(frame(self._picture, *seen), timings={"model": 20.0, "total": 25.0}))


async def _watch(client: Client) -> None:
    while True:
        await client.get()


def objects() -> tuple[Counter[type], int]:
    """Objects by type, and the blocks that everything takes: numbers and texts are no objects to the collector."""
    gc.collect()
    blocks = sys.getallocatedblocks()
    return Counter(map(type, gc.get_objects())), blocks


def test_nothing_is_kept_of_those_who_have_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.web.live.SAID_MOST", 4)  # full after two people, not after sixteen

    async def generations(hub: Hub) -> list[tuple[Counter[type], int]]:
        room, known = Room(hub), []
        with hub.live.clients.client() as client:
            watching = asyncio.create_task(_watch(client))
            for _ in range(3):
                await room.generation()
                known.append(objects())
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
        return known

    with Store(tmp_path / "kinebox.db") as store:
        hub = Hub(store, "auto")
        hub.take(HELLO)
        _, (before, blocks), (after, blocks_after) = asyncio.run(generations(hub))
        assert len(store.sessions(50)) == 3 * PEOPLE
    assert {kind: count for kind, count in (after - before).items() if count >= PEOPLE} == {}
    assert blocks_after - blocks < 20 * PEOPLE
