"""Who leaves the broker while messages are on their way: what was acknowledged does not come again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cloud.mqtt import Connection, Target, open_connection
from tests.cloud.fleet import uuid
from wire.topics import Address

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud.mqtt import Delivery
    from tests.cloud.fleet import Box
    from tests.testbed.servers import Servers

MESSAGES = 1000


class Receiver:
    """Says when it has so many messages, and may read no further then."""

    def __init__(self, most: int, *, stop: bool) -> None:
        self.deliveries: list[Delivery] = []
        self.enough = asyncio.Event()
        self._most, self._stop = most, stop

    def put(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        if len(self.deliveries) == self._most:
            delivery.connection.pause(self._stop)
            self.enough.set()

    def payloads(self) -> set[bytes]:
        return {each.payload for each in self.deliveries}


async def leave_in_the_middle(servers: Servers, one: Box) -> tuple[set[bytes], set[bytes]]:
    """What was taken and acknowledged just before leaving, with most of it unread; and what comes afterwards."""
    client, topic = f"leaves {one.address.device}", one.address.topic("window")
    target = Target(
        f"mqtt://127.0.0.1:{servers.mqtt_port}", client, session_expiry_s=600, receive_max=MESSAGES
    )
    first = Receiver(200, stop=True)
    connection = Connection(first)
    await open_connection(connection, target, [topic])
    await asyncio.to_thread(one.publish, "window", *((b"%d " % n) * 400 for n in range(MESSAGES)))
    await first.enough.wait()
    connection.acknowledge(each.packet for each in first.deliveries if each.packet is not None)
    await connection.leave()
    second = Receiver(MESSAGES - len(first.deliveries), stop=False)
    connection = Connection(second)
    await open_connection(connection, target, [topic])
    await second.enough.wait()
    await connection.leave()
    return first.payloads(), second.payloads()


def test_what_was_acknowledged_at_the_last_moment_does_not_come_again(
    testbed: Servers, box: Callable[[Address], Box]
) -> None:
    for name in ("one", "two", "three", "four"):
        one = box(Address("gym", "hall", uuid(name)))
        taken, later = asyncio.run(asyncio.wait_for(leave_in_the_middle(testbed, one), 60))
        assert not taken & later
        assert len(taken | later) == MESSAGES
