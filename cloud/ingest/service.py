"""The service: takes batches from the broker, has them written, and only then acknowledges.

Whatever fails in between, the messages stay with the broker and with the boxes, and come again:
the database knows each by its number and keeps it once.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg

from cloud.ingest import metrics
from cloud.ingest.batch import Limits
from cloud.ingest.broker import Broker, Inbox
from cloud.ingest.desired import publish_desired
from cloud.ingest.http import Http
from cloud.ingest.upkeep import run_upkeep
from cloud.ingest.writer import Writer, Written
from wire.messages import Ack, encode

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from cloud.ingest.settings import Settings
    from cloud.mqtt import Connection, Delivery

log = logging.getLogger(__name__)
WORKERS = 2
"""While one waits for the database, the other decodes."""
UNWELL_AFTER_S = 30.0
_T = TypeVar("_T")


class Service:
    """Ingest, from start to stop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._url = str(settings.database_url)
        self._limits = Limits(future_s=settings.future_s, past_s=settings.past_days * 86400)
        self._inbox = Inbox(4 * settings.batch)
        self._broker = Broker(settings, self._inbox)
        self._failing_since: float | None = None
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Finish what is being written, acknowledge it, and leave."""
        self._stopping.set()

    async def run(self) -> None:
        """Run until `stop`."""
        http = Http(self._settings.http_host, self._settings.http_port, self._problem)
        log.info("listening on port %d", http.port)
        metrics.WAITING.set_function(lambda: len(self._inbox))
        metrics.CONNECTED.set_function(lambda: self._broker.connected)
        broker = asyncio.create_task(self._broker.run())
        workers = [asyncio.create_task(self._work()) for _ in range(WORKERS)]
        upkeep = asyncio.create_task(self._upkeep())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            # A worker ends on its own only by a fault of ours: then the whole service ends, and is started again.
            await asyncio.wait([stopping, broker, upkeep, *workers], return_when=asyncio.FIRST_COMPLETED)
            self._stopping.set()
            await asyncio.gather(*workers)
        finally:
            for task in (broker, upkeep, stopping, *workers):
                task.cancel()
            await asyncio.gather(broker, upkeep, stopping, *workers, return_exceptions=True)
            http.close()
        for task in (broker, upkeep):
            if not task.cancelled() and (error := task.exception()):
                raise error

    def _problem(self) -> str:
        if not self._broker.connected:
            return "the broker is not connected"
        if self._failing_since is not None and time.monotonic() - self._failing_since > UNWELL_AFTER_S:
            return "the database does not take anything"
        return ""

    async def _work(self) -> None:
        writer = Writer(self._url, self._limits)
        try:
            while deliveries := await self._unless_stopping(
                self._inbox.take(self._settings.batch, self._settings.linger_s)
            ):
                started = time.monotonic()
                written = await self._write(writer, [(d.topic, d.payload) for d in deliveries])
                if written is None:
                    return
                metrics.COMMIT.observe(time.monotonic() - started)
                self._acknowledge(deliveries, written)
        finally:
            writer.close()

    async def _write(self, writer: Writer, messages: list[tuple[str, bytes]]) -> Written | None:
        """Write, and try again for as long as it takes; None when the service stops meanwhile."""
        wait = 0.1
        while True:
            try:
                written = await asyncio.to_thread(writer.write, messages)
            except psycopg.Error as error:
                self._failing_since = self._failing_since or time.monotonic()
                metrics.RETRIES.inc()
                log.warning("the database does not take a batch, trying again: %s", error)
                writer.close()
            else:
                self._failing_since = None
                return written
            pause = asyncio.sleep(wait * random.uniform(0.5, 1.0), result=True)  # noqa: S311 (spreads, hides nothing)
            if not await self._unless_stopping(pause):
                return None
            wait = min(wait * 2, 5.0)

    async def _unless_stopping(self, awaitable: Coroutine[Any, Any, _T]) -> _T | None:
        """The result, or None when the service stops before there is one."""
        task, stopping = asyncio.create_task(awaitable), asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait([task, stopping], return_when=asyncio.FIRST_COMPLETED)
            return await task if task.done() else None
        finally:
            task.cancel()
            stopping.cancel()

    def _acknowledge(self, deliveries: Sequence[Delivery], written: Written) -> None:
        packets: dict[Connection, list[int]] = {}
        for delivery in deliveries:
            if delivery.packet is not None:
                packets.setdefault(delivery.connection, []).append(delivery.packet)
        for connection, numbers in packets.items():
            connection.acknowledge(numbers)
        self._broker.publish(
            (
                settled.device.address.topic("ack"),
                encode(Ack(device=str(settled.device.device), boot=settled.boot, seq=settled.seq)),
            )
            for settled in written.settled
        )
        metrics.MESSAGES.inc(len(deliveries))
        metrics.BATCH.observe(len(deliveries))
        metrics.WINDOWS.inc(written.added)
        metrics.DUPLICATES.inc(written.windows - written.added)
        for letter in written.dead:
            metrics.DEAD.labels(letter.reason).inc()

    async def _upkeep(self) -> None:
        while True:
            try:
                await asyncio.to_thread(run_upkeep, self._url, self._settings.keep_days)
                await publish_desired(self._url, self._broker.retain)
            except psycopg.Error as error:
                log.warning("upkeep failed, trying again later: %s", error)
            await asyncio.sleep(self._settings.upkeep_s)
