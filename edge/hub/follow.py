"""Reading vision's records for ever, however often vision goes and comes back."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from edge.errors import LinkError
from edge.link_socket import Subscriber
from edge.web.messages import Camera

if TYPE_CHECKING:
    from pathlib import Path

    from edge.hub.hub import Hub

log = logging.getLogger("edge.hub")

_RETRY_S = 0.2
"""Pause before vision's socket is tried again."""
_LONGEST_RETRY_S = 10.0
"""The pause grows to this while vision says what this hub cannot understand."""


async def follow(path: Path, hub: Hub) -> None:
    """Read vision's records for ever; when vision goes away, wait until it is back."""
    pause, told = _RETRY_S, ""
    while True:
        try:
            link = Subscriber(path)
        except OSError:
            await asyncio.sleep(_RETRY_S)
            continue
        log.info("connected to vision at %s", path)
        try:
            hub.connect(link)
            await _read(link, hub)
            pause, told = _RETRY_S, ""
        except LinkError as error:
            if str(error) != told:
                log.error("%s. %s", error, error.remedy)
            pause, told = min(2 * pause, _LONGEST_RETRY_S), str(error)
        finally:
            hub.connect(None)
            link.close()
        hub.end("source_ended")
        if hub.live.camera.state == "ended":
            log.info("the recording is over")
        else:
            hub.caretaker.gone()
            hub.live.publish_camera(Camera(camera=hub.live.camera.camera, state="lost", detail="vision_gone"))
            log.warning("vision is gone; waiting for it")
        await asyncio.sleep(pause)


async def _read(link: Subscriber, hub: Hub) -> None:
    """Hand records to the hub until vision closes the connection."""
    loop = asyncio.get_running_loop()
    lost = 0
    while True:
        await _readable(loop, link)
        try:
            while (record := link.read()) is not None:
                hub.lost += link.lost - lost
                lost = link.lost
                hub.take(record)
                await asyncio.sleep(0)  # browsers get their turn between frames of a backlog
        except EOFError:
            return


async def _readable(loop: asyncio.AbstractEventLoop, link: Subscriber) -> None:
    """Wait until there is something to read."""
    ready = asyncio.Event()
    loop.add_reader(link.fileno(), ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(link.fileno())
