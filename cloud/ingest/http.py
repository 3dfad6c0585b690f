"""/healthz and /metrics, in a thread of their own: they answer while a batch is being written."""

from __future__ import annotations

import threading
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import make_wsgi_app

from cloud.ingest.metrics import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
        """Say nothing of every scrape."""


class Http:
    """The server; `problem` gives "" or what is wrong."""

    def __init__(self, host: str, port: int, problem: Callable[[], str]) -> None:
        metrics = make_wsgi_app(REGISTRY)

        def app(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            if environ["PATH_INFO"] == "/metrics":
                answer: Iterable[bytes] = metrics(environ, start)
                return answer
            if environ["PATH_INFO"] == "/healthz":
                wrong = problem()
                start("503 Service Unavailable" if wrong else "200 OK", [("Content-Type", "text/plain")])
                return [(wrong or "ok").encode()]
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [b"not found"]

        self._server = make_server(host, port, app, _Server, _Quiet)
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, daemon=True, name="http").start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
