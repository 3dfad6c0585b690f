"""What vision saw becomes sessions in the store and pages in the browser, until a signal comes.

Started by `kinebox run` or systemd as `python -m edge.hub`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from edge.calibration import camera_settings
from edge.clock import Clock
from edge.coach.coach import AUTO
from edge.device import takeover
from edge.device.disk import Housekeeper
from edge.errors import KineboxError, StoreError
from edge.hub.follow import follow
from edge.hub.hub import Hub
from edge.hub.uplink import open_uplink
from edge.journal import is_journal, log_to_stderr
from edge.notify import Manager
from edge.store import Store, database_path
from edge.uplink.settings import config_file
from edge.web.app import create_app
from edge.web.server import listen, listen_for_root, serve
from edge.web.settings import WebSettings, is_loopback
from edge.web.token import access_token

if TYPE_CHECKING:
    from edge.web.live import LiveState

log = logging.getLogger("edge.hub")

_TICK_S = 0.25


async def keep(store: Store, manager: Manager, live: LiveState, housekeeper: Housekeeper) -> None:
    """Write what is due, a few times a second, in a thread: a slow disk must not stop the frames.

    Each time the store has answered `manager` hears of it. A full disk is an answer, too: starting anew makes no
    room, and would lose what waits.
    """
    told = ""
    while True:
        await asyncio.sleep(_TICK_S)
        try:
            await asyncio.to_thread(housekeeper.tick, time.monotonic())
            await asyncio.to_thread(store.tick, time.monotonic())
        except StoreError as error:
            if str(error) != told:  # it is tried again every second, perhaps for days
                log.error("%s. %s", error, error.remedy)
            told = str(error)
        if told and store.problem is None:
            log.info("what waited is written; recording goes on")
            told = ""
        manager.progress(_condition(live))


def _condition(live: LiveState) -> str:
    """A line for `systemctl status`."""
    now = live.status()
    camera = f"{now.camera.state} ({now.camera.detail})" if now.camera.detail else now.camera.state
    return f"camera {camera}, {now.link.frames} frames, {now.link.dropped} lost"


async def run(socket: Path, database: Path, exercise: str, settings: WebSettings) -> None:
    """Run until cancelled or a signal comes. Raises KineboxError when it cannot start."""
    stop = asyncio.Event()
    manager = Manager()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    listener = listen(settings.host, settings.port)
    with (
        contextlib.closing(manager),
        contextlib.closing(listener),
        listen_for_root() as local,
        Store(database) as store,
    ):
        utc_ns = Clock().utc_ns(time.monotonic_ns())
        closed = store.recover(None if utc_ns is None else utc_ns / 1e9)
        if closed:
            log.warning("%d session(s) of an earlier run were closed as interrupted", closed)
        hub = Hub(store, exercise, camera_settings(config_file()))
        open_uplink(hub, store, database.parent)
        housekeeper = Housekeeper(store, None if hub.uplink is None else hub.uplink.outbox)
        tasks = [
            asyncio.create_task(follow(socket, hub)),
            asyncio.create_task(hub.caretaker.run()),
            asyncio.create_task(keep(store, manager, hub.live, housekeeper)),
            asyncio.create_task(serve(create_app(hub.live, store, settings), listener, *local)),
        ]
        manager.ready(_condition(hub.live))
        url = settings.url(listener.getsockname()[1])
        # The journal is kept, and read by others: the token is not for it.
        print(f"Dashboard: {url.partition('?')[0] if is_journal() else url}", flush=True)
        waiting = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait([*tasks, waiting], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {waiting}:
                task.result()  # a task that ended by itself has failed: say so
        finally:
            for task in (*tasks, waiting):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            hub.end("stopped")
            for part in (hub.household, hub.uplink):
                if part is not None:
                    await asyncio.to_thread(part.stop)


def main(arguments: list[str] | None = None) -> int:
    """Command line of the hub process; the exit code is the error's."""
    parser = argparse.ArgumentParser(prog="kinebox-hub", description=__doc__)
    parser.add_argument("--socket", type=Path, required=True, help="where vision listens")
    parser.add_argument("--database", type=Path, default=None, help="default: the state folder's kinebox.db")
    parser.add_argument("--exercise", default=AUTO, help="id of an exercise, or auto")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    options = parser.parse_args(arguments)
    log_to_stderr()
    try:
        database = options.database or database_path()
        takeover.finish(database.parent)  # a backup that a power cut kept from being restored wholly
        token = None if is_loopback(options.host) else access_token(database.parent)
        settings = WebSettings(host=options.host, port=options.port, token=token)
        asyncio.run(run(options.socket, database, options.exercise, settings))
    except KineboxError as error:
        log.error("%s. %s", error, error.remedy)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
