"""What a backup holds: rows of files, in the state folder and in /etc/kinebox."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from edge.store.paths import state_dir
from edge.store.schema import bring_up_to_date as store_schema
from edge.uplink.outbox_schema import bring_up_to_date as outbox_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlite_utils.db import Database

SETTINGS: Final = Path("/etc/kinebox")
_STATE: Final = Path("/var/lib/kinebox")

DATABASES: Final[dict[str, Callable[[Database], None]]] = {
    "kinebox.db": store_schema,
    "outbox.db": outbox_schema,
}
"""Of the state folder, each with what makes an older one current."""


class Part(NamedTuple):
    """Files or folders of one place."""

    place: str
    """`state` or `settings`."""
    name: str
    """A file, or a folder with files."""
    identity: bool = False
    """Who has it is this box: only where it is asked for."""


PARTS: Final = (
    *(Part("state", name) for name in DATABASES),
    Part("state", "camera.json"),
    Part("state", "calibration.json"),
    Part("state", "coach.json"),
    Part("state", "exercises"),
    Part("settings", "config.toml"),
    Part("settings", "kinebox.env"),
    Part("settings", "exercises"),
    Part("state", "device-id", identity=True),
    Part("state", "web-token", identity=True),
    Part("settings", "certs", identity=True),
)


def places() -> dict[str, Path]:
    """The folders: the box's own where root asks on a box, else the user's."""
    ours = os.geteuid() == 0 and _STATE.is_dir() and "KINEBOX_STATE" not in os.environ
    return {"state": _STATE if ours else state_dir(), "settings": SETTINGS}
