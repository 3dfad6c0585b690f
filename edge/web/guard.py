"""Who may talk to the dashboard: checked before anything else sees the request.

- The Host header must name this box: a page of another site whose name was made to resolve to this address
  (DNS rebinding) sends its own name.
- WebSockets and requests that change something must come from the dashboard's own pages (Origin).
- Beyond loopback a token is needed: from the printed link once, then from a cookie; programs send it as
  `Authorization: Bearer`. Only /healthz answers without.
"""

from __future__ import annotations

import re
import secrets
import time
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, RedirectResponse, Response

from edge.web.problems import problem
from edge.web.settings import LOOPBACK_NAMES, WebSettings, as_address, own_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "kinebox_token"
COOKIE_DAYS = 365
OPEN_PATHS = frozenset({"/healthz"})
_HOST = re.compile(r"(\[(?P<v6>[0-9a-f:.]+)\]|(?P<name>[0-9a-z._-]+))(:[0-9]{1,5})?")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""Sent with every response."""


class Guard:
    """ASGI middleware: refuses who may not talk to the dashboard, and adds the security headers."""

    def __init__(
        self, app: ASGIApp, settings: WebSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Guard `app` as `settings` says; `clock` is monotonic seconds."""
        self._app = app
        self._token = settings.token
        self._names = {*LOOPBACK_NAMES, settings.host.lower(), *(name.lower() for name in settings.names)}
        # An address cannot be rebound to another machine, a name can.
        self._any_address = not settings.loopback
        if self._any_address:
            self._names.update(own_names())
        self._failures = Failures(clock)
        self._page = Path(__file__).with_name("token_needed.html").read_text(encoding="utf-8")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send_with_headers)
        else:
            await refusal(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_own(host):
            return problem(
                421, "wrong_host", "This name is not one of the box's own; see the setting `names`"
            )
        websocket = scope["type"] == "websocket"
        if websocket or scope["method"] not in SAFE_METHODS:
            origin = headers.get("origin")
            if origin is not None and _netloc(origin) != host.lower():
                return problem(403, "cross_origin", "Only the dashboard's own pages may do this")
        if self._token is None or scope["path"] in OPEN_PATHS:
            return None
        return self._check_token(scope, headers, self._token)

    def _is_own(self, host: str) -> bool:
        match = _HOST.fullmatch(host.lower())
        if match is None:
            return False
        name = match["v6"] or match["name"]
        return name in self._names or (self._any_address and as_address(name) is not None)

    def _check_token(self, scope: Scope, headers: Headers, token: str) -> Response | None:
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        linked = query.pop("token", None) if scope["type"] == "http" else None
        given = [
            text for text in (_bearer(headers), HTTPConnection(scope).cookies.get(COOKIE), linked) if text
        ]
        if not any(_equal(text, token) for text in given):
            return self._unknown(scope, headers, failed=bool(given))
        if linked is None:
            return None
        # Out of the address bar and into a cookie that no script can read.
        path = "/" + quote(scope["path"].lstrip("/\\"))
        response = RedirectResponse(path + (f"?{urlencode(query)}" if query else ""), 303)
        response.set_cookie(
            COOKIE,
            token,
            max_age=COOKIE_DAYS * 86400,
            httponly=True,
            samesite="strict",
            secure=scope["scheme"] == "https",
        )
        return response

    def _unknown(self, scope: Scope, headers: Headers, *, failed: bool) -> Response:
        client = scope["client"][0] if scope.get("client") else ""
        if failed and (wait := self._failures.add(client)):
            return problem(429, "too_many_attempts", headers={"retry-after": str(wait)})
        if scope["type"] == "http" and "text/html" in headers.get("accept", ""):
            return HTMLResponse(self._page, 401, {"cache-control": "no-store"})
        return problem(401, "token_needed", headers={"www-authenticate": "Bearer"})


class Failures:
    """Counts wrong tokens by address. The right one always gets in: nobody can lock its owner out.

    A token has 256 random bits, so guessing is hopeless anyway; this tells a looping client to stop.
    """

    LIMIT = 10
    WINDOW_S = 60.0
    ADDRESSES = 1024

    def __init__(self, clock: Callable[[], float]) -> None:
        """Begin with no failures; `clock` is monotonic seconds."""
        self._clock = clock
        self._since: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def add(self, address: str) -> int:
        """Count a failure; the seconds that the address should wait, 0 while it has not failed too often."""
        now = self._clock()
        since, count = self._since.pop(address, (now, 0))
        if now - since >= self.WINDOW_S:
            since, count = now, 0
        self._since[address] = (since, count + 1)
        if len(self._since) > self.ADDRESSES:
            self._since.popitem(last=False)
        return int(self.WINDOW_S - (now - since)) + 1 if count >= self.LIMIT else 0


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _bearer(headers: Headers) -> str | None:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else None


def _equal(given: str, token: str) -> bool:
    return secrets.compare_digest(given.encode("utf-8", "replace"), token.encode())
