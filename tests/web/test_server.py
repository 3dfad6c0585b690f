"""Uvicorn as a guest in the hub's event loop."""

from __future__ import annotations

import asyncio
import signal
import socket
from typing import TYPE_CHECKING

import pytest

from edge.errors import ConfigError
from edge.web.server import listen, serve
from tests.web.box import running

if TYPE_CHECKING:
    from pathlib import Path


def test_a_port_in_use() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(ConfigError, match=f"127.0.0.1 port {port}") as refused:
            listen("127.0.0.1", port)
    assert "another port" in refused.value.remedy


@pytest.mark.parametrize(
    ("host", "port", "hint"),
    [
        ("192.0.2.1", 0, "interface"),
        ("no-such-host.invalid", 0, "another address"),
        ("127.0.0.1", 70000, "another address"),
        ("127.0.0.1", -1, "another address"),
        ("x" * 300, 0, "another address"),
    ],
)
def test_nowhere_to_listen(host: str, port: int, hint: str) -> None:
    with pytest.raises(ConfigError, match="cannot listen") as refused:
        listen(host, port)
    assert hint in refused.value.remedy


def test_listening_on_a_name() -> None:
    with listen("localhost", 0) as listener:
        assert listener.family == socket.AF_INET


def test_signals_stay_the_hubs(tmp_path: Path) -> None:
    from fastapi import FastAPI

    async def main() -> None:
        before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
        listener = listen("127.0.0.1", 0)
        task = asyncio.create_task(serve(FastAPI(), listener))
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
        assert b"404" in await reader.readline()
        writer.close()
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert listener.fileno() == -1

    asyncio.run(main())


def test_the_port_is_free_again_at_once(tmp_path: Path) -> None:
    with running(tmp_path) as box, box.client() as http:
        http.get("/healthz")
        port = box.port
    with listen("127.0.0.1", port):
        pass
