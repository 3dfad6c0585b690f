"""A network between boxes and broker that cuts each connection after a while, in the middle of whatever is sent."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from contextlib import suppress
from typing import Self


class BadLink:
    """Listens on `port` and hands on to the broker's. Entered, it runs in a thread of its own."""

    def __init__(self, broker_port: int, mean_s: float) -> None:
        """`mean_s`: how long a connection lasts, on average."""
        self.port = 0
        self.up_s = 0.0
        """For how long connections lasted, all together."""
        self.cuts = 0
        self._broker_port = broker_port
        self._mean_s = mean_s
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="bad link")

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        running: set[asyncio.Task[None]] = set()

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            running.add(task)
            try:
                await self._hand_on(reader, writer)
            finally:
                running.discard(task)

        server = await asyncio.start_server(take, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _hand_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        began = time.monotonic()
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._broker_port)
        except OSError:
            writer.transport.abort()
            return
        pumps = [asyncio.create_task(pump(reader, back)), asyncio.create_task(pump(there, writer))]
        try:
            lasts = random.expovariate(1 / self._mean_s)
            done, _ = await asyncio.wait(pumps, timeout=lasts, return_when=asyncio.FIRST_COMPLETED)
            self.cuts += not done
        finally:
            self.up_s += time.monotonic() - began
            for task in pumps:
                task.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for end in (writer, back):
                end.transport.abort()


async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Hand on until one of both is gone."""
    with suppress(OSError):
        while data := await source.read(65_536):
            target.write(data)
            await target.drain()
