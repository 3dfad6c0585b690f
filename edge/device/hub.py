"""The running hub, asked as any program on the box may ask it: how it is, and whether somebody moves."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
from http import HTTPStatus
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from edge.web.settings import LOCAL
from edge.web.token import FILE as TOKEN

STATE = Path("/var/lib/kinebox")
SOCKET = Path("/run/kinebox-hub") / LOCAL
"""Root's alone: who updates needs no network for it."""
_TIMEOUT_S = 3.0
_ANSWERS = (HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE)

Activity = Literal["idle", "training", "silent"]
"""Whether somebody is before the camera; `silent`: the hub runs, and does not say."""


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

    def __init__(self, socket: Path, token: str | None = None) -> None:
        self._socket = socket
        self._headers = {"host": "localhost"} | (
            {} if token is None else {"authorization": f"Bearer {token}"}
        )

    def look(self) -> Look:
        """How it is: whether it answers, keeps what it measures, and can write what waits for the cloud."""
        try:
            health = msgspec.json.decode(self._get("/healthz"), type=_Health)
            status = msgspec.json.decode(self._get("/api/v1/status"), type=_Status)
            figures = self._figures()
        except (OSError, http.client.HTTPException, msgspec.DecodeError, ValueError) as error:
            return Look(f"the hub does not answer ({error})")
        problem = ""
        if health.store != "ok":
            problem = "the database cannot be written"
        elif not figures.get("kinebox_outbox_up", 1.0):
            problem = "the outbox cannot be written"
        delivers = not problem and health.camera == "live" and health.status == "ok"
        return Look(problem, delivers, status.link.frames, status.uptime_s)

    def activity(self) -> Activity:
        """Whether somebody is before the camera, or a session is open. Without a running hub there is no session."""
        try:
            if self._figures().get("kinebox_subjects"):
                return "training"
            newest = msgspec.json.decode(self._get("/api/v1/sessions?limit=20"), type=_Sessions)
        except (FileNotFoundError, ConnectionRefusedError):
            return "idle"
        except (OSError, http.client.HTTPException, msgspec.DecodeError, ValueError):
            return "silent"
        return "training" if any(session.end_reason is None for session in newest.sessions) else "idle"

    def _figures(self) -> dict[str, float]:
        families = text_string_to_metric_families(self._get("/metrics").decode())
        return {sample.name: sample.value for family in families for sample in family.samples}

    def _get(self, path: str) -> bytes:
        with contextlib.closing(_Connection(self._socket)) as connection:
            connection.request("GET", path, headers=self._headers)
            answer = connection.getresponse()
            if answer.status not in _ANSWERS:
                raise http.client.HTTPException(f"{answer.status} {answer.reason}")
            return answer.read()


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_TIMEOUT_S)
        self.sock.connect(str(self._path))


def own_hub() -> Hub:
    """This box's own."""
    return Hub(SOCKET, _token())


def _token() -> str | None:
    """What the hub asks for where it listens to a network; elsewhere it does not look at it."""
    folder = Path(os.environ.get("KINEBOX_STATE") or STATE)
    try:
        return (folder / TOKEN).read_text(encoding="ascii").strip()
    except OSError:
        return None
