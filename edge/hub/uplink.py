"""What the configuration names beyond the box: the cloud's broker, the household's own."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from edge.errors import StoreError
from edge.uplink.settings import load_settings
from edge.web.records import UplinkStatus

if TYPE_CHECKING:
    from pathlib import Path

    from edge.hub.hub import Hub
    from edge.store import Store
    from edge.uplink.uplink import Uplink


def _waiting(uplink: Uplink) -> UplinkStatus | None:
    """What the dashboard says of the uplink; None while the outbox cannot be read."""
    try:
        level = uplink.outbox.level()
    except StoreError:
        return None
    return UplinkStatus(
        connected=uplink.connection.up,
        rows=level.rows,
        bytes=level.bytes,
        hours=uplink.hours_waiting(level),
        hours_left=uplink.hours_left(level),
        given_up=level.given_up,
    )


def open_uplink(hub: Hub, store: Store, folder: Path) -> None:
    """Start to send, if the configuration names a broker; without one nothing of it is even imported.

    Raises ConfigError, and StoreError where the outbox in `folder` cannot be used.
    """
    settings = load_settings()
    if settings.uplink is None and settings.home_assistant is None:
        return
    from edge.uplink.condition import Condition  # noqa: PLC0415
    from edge.uplink.household import Household  # noqa: PLC0415
    from edge.uplink.identity import device_id  # noqa: PLC0415
    from edge.uplink.metrics import UplinkCollector  # noqa: PLC0415
    from edge.uplink.uplink import Uplink  # noqa: PLC0415

    def condition() -> Condition:
        status = hub.live.status()
        troubles = tuple(trouble.kind for trouble in status.troubles)
        return Condition(status.camera.state, status.camera.fps, status.link.dropped, troubles)

    device = (settings.uplink and settings.uplink.device) or device_id(folder)
    if settings.home_assistant is not None:
        hub.household = Household(settings.home_assistant, device, store, condition)
    if settings.uplink is not None:
        hub.uplink = Uplink(settings.uplink, device, folder, condition)
        hub.uplink.recover(store)
        hub.live.metrics.registry.register(UplinkCollector(hub.uplink))
        hub.live.uplink = functools.partial(_waiting, hub.uplink)
    for part in (hub.household, hub.uplink):
        if part is not None:
            part.start()
