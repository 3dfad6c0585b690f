"""Before anything else sees a request: its size, where it comes from, and the headers of each answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException

from cloud.api.problems import problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from cloud.api.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
HSTS = "max-age=31536000"


class Guard:
    """ASGI middleware. A browser's cookies serve only requests of our own pages (Origin, beside SameSite)."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._max_body = settings.max_body
        self._origin = settings.origin
        self._headers = SECURITY_HEADERS | ({"strict-transport-security": HSTS} if settings.secure else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        left = self._max_body

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                changed = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    changed.setdefault(name, value)
            await send(message)

        async def receive_some() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413)
            return message

        origin = headers.get("origin")
        if scope["method"] not in SAFE_METHODS and origin not in (None, self._origin):
            refused = problem(403, "foreign_origin", "this request comes from another site's page")
            await refused(scope, receive, send_with_headers)
            return
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > self._max_body:
            refused = problem(413, "body_too_large", f"at most {self._max_body} bytes are taken")
            await refused(scope, receive, send_with_headers)
            return
        await self._app(scope, receive_some, send_with_headers)
