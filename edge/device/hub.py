"""The running hub, asked as any program on the box may ask it: how it is, and whether somebody moves."""

from __future__ import annotations

import http.client
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from edge.web.settings import is_loopback
from edge.web.token import FILE as TOKEN

SETTINGS = Path("/etc/kinebox/kinebox.env")
STATE = Path("/var/lib/kinebox")
_TIMEOUT_S = 3.0
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked for, not listened on


# As little as is needed: who asks may be older or younger than the hub that answers.
class _Health(msgspec.Struct):
    status: str
    camera: str
    store: str


class _Link(msgspec.Struct):
    frames: int


class _Status(msgspec.Struct):
    link: _Link
    uptime_s: float


class _Session(msgspec.Struct):
    end_reason: str | None


class _Sessions(msgspec.Struct):
    sessions: list[_Session]


class Look(NamedTuple):
    """How the box is at one moment."""

    problem: str
    """Why it does not do its work; empty when it does."""
    camera: bool = False
    """Whether the camera delivers."""
    frames: int = 0
    """Frames that the hub got since its start."""
    uptime_s: float = 0.0
    """Of the hub."""


class Hub:
    """One box's hub."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self._url = url
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # it is on this machine
        self._headers = {} if token is None else {"authorization": f"Bearer {token}"}

    def look(self) -> Look:
        """How it is: whether it answers, keeps what it measures, and can write what waits for the cloud."""
        try:
            health = msgspec.json.decode(self._get("/healthz"), type=_Health)
            status = msgspec.json.decode(self._get("/api/v1/status"), type=_Status)
            figures = self._figures()
        except (OSError, http.client.HTTPException, msgspec.DecodeError, ValueError) as error:
            return Look(f"the hub does not answer ({getattr(error, 'reason', error)})")
        problem = ""
        if health.store != "ok":
            problem = "the database cannot be written"
        elif not figures.get("kinebox_outbox_up", 1.0):
            problem = "the outbox cannot be written"
        delivers = not problem and health.camera == "live" and health.status == "ok"
        return Look(problem, delivers, status.link.frames, status.uptime_s)

    def busy(self) -> bool:
        """Whether somebody is before the camera, or a session is open. A hub that does not answer measures nobody."""
        try:
            if self._figures().get("kinebox_subjects"):
                return True
            newest = msgspec.json.decode(self._get("/api/v1/sessions?limit=20"), type=_Sessions)
        except (OSError, http.client.HTTPException, msgspec.DecodeError, ValueError):
            return False
        return any(session.end_reason is None for session in newest.sessions)

    def _figures(self) -> dict[str, float]:
        families = text_string_to_metric_families(self._get("/metrics").decode())
        return {sample.name: sample.value for family in families for sample in family.samples}

    def _get(self, path: str) -> bytes:
        request = urllib.request.Request(self._url + path, headers=self._headers)  # noqa: S310 - http, see `own_hub`
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            if error.code == http.HTTPStatus.SERVICE_UNAVAILABLE:  # an answer, too
                return error.read()
            raise


def own_hub() -> Hub:
    """This box's own, by the settings that its units are started with."""
    given: dict[str, Any] = {**_environment_file(SETTINGS), **os.environ}
    host = given.get("KINEBOX_HOST") or "127.0.0.1"
    token = None if is_loopback(host) else _token()
    host = _ANYWHERE.get(host, host)
    return Hub(f"http://{f'[{host}]' if ':' in host else host}:{given.get('KINEBOX_PORT') or 8080}", token)


def _environment_file(path: Path) -> dict[str, str]:
    """The KEY=value lines of a file for systemd; empty where there is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.lstrip().startswith(("#", ";")))
    return {key.strip(): value.strip().strip("\"'") for key, value in pairs}


def _token() -> str | None:
    folder = Path(os.environ.get("KINEBOX_STATE") or STATE)
    try:
        return (folder / TOKEN).read_text(encoding="ascii").strip()
    except OSError:
        return None
