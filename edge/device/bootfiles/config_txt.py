"""config.txt of a Raspberry Pi: keys, values, and for which board a line counts.

The firmware reads from top to bottom. `[pi5]` holds until the next board or `[all]`; filters of different kinds add
up. A `dtparam` belongs to the overlay named last, if that has a parameter of this name: a board's own parameters
stand before any overlay, or after an empty `dtoverlay=`.
"""

from __future__ import annotations

import re
from importlib.resources import files

import msgspec

from edge.device.bootfiles.fault import Fault, unknown
from edge.device.bootfiles.values import Key

_LONGEST = 98
"""The firmware drops what stands behind this character of a line."""
_ADD = "If the firmware knows it, add it to edge/device/bootfiles/config_txt.toml; else take it out"


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    filters: tuple[str, ...]
    patterns: tuple[str, ...]
    boards: tuple[str, ...]
    keys: dict[str, Key]
    parameters: dict[str, Key]


_TABLE = msgspec.toml.decode(files(__package__).joinpath("config_txt.toml").read_bytes(), type=_Table)


class _Reader:
    """Goes through the lines and remembers what is in force."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.board = ""
        self.others: tuple[str, ...] = ()
        """Filters of other kinds, in the order in which they were added."""
        self.overlay = ""
        self.seen: dict[tuple[str, str, tuple[str, ...]], int] = {}
        """Line of each key, by the filters that it stands under."""

    def add(self, line: int, what: str, remedy: str) -> None:
        self.faults.append(Fault(line, what, remedy))

    def filter(self, line: int, name: str) -> None:
        if name not in _TABLE.filters and not any(re.fullmatch(pattern, name) for pattern in _TABLE.patterns):
            self.faults.append(
                unknown(
                    line,
                    "filter",
                    f"[{name}]",
                    [f"[{one}]" for one in _TABLE.filters],
                    "See [all], [pi4], [pi5]",
                )
            )
        elif name == "all":
            self.board, self.others = "", ()
        elif name in _TABLE.boards:
            self.board = name
        else:
            self.others = (*self.others, name)

    def entry(self, line: int, text: str) -> None:
        key, equals, value = text.partition("=")
        if key.split(" ")[0] == "initramfs" and not equals:
            key, _, value = key.partition(" ")
        elif not equals:
            return self.add(line, f"{text} has no value", "Write key=value")
        row = _TABLE.keys.get(key)
        if key != key.strip() or value != value.strip():
            return self.add(line, f"spaces around = in {text}", "Write key=value without them")
        if row is None:
            self.faults.append(unknown(line, "key", key, _TABLE.keys, _ADD))
            return None
        self._judge(line, key, value, row)
        if key == "dtoverlay":
            self.overlay = value.split(",")[0]
        elif key == "dtparam" and row.wrong(value) is None:
            for one in value.split(","):
                self._parameter(line, one)
        elif not row.many:
            self._once(line, key)
        return None

    def _parameter(self, line: int, text: str) -> None:
        name, equals, value = text.partition("=")
        if self.overlay:
            return self.add(
                line,
                f"dtparam={name} after dtoverlay={self.overlay} is that overlay's, if it has one of this name",
                "Put it before the overlays, or an empty line `dtoverlay=` before it",
            )
        row = _TABLE.parameters.get(name)
        if row is None:
            self.faults.append(unknown(line, "dtparam", name, _TABLE.parameters, _ADD))
        elif (row.bare == "must") is bool(equals) and row.bare != "may":
            wanted = "no value" if row.bare == "must" else "a value"
            self.add(line, f"dtparam={text}", f"{name} takes {wanted}")
        else:
            if equals:
                self._judge(line, f"dtparam={name}", value, row)
            self._once(line, f"dtparam={name}")
        return None

    def _judge(self, line: int, name: str, value: str, row: Key) -> None:
        if (right := row.wrong(value)) is not None:
            self.add(line, f"{name}={value}", f"It takes {right}")
        if row.without:
            self.add(line, f"{name} has no place on a box: {row.without}", "Take it out")
        if self.board and row.boards and self.board not in row.boards:
            self.add(
                line,
                f"{name} means nothing under [{self.board}]",
                f"It is for {', '.join(row.boards)}: move it",
            )

    def _once(self, line: int, name: str) -> None:
        place = (name, self.board, self.others)
        if place in self.seen:
            self.add(line, f"{name} stands in line {self.seen[place]} already", "Keep one of the two")
        self.seen.setdefault(place, line)


def check(text: str) -> list[Fault]:
    """The faults of a config.txt."""
    reader = _Reader()
    number = 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if len(line) > _LONGEST:
            reader.add(
                number, f"the line is longer than {_LONGEST} characters", "Split it: the rest is not read"
            )
        if line.startswith("["):
            if line.endswith("]"):
                reader.filter(number, line[1:-1])
            else:
                reader.add(number, f"{line} is no filter", "Write it as [name], with nothing behind it")
        else:
            reader.entry(number, line)
    if reader.board or reader.others:
        where = "".join(f"[{name}]" for name in (reader.board, *reader.others) if name)
        reader.add(
            number, f"the file ends under {where}: what a tool appends counts only there", "End with [all]"
        )
    return reader.faults
