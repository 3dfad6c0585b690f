"""nvpmodel.conf of a Jetson: power modes. A whole file, or only the modes that are added to a board's own file.

`< PARAM TYPE=... NAME=... >` declares a parameter and its arguments with their sysfs paths, `< POWER_MODEL ID=...
NAME=... >` is a mode (parameter, argument, value a line), `< PM_CONFIG DEFAULT=... >` says which one is in force
after a start. nvpmodel reads a header only with the brackets in their places.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Literal

import msgspec

from edge.device.bootfiles.fault import Fault, unknown

_HEADER = re.compile(
    r"< (PARAM TYPE=(FILE|CLOCK) NAME=(\w+)|POWER_MODEL ID=(\d+) NAME=(\w+)|PM_CONFIG DEFAULT=(\d+)) >"
)
_NO_LIMIT = -1


class _Parameter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    arguments: tuple[str, ...]
    kind: Literal["file", "clock"] = "clock"
    low: int = 0
    high: int = 2**63
    words: tuple[str, ...] = ()

    def wrong(self, value: str) -> str | None:
        """Which values are right, where this one is not."""
        if self.words:
            return None if value in self.words else f"one of {', '.join(self.words)}"
        if re.fullmatch(r"-?\d+", value) and (
            self.low <= int(value) <= self.high or int(value) in self._free
        ):
            return None
        return f"a whole number from {self.low} to {self.high}" + (
            ", or -1 for no limit" if self.kind == "clock" else ""
        )

    @property
    def _free(self) -> tuple[int, ...]:
        """Values of clocks that stand for no limit."""
        return (_NO_LIMIT, 0) if self.kind == "clock" else ()


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    parameters: dict[str, _Parameter]


_ORIN = msgspec.toml.decode(files(__package__).joinpath("nvpmodel.toml").read_bytes(), type=_Table).parameters


class _Reader:
    """Goes through the blocks."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.declared: dict[str, list[str]] = {}
        """Arguments by parameter, as this file declares them."""
        self.modes: dict[int, str] = {}
        self.default: tuple[int, int] | None = None
        """Line and mode."""
        self.block = ""
        self.name = ""
        self.values: dict[tuple[str, str], str] = {}
        """What the mode has set so far."""

    def add(self, line: int, what: str, remedy: str) -> None:
        self.faults.append(Fault(line, what, remedy))

    def header(self, line: int, text: str) -> None:
        found = _HEADER.fullmatch(text)
        if found is None:
            self.block = ""
            return self.add(
                line, f"{text} is no header", "Write it as < POWER_MODEL ID=8 NAME=KINEBOX >, spaces included"
            )
        self.block = found[1].split()[0]
        self.values.clear()
        if self.block == "PARAM":
            self.name = found[3]
            if self.name in self.declared:
                self.add(line, f"{self.name} is declared already", "Keep one of the two")
            self.declared[self.name] = []
        elif self.block == "POWER_MODEL":
            number, self.name = int(found[4]), found[5]
            if number in self.modes:
                self.add(line, f"mode {number} is {self.modes[number]} already", "Choose a free ID")
            elif self.name in self.modes.values():
                self.add(line, f"another mode is called {self.name} already", "Choose another name")
            self.modes.setdefault(number, self.name)
        else:
            if self.default is not None:
                self.add(line, f"the default stands in line {self.default[0]} already", "Keep one of the two")
            self.default = self.default or (line, int(found[6]))
        return None

    def entry(self, line: int, text: str) -> None:
        words = text.split()
        if self.block == "PARAM":
            if len(words) != 2 or not words[1].startswith("/"):
                return self.add(line, f"{text} in a PARAM", "Write an argument and its path in /sys")
            self.declared[self.name].append(words[0])
        elif self.block == "POWER_MODEL":
            if len(words) != 3:
                return self.add(line, f"{text} in a mode", "Write parameter, argument and value")
            self._setting(line, *words)
        elif self.block == "PM_CONFIG":
            self.add(line, f"{text} after PM_CONFIG", "Write it into a mode")
        return None

    def _setting(self, line: int, parameter: str, argument: str, value: str) -> None:
        known = self.declared or {name: list(row.arguments) for name, row in _ORIN.items()}
        if parameter not in known:
            self.faults.append(unknown(line, "parameter", parameter, known, "Declare it as a PARAM above"))
            return
        if argument not in known[parameter]:
            self.faults.append(
                unknown(line, "argument", f"{parameter} {argument}", known[parameter], "Declare it above")
            )
            return
        row = _ORIN.get(parameter)
        right = row.wrong(value) if row else None
        if right is not None:
            self.add(line, f"{parameter} {argument} {value}", f"It takes {right}")
        elif (parameter, argument) in self.values:
            self.add(line, f"{parameter} {argument} stands in this mode already", "Keep one of the two")
        elif argument == "CORE_0" and value == "0":
            self.add(line, "the first core cannot be switched off", "Write CPU_ONLINE CORE_0 1")
        elif argument == "MAX_FREQ" and _below(value, self.values.get((parameter, "MIN_FREQ"))):
            self.add(line, f"{parameter}: the highest frequency is below the lowest", "Exchange the two")
        self.values[parameter, argument] = value


def _below(high: str, low: str | None) -> bool:
    return low is not None and int(high) > 0 and int(low) > int(high)


def check(text: str) -> list[Fault]:
    """The faults of an nvpmodel.conf, or of modes for one."""
    reader = _Reader()
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.lstrip().startswith("<"):
            reader.header(number, line.rstrip())
        else:
            reader.entry(number, line)
    if not reader.modes:
        reader.add(1, "no power mode", "Write < POWER_MODEL ID=8 NAME=KINEBOX > and what it sets")
    if reader.default is None and reader.declared:
        reader.add(1, "< PM_CONFIG DEFAULT=... > is missing", "Name the mode that is in force after a start")
    if reader.default is not None and reader.default[1] not in reader.modes:
        at, mode = reader.default
        reader.add(at, f"the default is mode {mode}, which is not there", f"There are {sorted(reader.modes)}")
    return reader.faults
