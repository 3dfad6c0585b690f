"""What cloud/bench.py compares: ways from the broker to the database, each with the same guarantees."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from cloud.ingest import metrics as counters
from cloud.ingest.batch import Limits
from cloud.ingest.broker import filters
from cloud.ingest.service import Service
from cloud.ingest.settings import Settings
from cloud.ingest.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

LIMITS = Limits(future_s=600, past_s=400 * 86400)


class Job(msgspec.Struct, frozen=True):
    """What a consumer does."""

    database: str
    mqtt: str
    client: str
    messages: int
    batch: int
    sessions: tuple[str, ...] = ()
    """Client identifiers at the broker."""

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
    """The service, as many replicas as there are sessions, each in a process of its own."""
    context = multiprocessing.get_context("spawn")
    taken, ready, costs = context.Value("q", 0), context.Barrier(len(job.sessions) + 1), context.Queue()
    replicas = [
        context.Process(target=_replica, args=(job, session, taken, ready, costs), daemon=True)
        for session in job.sessions
    ]
    for replica in replicas:
        replica.start()
    ready.wait()
    started = Cost.now()
    while taken.value < job.messages:
        time.sleep(0.002)
    wall = Cost.since(started).wall
    processor = sum(costs.get() for _ in replicas)
    for replica in replicas:
        replica.join()
    return Cost(wall, processor)


def _replica(job: Job, session: str, taken: Any, ready: Any, costs: Any) -> None:
    """One service; it counts in `taken` what it and the others have acknowledged."""
    settings = Settings(
        KINEBOX_DATABASE_URL=job.database, KINEBOX_MQTT_URL=job.mqtt, client_id=session, group=job.client,
        batch=job.batch, http_port=0, upkeep_s=3600,
    )  # type: ignore[call-arg]  # fmt: skip

    async def run() -> None:
        service = Service(settings)
        ready.wait()
        started = Cost.now()
        running = asyncio.create_task(service.run())
        before = 0
        while taken.value < job.messages:
            await asyncio.sleep(0.005)
            now = int(counters.MESSAGES._value.get())
            with taken.get_lock():
                taken.value += now - before
            before = now
        costs.put(Cost.since(started).processor)
        service.stop()
        await running

    asyncio.run(run())


def with_paho(job: Job) -> Cost:
    """A consumer on paho-mqtt; its network loop has a thread, as ours has."""
    writer = Writer(job.database, LIMITS)
    arrived = threading.Semaphore(0)
    waiting: list[paho.MQTTMessage] = []

    def on_message(_client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        waiting.append(message)
        arrived.release()

    client = paho.Client(
        CallbackAPIVersion.VERSION2, client_id=job.sessions[0], protocol=paho.MQTTv5, manual_ack=True
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
        writer = Writer(job.database, LIMITS)
        waiting: list[tuple[tuple[str, bytes], asyncio.Future[int]]] = []
        loop = asyncio.get_running_loop()

        async def on_message(_client: Any, topic: str, payload: bytes, _qos: int, _properties: Any) -> int:
            committed: asyncio.Future[int] = loop.create_future()
            waiting.append(((topic, payload), committed))
            return await committed

        url = urlsplit(job.mqtt)
        client = gmqtt.Client(
            job.sessions[0], clean_session=False, optimistic_acknowledgement=False, session_expiry_interval=3600,
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
