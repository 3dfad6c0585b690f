"""Services killed in the middle of their work: nothing is lost, nothing is doubled."""

from __future__ import annotations

import signal
import time
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from tests.cloud.fleet import uuid, wait_for, window

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cloud.fleet import Box, Database, Ingest
    from tests.testbed.servers import Servers
    from wire.topics import Address

MANY = 6000


def count(database: Database) -> tuple[int, int]:
    """Rows, and different ones."""
    (found,) = database.rows("select count(*), count(distinct (boot_id, seq)) from telemetry_10s")
    return tuple(found)


def has(database: Database, rows: int) -> bool:
    return count(database)[0] >= rows


def test_ingest_killed_in_the_middle_loses_and_doubles_nothing(
    database: Database, ingest: Callable[..., Ingest], box: Callable[[Address], Box]
) -> None:
    one = box(database.enrol("one"))
    service = ingest(KINEBOX_INGEST_BATCH="50")
    service.stop()  # its session stays: the broker keeps everything from here on
    one.send(*(window("one", seq) for seq in range(1, MANY + 1)))
    for part in (1, 2, 3):
        service.start()
        wait_for(partial(has, database, part * MANY // 20), what="a part of the rows")
        service.kill()
    assert count(database)[0] < MANY
    service.start()
    wait_for(lambda: one.acked == {UUID(uuid("one boot")): MANY}, what="all acknowledged")
    assert count(database) == (MANY, MANY)
    assert service.stop() == 0


def test_two_replicas_share_the_messages_and_agree_on_what_is_acknowledged(
    database: Database, ingest: Callable[..., Ingest], box: Callable[[Address], Box]
) -> None:
    boxes = [box(database.enrol(name)) for name in ("one", "two")]
    replicas = [ingest(f"ingest-{n}", KINEBOX_INGEST_BATCH="100") for n in (0, 1)]
    for one, name in zip(boxes, ("one", "two"), strict=True):
        one.send(*(window(name, seq) for seq in range(1, 1501)))
    wait_for(lambda: [list(one.acked.values()) for one in boxes] == [[1500], [1500]], what="all acknowledged")
    assert count(database) == (3000, 3000)
    assert all(one.metric("kinebox_ingest_windows_total") > 500 for one in replicas)


def test_a_stopped_ingest_acknowledges_what_it_wrote_and_leaves_the_rest_to_the_broker(
    database: Database, ingest: Callable[..., Ingest], box: Callable[[Address], Box]
) -> None:
    one = box(database.enrol("one"))
    service = ingest(KINEBOX_INGEST_BATCH="100")
    one.send(*(window("one", seq) for seq in range(1, 2001)))
    assert service.stop() == 0
    before = count(database)[0]
    service.start()
    wait_for(lambda: count(database)[0] == 2000, what="all rows")
    assert service.metric("kinebox_ingest_duplicates_total") == 0
    assert service.metric("kinebox_ingest_windows_total") == 2000 - before


def test_while_the_database_is_away_messages_wait(
    testbed: Servers, database: Database, ingest: Callable[..., Ingest], box: Callable[[Address], Box]
) -> None:
    one = box(database.enrol("one"))
    service = ingest()
    one.send(window("one", 1))
    wait_for(lambda: list(one.acked.values()) == [1], what="the first acknowledgement")
    testbed.stop_one("postgres", signal.SIGKILL)
    one.send(*(window("one", seq) for seq in range(2, 501)))
    time.sleep(0.5)
    assert list(one.acked.values()) == [1]
    testbed.start_postgres()
    wait_for(lambda: list(one.acked.values()) == [500], what="all acknowledged")
    assert count(database) == (500, 500)
    assert service.metric("kinebox_ingest_retries_total") > 0


def test_refused_messages_do_not_stop_the_service(
    database: Database, ingest: Callable[..., Ingest], box: Callable[[Address], Box]
) -> None:
    one = box(database.enrol("one"))
    service = ingest()
    one.publish("window", b"{", b"[]", b"\xff" * 30_000)
    one.publish("health", b"\0")
    one.publish("available", b"perhaps")
    one.send(window("one", 1))
    wait_for(lambda: list(one.acked.values()) == [1], what="an acknowledgement")
    wait_for(lambda: database.value("select count(*) from dead_letters") == 5, what="the dead letters")
    assert service.metric('kinebox_ingest_dead_letters_total{reason="too_large"}') == 1
    assert service.health() == 200


def test_without_a_broker_the_service_is_not_well_and_recovers(
    testbed: Servers, database: Database, ingest: Callable[..., Ingest], box: Callable[[Address], Box]
) -> None:
    service = ingest()
    testbed.stop_one("mosquitto", signal.SIGKILL)
    wait_for(lambda: service.health() == 503, what="ingest is not well")
    testbed.start_mosquitto()
    wait_for(lambda: service.health() == 200, what="ingest is well again")
    one = box(database.enrol("one"))
    one.send(window("one", 1))
    wait_for(lambda: list(one.acked.values()) == [1], what="an acknowledgement")
