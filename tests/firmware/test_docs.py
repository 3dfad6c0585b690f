"""docs/firmware.md and the checklist name what there is."""

from __future__ import annotations

import re

from edge.device.bootfiles import CHECKS
from edge.device.firstboot import Provision, Wifi
from edge.device.sdcard import CASES
from tests.firmware.places import FIRMWARE, JETSON, PI, ROOT, SHARED

TEXT = (ROOT / "docs/firmware.md").read_text()
CHECKLIST = (ROOT / "docs/hardware-checklist.md").read_text()


def test_every_file_has_its_row() -> None:
    named = re.findall(r"`([^`]+)`", "\n".join(line for line in TEXT.splitlines() if line.startswith("|")))
    for path in (*SHARED.rglob("*"), *PI.iterdir(), *JETSON.glob("*.conf")):
        if path.is_file():
            ours = str(path.relative_to(SHARED if path.is_relative_to(SHARED) else FIRMWARE))
            rows = (one.replace("*.nft", "") for one in named)
            assert any(ours == row or (row.endswith("/") and ours.startswith(row)) for row in rows), ours


def test_every_key_of_a_new_box_is_explained() -> None:
    for key in (*Provision.__struct_fields__, *Wifi.__struct_fields__):
        assert f"`{key}`" in TEXT or f"`[{key}]`" in TEXT, key


def test_every_kind_of_boot_file_is_named() -> None:
    for pattern in CHECKS:
        assert f"`{pattern}`" in TEXT


def test_the_table_of_written_bytes_has_the_limits_of_the_command() -> None:
    rows = [line.split("|") for line in TEXT.splitlines()]
    limits = {
        row[1].strip(): float(row[4])
        for row in rows
        if len(row) > 5 and row[1].strip() in {c.name for c in CASES}
    }
    assert limits == {case.name: case.limit for case in CASES}


def test_the_checklist_is_numbered_and_whole() -> None:
    rows = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in CHECKLIST.splitlines()
        if re.match(r"\| \d", line)
    ]
    assert [int(row[0]) for row in rows] == list(range(1, len(rows) + 1))
    for row in rows:
        assert len(row) == 4, row
        assert all(row), row
        assert "`" in row[2], row  # the exact command
