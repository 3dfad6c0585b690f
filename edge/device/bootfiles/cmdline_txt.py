"""cmdline.txt: one line for the kernel. The firmware hands over the first line and drops every other one."""

from __future__ import annotations

import re
from importlib.resources import files

import msgspec

from edge.device.bootfiles.fault import Fault, unknown
from edge.device.bootfiles.values import Key


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keys: dict[str, Key]


_KEYS = msgspec.toml.decode(files(__package__).joinpath("cmdline_txt.toml").read_bytes(), type=_Table).keys
_FIRST_PARTITION = re.compile(r"/dev/(mmcblk\d+p|nvme\d+n\d+p|sd[a-z])1")


def check(text: str) -> list[Fault]:
    """The faults of a cmdline.txt."""
    lines = text.splitlines()
    faults = [
        Fault(number, "a second line is not read", "Write everything in the first line, with spaces between")
        for number, line in enumerate(lines, 1)
        if number > 1 and line.strip()
    ]
    words = lines[0].split() if lines else []
    seen: set[str] = set()
    for word in words:
        name, equals, value = word.partition("=")
        row = _KEYS.get(name)
        if row is None:
            if "." not in name:
                faults.append(
                    unknown(
                        1,
                        "key",
                        name,
                        _KEYS,
                        "If the kernel knows it, add it to cmdline_txt.toml; else take it out",
                    )
                )
            continue
        faults += _judge(word, name, value if equals else None, row)
        if name in seen and not row.many:
            faults.append(Fault(1, f"{name} stands there twice", "Keep one of the two"))
        seen.add(name)
    return faults + _missing(words, seen)


def _judge(word: str, name: str, value: str | None, row: Key) -> list[Fault]:
    faults = []
    if row.bare == "must" and value is not None:
        faults.append(Fault(1, word, f"{name} takes no value"))
    elif row.bare == "no" and value is None:
        faults.append(Fault(1, word, f"{name} takes a value: {name}=..."))
    elif value is not None and (right := row.wrong(value)) is not None:
        faults.append(Fault(1, word, f"It takes {right}"))
    if row.without:
        faults.append(Fault(1, f"{name} has no place on a box: {row.without}", "Take it out"))
    if name == "root" and value and _FIRST_PARTITION.fullmatch(value):
        faults.append(
            Fault(1, f"{word} is the partition of the firmware", "The system is on the second or a later one")
        )
    return faults


def _missing(words: list[str], seen: set[str]) -> list[Fault]:
    faults = []
    if "root" not in seen:
        faults.append(
            Fault(
                1, "root= is missing", "Say where the system is, like root=PARTUUID=... or root=LABEL=rootfs"
            )
        )
    if not {"rootwait", "rootdelay"} & seen:
        faults.append(
            Fault(1, "rootwait is missing", "Add it: a card or a USB disk is there later than the kernel")
        )
    if {"ro", "rw"} <= seen:
        faults.append(Fault(1, "both ro and rw", "Keep one of the two"))
    if any(len(word) > 1 and '"' in word for word in words):
        faults.append(Fault(1, "quotes", "Leave them out: no value on a box has spaces in it"))
    return faults
