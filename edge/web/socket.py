"""The live WebSocket: frames and events to the browser, pings from it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from edge.web.broadcast import HopelessClientError
from edge.web.messages import Ping

if TYPE_CHECKING:
    from edge.web.broadcast import Client
    from edge.web.live import LiveState

SEND_TIMEOUT_S = 10.0
"""A browser that takes nothing for so long is given up."""
GOODBYE_TIMEOUT_S = 1.0
TRY_AGAIN_LATER = 1013
POLICY_VIOLATION = 1008


def socket_routes(state: LiveState) -> APIRouter:
    """The route of the WebSocket."""
    router = APIRouter()

    @router.websocket("/api/v1/live", name="live")
    async def live(websocket: WebSocket) -> None:
        await websocket.accept()
        if state.clients.full:
            await websocket.close(TRY_AGAIN_LATER, "too_many_clients")
            return
        with state.clients.client() as client:
            for text in state.greeting():
                client.put(text)
            sending = asyncio.create_task(_send(websocket, client))
            receiving = asyncio.create_task(_receive(websocket, client, state))
            try:
                done, _ = await asyncio.wait({sending, receiving}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                sending.cancel()
                receiving.cancel()
                await asyncio.gather(sending, receiving, return_exceptions=True)
        code = done.pop().result()
        if code is not None:
            with suppress(TimeoutError, WebSocketDisconnect):
                async with asyncio.timeout(GOODBYE_TIMEOUT_S):
                    await websocket.close(code)

    return router


async def _send(websocket: WebSocket, client: Client) -> int | None:
    """Send what is queued until the browser is gone (None) or must go (the close code)."""
    try:
        while True:
            text = await client.get()
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await websocket.send_text(text)
    except HopelessClientError:
        return TRY_AGAIN_LATER
    except (TimeoutError, WebSocketDisconnect):
        return None


async def _receive(websocket: WebSocket, client: Client, state: LiveState) -> int | None:
    """Answer pings until the browser is gone (None) or says something else (the close code)."""
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        try:
            ping = msgspec.json.decode(message.get("text") or b"", type=Ping)
        except (msgspec.DecodeError, UnicodeError):
            return POLICY_VIOLATION
        client.put(state.pong(ping.t))
