"""What the API counts, for Prometheus."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

REGISTRY = CollectorRegistry()
REQUESTS = Counter("kinebox_api_requests", "Requests", ["route", "method", "status"], registry=REGISTRY)
SECONDS = Histogram("kinebox_api_seconds", "From request to answer", ["route"], registry=REGISTRY)
POOL = Gauge("kinebox_api_pool", "The pool of database connections", ["what"], registry=REGISTRY)
_POOL = ("pool_size", "pool_available", "requests_waiting")


def observe_pool(stats: dict[str, Any]) -> None:
    """Take over the counters of the pool."""
    for what in _POOL:
        POOL.labels(what).set(stats.get(what, 0))


class Counting:
    """ASGI middleware: counts requests by the route's pattern, so that no name or number becomes a label."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count one."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            REQUESTS.labels(route, scope["method"], status).inc()
            SECONDS.labels(route).observe(time.perf_counter() - started)
