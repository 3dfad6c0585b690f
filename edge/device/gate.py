"""The health gate: a release stays only where the box does its work at least as well as before."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from edge.device.tree import Before

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.device.hub import Hub, Look

BUDGET = 0.6
"""Share of the frame rate before that it must reach."""


class Patience(NamedTuple):
    """Seconds. A service that does not stop takes 20 more than `most`: all of it is at most 60."""

    most: float = 30.0
    """In which a release must have become healthy."""
    hold: float = 8.0
    """For so long it must stay so without a break."""
    look: float = 0.5
    """Between two looks."""
    measure: float = 4.0
    """For so long the box is measured before it is changed."""


def before(hub: Hub, seconds: float) -> Before:
    """How the box is now, measured for `seconds`.

    A camera that does not deliver before an update need not deliver after it.
    """
    first, began = hub.look(), time.monotonic()
    if not first.camera:
        return Before()
    time.sleep(seconds)
    last = hub.look()
    frames = max(last.frames - first.frames, 0)
    return Before(camera=last.camera, fps=round(frames / (time.monotonic() - began), 1))


def passes(hub: Hub, was: Before, failed: Callable[[], str], patience: Patience) -> str:
    """Watch the box until it has been healthy for long enough; empty if it has, else why not.

    was: how it was; failed: what of it the service manager has given up.
    """
    deadline = time.monotonic() + patience.most
    reason, since, first = f"it did not stay healthy for {patience.hold:.0f} s", 0.0, None
    while time.monotonic() < deadline:
        if gone := failed():
            return gone
        look, now = hub.look(), time.monotonic()
        if problem := look.problem or (
            "the camera does not deliver" if was.camera and not look.camera else ""
        ):
            reason, first = problem, None
        elif first is None or look.uptime_s < first.uptime_s:
            since, first = now, look
        elif now - since >= patience.hold:
            if not (slow := _too_slow(first, look, now - since, was)):
                return ""
            reason, first = slow, None
        time.sleep(patience.look)
    return reason


def _too_slow(first: Look, last: Look, seconds: float, was: Before) -> str:
    fps = (last.frames - first.frames) / seconds
    if was.camera and fps < BUDGET * was.fps:
        return f"it analyses {fps:.1f} frames a second, before it were {was.fps:.1f}"
    return ""
