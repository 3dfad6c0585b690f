"""The running box, asked by `kinebox doctor`: what it says is wrong, how it works and why, how its pictures are."""

from __future__ import annotations

import http.client
import os
from pathlib import Path
from typing import NamedTuple

import msgspec

from edge.box_records import REASONS, CameraView, Tuning
from edge.device.doctor_finding import Finding, Verdict
from edge.store.paths import state_dir
from edge.trouble import BY_CODE, Sign, words
from edge.web.token import FILE as TOKEN

SETTINGS = Path("/etc/kinebox/kinebox.env")
_STATE = Path("/var/lib/kinebox")
_MOUNT = Path("/etc/systemd/system/var-lib-kinebox.mount")
"""There where what the box remembers is on an encrypted partition."""
_TIMEOUT_S = 3.0
_BLIND = ("no_pictures",)
"""Troubles with which the box does not do its work at all."""


# As little as is needed: who asks may be older or younger than the hub that answers.
class _Camera(msgspec.Struct):
    state: str
    detail: str = ""
    fps: float = 0.0
    width: int = 0
    height: int = 0


class _Trouble(msgspec.Struct):
    kind: str
    value: float = 0.0
    detail: str = ""
    seconds: float = 0.0


class _Status(msgspec.Struct):
    camera: _Camera
    uptime_s: float = 0.0
    store: str = "ok"
    troubles: list[_Trouble] = []
    tuning: Tuning | None = None
    view: CameraView | None = None


class Answer(NamedTuple):
    """What the running box said."""

    running: bool
    findings: list[Finding]


def settings() -> dict[str, str]:
    """What this box's services are started with, and over it what this process was."""
    try:
        lines = SETTINGS.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.lstrip().startswith(("#", ";")))
    return {key.strip(): value.strip().strip("\"'") for key, value in pairs} | dict(os.environ)


def ask() -> Answer:
    """Ask the hub of this machine how it is."""
    given = settings()
    try:
        port = int(given.get("KINEBOX_PORT") or 8080)
        body = _get(port, "/api/v1/status")
        status = msgspec.json.decode(body, type=_Status)
    except ConnectionRefusedError:
        return Answer(False, [not_running(_MOUNT, _STATE)])
    except (OSError, ValueError, http.client.HTTPException) as error:
        return Answer(
            False,
            [
                Finding(
                    "box",
                    "warning",
                    f"it cannot be asked how it is ({error})",
                    "Run this as root, or as its user.",
                )
            ],
        )
    return Answer(True, explain(status))


def not_running(mount: Path, state: Path) -> Finding:
    """Nobody answers; `mount`: the unit that mounts `state` where that is encrypted."""
    if mount.exists() and not state.is_mount():
        return Finding(
            "box",
            "failed",
            "not running: the encrypted partition with what it remembers stayed shut",
            "It opens by itself in its own board only, and elsewhere with the recovery passphrase (cryptsetup open). "
            "journalctl -b -u 'systemd-cryptsetup@*' says what happened.",
        )
    return Finding("box", "ok", "not running: what follows was looked up here")


def explain(status: _Status) -> list[Finding]:
    """What a box that answers says of itself."""
    camera = status.camera
    state = f"{camera.state} ({camera.detail})" if camera.detail else camera.state
    said = f"running, camera {state}, {camera.fps:.0f} pictures a second, {camera.width}x{camera.height}"
    live = camera.state == "live"
    findings = [
        Finding(
            "box",
            "ok" if live else "warning",
            said,
            "" if live else "docs/cameras.md says what each code means.",
        )
    ]
    if status.store != "ok":
        findings.append(
            Finding("store", "failed", "the database cannot be written", "Make room on the disk.")
        )
    for trouble in status.troubles:
        kind = BY_CODE.get(trouble.kind)
        if kind is not None:
            verdict: Verdict = "failed" if kind.code in _BLIND else "warning"
            text = f"{words(kind, Sign(trouble.value, trouble.detail))} (for {trouble.seconds:.0f} s)"
            findings.append(Finding(kind.code, verdict, text, kind.remedy))
    if status.view is not None:
        view = status.view
        text = (
            f"brightness {view.brightness:.0f}, contrast {view.contrast:.0f}, noise {view.noise:.1f} of 255; "
            f"sharpness {view.sharpness:.2f}; {view.fps:.0f} pictures a second{view.mode and f' ({view.mode})'}"
        )
        findings.append(Finding("picture", "ok", text))
    if status.tuning is not None:
        findings.append(Finding("way of working", "ok", describe(status.tuning)))
    return findings


def describe(tuning: Tuning) -> str:
    """How vision works, and why."""
    chosen = {
        "precision": tuning.precision,
        "threads": f"{tuning.threads} thread(s)",
        "size": f"{tuning.width}x{tuning.height}" if tuning.width else "pictures as they come",
        "fps": f"{tuning.fps:g} of {tuning.target:g} pictures a second",
        "most": f"at most {tuning.most} people in one",
    }
    parts = []
    for what, text in chosen.items():
        why = REASONS.get(tuning.reasons.get(what, ""))
        parts.append(f"{text} ({why})" if why else text)
    cost = (
        f"; a person costs {tuning.person_ms:.1f} ms, a search {tuning.detect_ms:.1f} ms"
        if tuning.person_ms
        else ""
    )
    return ", ".join(parts) + cost


def _get(port: int, path: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        token = _token()
        connection.request("GET", path, headers={} if token is None else {"authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        if answer.status != http.client.OK:
            raise http.client.HTTPException(f"{answer.status} {answer.reason}")
        return answer.read()
    finally:
        connection.close()


def _token() -> str | None:
    """What the hub asks for where it listens to a network; elsewhere it does not look at it."""
    for folder in (state_dir(), _STATE):
        try:
            return (folder / TOKEN).read_text(encoding="ascii").strip()
        except OSError:
            continue
    return None
