"""autoboot.txt: from which partition a Raspberry Pi starts, and which one it tries once (`reboot "0 tryboot"`)."""

from __future__ import annotations

from edge.device.bootfiles.fault import Fault, unknown

_LONGEST = 512
"""Bytes that the bootloader reads."""
_FILTERS = ("all", "none", "tryboot")
_PARTITIONS = range(1, 64)
_OWN = 1
"""The partition of autoboot.txt itself."""


def check(text: str) -> list[Fault]:
    """The faults of an autoboot.txt."""
    faults: list[Fault] = []
    found: dict[tuple[str, str], tuple[int, str]] = {}
    where = "all"
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        if entry.startswith("["):
            where = entry.strip("[]")
            if where not in _FILTERS:
                faults.append(
                    unknown(
                        number,
                        "filter",
                        entry,
                        [f"[{one}]" for one in _FILTERS],
                        "Here only these: [all] [none] [tryboot]",
                    )
                )
            continue
        key, _, value = entry.partition("=")
        if key not in ("boot_partition", "tryboot_a_b"):
            faults.append(
                unknown(
                    number,
                    "key",
                    key,
                    ("boot_partition", "tryboot_a_b"),
                    "Here only these: boot_partition, tryboot_a_b",
                )
            )
            continue
        if (where, key) in found:
            faults.append(
                Fault(number, f"{key} stands in line {found[where, key][0]} already", "Keep one of the two")
            )
        found.setdefault((where, key), (number, value))
        if (fault := _value(number, key, value)) is not None:
            faults.append(fault)
    if len(text.encode()) > _LONGEST:
        faults.append(Fault(1, f"longer than {_LONGEST} bytes", "Shorten the comments: the rest is not read"))
    return faults + _pair(found)


def _value(line: int, key: str, value: str) -> Fault | None:
    if key == "tryboot_a_b":
        return None if value in ("0", "1") else Fault(line, f"{key}={value}", "It takes 0 or 1")
    if not (value.isascii() and value.isdigit() and int(value) in _PARTITIONS):
        return Fault(line, f"{key}={value}", "It takes the number of a partition, from 1")
    if int(value) == _OWN:
        return Fault(
            line, f"{key}=1 is the partition of this file", "Name the one with config.txt and kernel: 2 or 3"
        )
    return None


def _pair(found: dict[tuple[str, str], tuple[int, str]]) -> list[Fault]:
    """What is wrong between the sections."""
    usual, tried = found.get(("all", "boot_partition")), found.get(("tryboot", "boot_partition"))
    if usual is None:
        return [
            Fault(1, "boot_partition is missing under [all]", "Name the partition that is started every day")
        ]
    if tried is None:
        return []
    faults = []
    if tried[1] == usual[1]:
        faults.append(
            Fault(
                tried[0], f"[tryboot] tries partition {tried[1]}, which runs already", "Name the other slot"
            )
        )
    if found.get(("all", "tryboot_a_b"), (0, "0"))[1] != "1":
        faults.append(
            Fault(
                tried[0],
                "[tryboot] has a partition, but tryboot_a_b=1 is missing",
                "Add it under [all]: without it tryboot.txt is read",
            )
        )
    return faults
