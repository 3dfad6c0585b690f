"""Desired states reach boxes by the broker: retained, again when a box comes back, and with the newest serial."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.cloud.fleet import Box, Database, Ingest, uuid, wait_for
from wire.messages import Birth, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.testbed.servers import Servers
    from wire.topics import Address


class Listener:
    """What is said on the topic `desired` of a box."""

    def __init__(self, servers: Servers, address: Address) -> None:
        self.heard: list[tuple[bytes, bool]] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe(address.topic("desired"), qos=1)
        self._client.on_message = lambda _client, _data, m: self.heard.append((bytes(m.payload), m.retain))
        self._client.connect("127.0.0.1", servers.mqtt_port)
        self._client.loop_start()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def listen(testbed: Servers) -> Iterator[Callable[[Address], Listener]]:
    made: list[Listener] = []

    def make(address: Address) -> Listener:
        made.append(Listener(testbed, address))
        return made[-1]

    yield make
    for one in made:
        one.close()


def desire(database: Database, name: str, serial: int, envelope: bytes) -> None:
    database.rows(
        """insert into desired_states (device_id, tenant_id, serial, envelope, issued)
           select id, tenant_id, %s, %s, now() from devices where device = %s
           on conflict (device_id) do update set serial = excluded.serial, envelope = excluded.envelope""",
        serial, envelope, uuid(name),
    )  # fmt: skip


def birth(name: str) -> bytes:
    return encode(Birth(device=uuid(name), boot=uuid("boot"), software="0.1.0", started=None))


def test_states_are_retained_and_told_again(
    database: Database,
    ingest: Callable[..., Ingest],
    box: Callable[[Address], Box],
    listen: Callable[[Address], Listener],
) -> None:
    here = database.enrol("desired-1")
    for number in range(2, 60):
        database.enrol(str(number))
        desire(database, str(number), 1, b"x")
    desire(database, "desired-1", 7, b"seven")
    ingest(KINEBOX_INGEST_UPKEEP_S="0.2")

    def published() -> int:
        return int(database.value("select count(*) from desired_states where published = serial"))

    wait_for(lambda: published() == 59, what="all are published")
    late = listen(here)
    wait_for(lambda: late.heard == [(b"seven", True)])
    desire(database, "desired-1", 8, b"eight")
    wait_for(lambda: late.heard[1:] == [(b"eight", False)])
    wait_for(lambda: published() == 59)
    # A box that comes back: whatever the broker has kept, it is told.
    box(here).publish("birth", birth("desired-1"))
    wait_for(lambda: late.heard[2:] == [(b"eight", False)])
    assert database.value("select count(*) from dead_letters") == 0


def test_it_waits_for_the_broker(
    database: Database, ingest: Callable[..., Ingest], testbed: Servers, listen: Callable[[Address], Listener]
) -> None:
    here = database.enrol("desired-2")
    running = ingest(KINEBOX_INGEST_UPKEEP_S="0.2")
    testbed.stop_one("mosquitto", signal.SIGKILL)
    wait_for(lambda: running.health() == 503)
    desire(database, "desired-2", 3, b"three")
    testbed.start()
    wait_for(lambda: bool(database.value("select published = serial from desired_states")))
    heard = listen(here)
    wait_for(lambda: heard.heard == [(b"three", True)])
