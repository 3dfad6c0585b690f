"""Whether the board slows itself down, and why: heat, a weak supply. Read from /sys, which any service may read.

Raspberry Pi: its firmware's `get_throttled`. Everything else: trip points of the thermal zones, their cooling
devices, and the processor's highest frequency, which the kernel lowers.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

Cause = Literal["heat", "power", "capped"]
"""Too hot; under-voltage; the kernel holds the processor back and does not say why."""

_FIRMWARE = "devices/platform/soc/soc:firmware/get_throttled"
_BITS: tuple[tuple[int, Cause], ...] = ((0, "power"), (1, "capped"), (2, "heat"), (3, "heat"))
"""Bits of `get_throttled` that tell of now; those from 16 on tell of some time since the start."""
_COOLS = ("cpufreq", "thermal-cpufreq", "thermal-devfreq")
"""Kinds of cooling devices that cool by being slower; others are fans, or are used for other ends, too."""
_CAPPED = 0.9
"""Of the highest frequency that was allowed since this process began."""


class Heat(NamedTuple):
    """The board at one moment."""

    causes: tuple[Cause, ...] = ()
    """Why it is slowed down; empty where it is not."""
    celsius: float | None = None
    """The hottest sensor."""
    mhz: float | None = None
    """The fastest core now."""
    most_mhz: float | None = None
    """The fastest that any core may be at present."""


class Thermometer:
    """Reads the board; remembers how fast it may be at best, since some are told to be slower for good."""

    def __init__(self, root: Path = Path("/sys")) -> None:
        """`root`: where sysfs is mounted."""
        self._root = root
        self._highest = 0.0

    def read(self) -> Heat:
        """How the board is now; what cannot be read is not known and says nothing."""
        allowed = self._fastest("scaling_max_freq")
        self._highest = max(self._highest, allowed or 0.0)
        causes = {*self._firmware(), *self._zones()}
        if allowed is not None and allowed < _CAPPED * self._highest and not causes:
            causes.add("capped")
        temperatures = [
            value for zone in self._all("class/thermal/thermal_zone*") if (value := _number(zone / "temp"))
        ]
        return Heat(
            causes=tuple(sorted(causes)),
            celsius=max(temperatures) / 1000 if temperatures else None,
            mhz=self._fastest("scaling_cur_freq"),
            most_mhz=allowed,
        )

    def _firmware(self) -> Iterator[Cause]:
        text = _text(self._root / _FIRMWARE)
        with contextlib.suppress(ValueError):
            state = int(text, 16)
            yield from (cause for bit, cause in _BITS if state >> bit & 1)
        for alarm in self._all("class/hwmon/hwmon*/in0_lcrit_alarm"):  # rpi_volt
            if _number(alarm):
                yield "power"

    def _zones(self) -> Iterator[Cause]:
        for trip in self._all("class/thermal/thermal_zone*/trip_point_*_type"):
            if _text(trip) == "passive":  # from here on the kernel slows down what heats
                now, limit = _number(trip.parent / "temp"), _number(Path(str(trip)[: -len("type")] + "temp"))
                if now is not None and limit is not None and 0 < limit <= now:
                    yield "heat"
        for device in self._all("class/thermal/cooling_device*"):
            if _text(device / "type").startswith(_COOLS) and _number(device / "cur_state"):
                yield "heat"

    def _fastest(self, name: str) -> float | None:
        """MHz of the fastest core, by this file of theirs."""
        known = [_number(file) for file in self._all(f"devices/system/cpu/cpu[0-9]*/cpufreq/{name}")]
        return max((value / 1000 for value in known if value is not None), default=None)

    def _all(self, pattern: str) -> list[Path]:
        try:
            return sorted(self._root.glob(pattern))
        except OSError:
            return []


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _number(path: Path) -> float | None:
    try:
        return float(_text(path))
    except ValueError:
        return None
