"""Uvicorn inside an event loop that belongs to somebody else."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from edge.errors import ConfigError
from edge.web.settings import LOCAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI

MAX_CONNECTIONS = 256
MAX_MESSAGE = 1024
"""Bytes: a browser sends nothing but pings."""
SEND_BUFFER = 64 * 1024
"""About a second of frames: what waits in the kernel cannot be taken back when it gets old."""
UNACKNOWLEDGED_MS = 30_000
GOODBYE_S = 3

_REMEDIES = {
    errno.EADDRINUSE: "Another program, perhaps another Kinebox, uses this port: stop it or choose another port",
    errno.EACCES: "Ports below 1024 need a privilege: choose a higher one",
    errno.EADDRNOTAVAIL: "No network interface has this address: choose another one to listen on",
}


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on `host` and `port`; 0 takes a free port, see `getsockname()`.

    Do this first: it fails before a camera or a database was touched. Raises `ConfigError`.
    """
    try:
        if not 0 <= port <= 65535:  # getaddrinfo would wrap it around
            raise OverflowError("a port is a number from 0 to 65535")  # noqa: TRY301
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Connections inherit these.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
            listener.bind(address)
            listener.listen(128)
        except BaseException:
            listener.close()
            raise
    except (OSError, OverflowError, UnicodeError) as error:
        remedy = _REMEDIES.get(getattr(error, "errno", None) or 0, "Choose another address or port")
        raise ConfigError(f"The dashboard cannot listen on {host} port {port}: {error}", remedy) from error
    return listener


@contextmanager
def listen_for_root(folder: str | None = None) -> Iterator[list[socket.socket]]:
    """A socket in the folder that systemd made for this process, for root, who needs no network to ask.

    folder: None: RUNTIME_DIRECTORY; without one there is none. It is gone with the process, so that a hub that does
    not run is told from one that does not answer. Raises `ConfigError`.
    """
    folder = folder or os.environ.get("RUNTIME_DIRECTORY")
    if not folder:
        yield []
        return
    path = Path(folder) / LOCAL
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        try:
            path.unlink(missing_ok=True)
            listener.bind(str(path))
            path.chmod(0o600)
            listener.listen(8)
        except OSError as error:
            raise ConfigError(f"{path} cannot be listened on: {error}", "See RUNTIME_DIRECTORY") from error
        try:
            yield [listener]
        finally:
            with contextlib.suppress(OSError):
                path.unlink()


async def serve(app: FastAPI, *listeners: socket.socket) -> None:
    """Serve `app` until cancelled; browsers get a goodbye. Signals stay the caller's business."""
    server = _Server(
        uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_graceful_shutdown=GOODBYE_S,
            ws_max_size=MAX_MESSAGE,
            ws_per_message_deflate=False,  # a frame is encoded once for everybody, not packed for each
        )
    )
    running = asyncio.create_task(server.serve(sockets=list(listeners)))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        server.should_exit = True
        await running
        raise


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave SIGINT and SIGTERM to the hub."""
        yield
