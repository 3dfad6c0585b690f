"""How fast ingest is: against the database's own limit, and against other MQTT clients with the same guarantees.

    scripts/testbed start       (KINEBOX_TESTBED_DURABLE=1: with fsync, as in earnest)
    python -m cloud.bench --rounds 3

Every round, interleaved: the same windows by a straight binary COPY into the same table with the same indexes (the
limit), and from a filled broker by each client in a process of its own. All clients write with the same Writer and
acknowledge after the commit. Makes and drops the database kinebox_bench; needs the superuser of a test bed.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit, urlunsplit

import mqtt5
import msgspec
import paho.mqtt.client as paho
import psycopg
import typer
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from rich.console import Console
from rich.table import Table

from cloud.fleet_sim.fleet import addresses, enrol
from cloud.ingest import metrics as counters
from cloud.ingest.batch import Limits
from cloud.ingest.broker import filters
from cloud.ingest.service import Service
from cloud.ingest.settings import Settings
from cloud.ingest.writer import Writer
from cloud.mqtt import Connection, Target, open_connection
from cloud.schema.upgrade import upgrade
from wire.messages import Window, encode
from wire.metrics import metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from wire.topics import Address

BOXES = 50
TIMEOUT_S = 30
_LIMITS = Limits(future_s=600, past_s=400 * 86400)


class Job(msgspec.Struct, frozen=True):
    """What a consumer does."""

    database: str
    mqtt: str
    client: str
    messages: int
    batch: int

    def filters(self) -> list[str]:
        """Its subscriptions."""
        return filters(self.client)


class Cost(msgspec.Struct, frozen=True):
    """Seconds, by the clock and of the consumer's processor."""

    wall: float
    processor: float

    @classmethod
    def now(cls) -> Cost:
        """For `since`."""
        return cls(time.perf_counter(), time.process_time())

    @classmethod
    def since(cls, started: Cost) -> Cost:
        """What has passed."""
        now = cls.now()
        return cls(now.wall - started.wall, now.processor - started.processor)


def ours(job: Job) -> Cost:
    """The service."""
    settings = Settings(
        KINEBOX_DATABASE_URL=job.database, KINEBOX_MQTT_URL=job.mqtt, client_id=job.client, group=job.client,
        batch=job.batch, http_port=0, upkeep_s=3600,
    )  # type: ignore[call-arg]  # fmt: skip

    async def run() -> Cost:
        service = Service(settings)
        started = Cost.now()
        running = asyncio.create_task(service.run())
        while counters.MESSAGES._value.get() < job.messages:
            await asyncio.sleep(0.005)
        taken = Cost.since(started)
        service.stop()
        await running
        return taken

    return asyncio.run(run())


def with_paho(job: Job) -> Cost:
    """A consumer on paho-mqtt; its network loop has a thread, as ours has."""
    writer = Writer(job.database, _LIMITS)
    arrived = threading.Semaphore(0)
    waiting: list[paho.MQTTMessage] = []

    def on_message(_client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        waiting.append(message)
        arrived.release()

    client = paho.Client(
        CallbackAPIVersion.VERSION2, client_id=job.client, protocol=paho.MQTTv5, manual_ack=True
    )
    client.on_message = on_message
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 3600
    properties.ReceiveMaximum = min(4 * job.batch, 65_535)
    url = urlsplit(job.mqtt)
    started = Cost.now()
    client.connect(url.hostname or "", url.port or 1883, clean_start=False, properties=properties)
    client.loop_start()
    done = 0
    while done < job.messages:
        arrived.acquire()
        deadline = time.monotonic() + 0.2
        while len(waiting) < job.batch and time.monotonic() < deadline and done + len(waiting) < job.messages:
            time.sleep(0.002)
        taken = waiting[: job.batch]
        del waiting[: len(taken)]
        if not taken:
            continue
        writer.write([(message.topic, bytes(message.payload)) for message in taken])
        for message in taken:
            client.ack(message.mid, message.qos)
        done += len(taken)
    taken_in_all = Cost.since(started)
    client.disconnect()
    client.loop_stop()
    writer.close()
    return taken_in_all


def with_gmqtt(job: Job) -> Cost:
    """A consumer on gmqtt."""
    import gmqtt  # noqa: PLC0415 (measured only where it is installed)

    async def run() -> Cost:
        writer = Writer(job.database, _LIMITS)
        waiting: list[tuple[tuple[str, bytes], asyncio.Future[int]]] = []
        loop = asyncio.get_running_loop()

        async def on_message(_client: Any, topic: str, payload: bytes, _qos: int, _properties: Any) -> int:
            committed: asyncio.Future[int] = loop.create_future()
            waiting.append(((topic, payload), committed))
            return await committed

        url = urlsplit(job.mqtt)
        client = gmqtt.Client(
            job.client, clean_session=False, optimistic_acknowledgement=False, session_expiry_interval=3600,
            receive_maximum=min(4 * job.batch, 65_535),
        )  # fmt: skip
        client.on_message = on_message
        started = Cost.now()
        await client.connect(url.hostname, url.port, version=5)
        done = 0
        while done < job.messages:
            deadline = time.monotonic() + 0.2
            while (
                len(waiting) < job.batch
                and time.monotonic() < deadline
                and done + len(waiting) < job.messages
            ):
                await asyncio.sleep(0.002)
            taken = waiting[: job.batch]
            del waiting[: len(taken)]
            if taken:
                await asyncio.to_thread(writer.write, [message for message, _ in taken])
            for _, committed in taken:
                committed.set_result(0)
            done += len(taken)
        taken_in_all = Cost.since(started)
        await asyncio.sleep(0.5)
        await client.disconnect()
        writer.close()
        return taken_in_all

    return asyncio.run(run())


CONSUMERS: dict[str, Callable[[Job], Cost]] = {"ours": ours, "paho": with_paho, "gmqtt": with_gmqtt}


def windows(fleet: list[Address], count: int) -> list[tuple[str, bytes]]:
    """Windows with every metric of the catalogue, in the order in which boxes send them."""
    dice = random.Random(1)  # noqa: S311 (repeatable)
    start = time.time() - 10 * count / len(fleet) - 60
    made = []
    for n in range(count):
        seq, box = divmod(n, len(fleet))
        device = fleet[box].device
        window = Window(
            device=device, boot=device, seq=seq + 1, at=start + 10 * seq, clock="synchronised", subject=device,
            species="human", session=device, camera="cam0", duration_s=10.0, exercise="squat", reps=3,
            metrics={m.key: round(dice.uniform(m.minimum, m.maximum), 2) for m in metrics().values()},
            grades=dict.fromkeys(metrics(), "A"),
        )  # fmt: skip
        made.append((fleet[box].topic("window"), encode(window)))
    return made


class _Nobody:
    """Takes nothing: the broker keeps it."""

    def put(self, delivery: object) -> None:
        """Leave it."""


async def forget(job: Job) -> None:
    """End the consumer's session, so that the broker does not carry it through the next runs."""
    session = Connection(_Nobody())
    await open_connection(session, Target(job.mqtt, job.client, session_expiry_s=0), job.filters())
    session.close()
    await session.lost


async def fill(job: Job, messages: list[tuple[str, bytes]]) -> None:
    """A session of the consumer's name with all messages waiting in the broker."""
    session = Connection(_Nobody())
    await open_connection(
        session, Target(job.mqtt, job.client, session_expiry_s=3600, receive_max=1), job.filters()
    )
    session.close()
    await session.lost
    sender = Connection(_Nobody())
    await open_connection(sender, Target(job.mqtt, "bench-sender"), ["bench/done"])
    for n, (topic, payload) in enumerate(messages):
        packet = mqtt5.PublishPacket(topic, payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=n % 65_535 + 1)
        sender.send(packet.write())
        if n % 500 == 0:
            await asyncio.sleep(0.01)
    await asyncio.sleep(1)
    sender.close()


def empty(database: str) -> None:
    """As before the first window."""
    with psycopg.connect(database, autocommit=True) as db:
        db.execute("truncate telemetry_10s, boots, subjects, rollup_pending, dead_letters cascade")
        db.execute("checkpoint")


def consume(name: str, job: Job, messages: list[tuple[str, bytes]]) -> Cost:
    """One consumer, in a process of its own."""
    empty(job.database)
    asyncio.run(fill(job, messages))
    code = (
        "from cloud.bench import *; job = msgspec.json.decode(sys.argv[1], type=Job);"
        f"print(msgspec.json.encode(CONSUMERS[{name!r}](job)).decode())"
    )
    command = [sys.executable, "-c", code, msgspec.json.encode(job).decode()]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=TIMEOUT_S)
    cost = msgspec.json.decode(done.stdout, type=Cost)
    asyncio.run(forget(job))
    with psycopg.connect(job.database) as db:
        row = db.execute("select count(*) from telemetry_10s").fetchone()
    if row != (job.messages,):
        raise SystemExit(f"{name}: {row} rows of {job.messages}")
    return cost


def straight(job: Job, messages: list[tuple[str, bytes]]) -> Cost:
    """A binary COPY of the same rows into the same table, a transaction for each batch."""
    empty(job.database)
    writer = Writer(job.database, _LIMITS)
    parts = []
    with psycopg.connect(job.database, autocommit=True) as db:
        for first in range(0, len(messages), job.batch):
            writer.write(messages[first : first + job.batch])
            with db.cursor().copy("copy (select * from telemetry_10s) to stdout (format binary)") as copy:
                parts.append(b"".join(copy))
            db.execute("truncate telemetry_10s")
        writer.close()
        db.execute("checkpoint")
        started = Cost.now()
        for part in parts:
            with db.cursor().copy("copy telemetry_10s from stdin (format binary)") as copy:
                copy.write(part)
        return Cost.since(started)


def main(
    database: Annotated[str, typer.Option(envvar="KINEBOX_DATABASE_URL")],
    mqtt: Annotated[str, typer.Option(envvar="KINEBOX_MQTT_URL")],
    messages: Annotated[int, typer.Option(help="of each run")] = 20_000,
    batch: Annotated[int, typer.Option(help="messages of a transaction")] = 5000,
    rounds: int = 3,
    clients: Annotated[str, typer.Option(help="which, of " + ", ".join(CONSUMERS))] = "ours,paho",
) -> None:
    """Measure, and print medians."""
    with psycopg.connect(database, autocommit=True) as db:
        db.execute("drop database if exists kinebox_bench with (force)")
        db.execute("create database kinebox_bench")
    url = urlunsplit(urlsplit(database)._replace(path="/kinebox_bench"))
    upgrade(url)
    fleet = addresses(BOXES, seed=1)
    enrol(url, fleet)
    made = windows(fleet, messages)
    taken: dict[str, list[Cost]] = {}
    for number in range(rounds):
        job = Job(url, mqtt, "", messages, batch)
        taken.setdefault("straight COPY", []).append(straight(job, made))
        for name in clients.split(","):
            mine = msgspec.structs.replace(job, client=f"bench-{name}-{number}-{time.time_ns()}")
            taken.setdefault(name, []).append(consume(name, mine, made))
    table = Table("", "messages/s", "values/s", "of the limit", "µs of its processor", "rounds (messages/s)")
    limit = statistics.median(cost.wall for cost in taken["straight COPY"])
    for name, costs in taken.items():
        middle = statistics.median(cost.wall for cost in costs)
        each = " ".join(f"{messages / cost.wall:,.0f}" for cost in costs)
        rate = messages / middle
        own = statistics.median(cost.processor for cost in costs) / messages * 1e6
        table.add_row(
            name, f"{rate:,.0f}", f"{rate * len(metrics()):,.0f}", f"{limit / middle:.2f}", f"{own:.1f}", each
        )
    Console().print(table)
    with psycopg.connect(database, autocommit=True) as db:
        db.execute("drop database kinebox_bench with (force)")


if __name__ == "__main__":
    typer.run(main)
