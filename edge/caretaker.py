"""Looks after the running box: what vision says of itself, and the board, become troubles that begin and end.

Each is a line in the journal with fields, a figure for Prometheus, and told to the dashboard and `kinebox doctor`.
"""

from __future__ import annotations

import asyncio
import logging
import statistics
import time
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from edge import settings_file
from edge.errors import StoreError
from edge.journal import tell
from edge.link import CameraState
from edge.thermal import Heat, Thermometer
from edge.trouble import Change, Kind, Sign, Troubles
from edge.trouble_signs import Signs, clear

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge.box_records import CameraView, Tuning
    from edge.link import PoseFrame

log = logging.getLogger("edge.hub")

FILE = "sharpness.json"
TICK_S = 1.0
_HEAT_EVERY_S = 5.0
_MINUTE_S = 60.0
_KEEP_EVERY_S = 3600.0
_TRUSTED_MINUTES = 10
"""So many minutes of pictures make a history."""
_RISES, _FALLS = 0.1, 1 / (24 * 60)
"""Shares by which what is usual follows a minute: quickly to sharper pictures, in about a day to less sharp ones."""


class Sharpness(msgspec.Struct, frozen=True, kw_only=True):
    """How sharp the camera's pictures usually are."""

    camera: str = ""
    mode: str = ""
    value: float = 0.0
    minutes: int = 0


class History:
    """The usual sharpness, kept in a file of the state folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._known = settings_file.read(self._path, Sharpness())
        self._minute: list[float] = []
        self._since: float | None = None
        self._kept: float | None = None

    @property
    def usual(self) -> float | None:
        """As in `CameraView.sharpness`; None while too little was seen."""
        return self._known.value if self._known.minutes >= _TRUSTED_MINUTES else None

    def add(self, view: CameraView, t: float) -> None:
        """A view at `t` seconds, once a second."""
        if (view.camera, view.mode) != (self._known.camera, self._known.mode):
            self._known = Sharpness(camera=view.camera, mode=view.mode)
            self._minute, self._since = [], None
        if not clear(view):
            return
        self._minute.append(view.sharpness)
        self._since = t if self._since is None else self._since
        if t - self._since < _MINUTE_S:
            return
        now, known = statistics.median(self._minute), self._known
        follows = 1.0 if not known.minutes else _RISES if now > known.value else _FALLS
        self._known = msgspec.structs.replace(
            known, value=known.value + follows * (now - known.value), minutes=known.minutes + 1
        )
        self._minute, self._since = [], t
        if known.minutes + 1 == _TRUSTED_MINUTES or self._kept is None or t - self._kept > _KEEP_EVERY_S:
            self._kept = t
            try:
                settings_file.write(self._path, self._known)
            except StoreError as error:
                log.warning("%s. %s", error, error.remedy)


class Trouble(NamedTuple):
    """What is wrong now."""

    kind: Kind
    sign: Sign
    since: float
    """Monotonic seconds."""


class Caretaker:
    """For the event loop's thread only."""

    def __init__(
        self,
        folder: Path,
        on_change: Callable[[Change], None],
        thermometer: Thermometer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`folder`: the state's. `on_change` hears of each trouble that begins or ends."""
        self.heat = Heat()
        self._signs = Signs()
        self._troubles = Troubles()
        self._history = History(folder)
        self._on_change = on_change
        self._thermometer = thermometer or Thermometer()
        self._clock = clock
        self._heat_at = 0.0
        self._view: CameraView | None = None

    @property
    def view(self) -> CameraView | None:
        """How the newest pictures are; None while there are none."""
        return self._signs.view

    @property
    def tuning(self) -> Tuning | None:
        """How vision works; None before it has said so."""
        return self._signs.tuning

    def take(self, record: PoseFrame | CameraState | CameraView | Tuning) -> None:
        """A record of vision has come."""
        self._signs.take(record, self._clock())

    def gone(self) -> None:
        """Vision has gone without saying that the camera's recording is over."""
        now = self._clock()
        self._signs.take(
            CameraState(camera="", state="lost", detail="vision_gone", monotonic_ns=round(now * 1e9)), now
        )

    def now(self) -> list[Trouble]:
        """What is wrong now."""
        return [Trouble(*one) for one in self._troubles.now()]

    def tick(self) -> None:
        """Judge; once a second."""
        t = self._clock()
        if t >= self._heat_at:
            self._heat_at = t + _HEAT_EVERY_S
            self.heat = self._thermometer.read()
        view = self._signs.view
        if view is not None and view is not self._view:
            self._view = view
            self._history.add(view, t)
        for change in self._troubles.update(self._signs.signs(t, self.heat, self._history.usual), t):
            self._tell(change)

    async def run(self) -> None:
        """Tick for ever."""
        while True:
            await asyncio.sleep(TICK_S)
            self.tick()

    def _tell(self, change: Change) -> None:
        tell(
            log,
            logging.WARNING if change.began else logging.INFO,
            f"{change.text}. {change.kind.remedy}" if change.began else change.text,
            KINEBOX_TROUBLE=change.kind.code,
            KINEBOX_STATE="began" if change.began else "ended",
            KINEBOX_VALUE=f"{change.sign.value:.3g}",
            KINEBOX_DETAIL=change.sign.detail,
        )
        self._on_change(change)
