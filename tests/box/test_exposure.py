"""How much each unit exposes, as systemd itself judges it, with every drop-in that a board or camera adds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from tests.testbed.box import Box

LIMIT = 1.5
LIMITS = {"kinebox-vision": 1.2}
VARIANTS = {
    "": "",
    "Raspberry Pi": "boards/raspberry-pi",
    "Jetson": "boards/jetson-orin",
    "RTSP": "rtsp",
}
UNITS = "/etc/systemd/system"
SYSTEM = "/opt/kinebox/current/systemd"


def exposure(box: Box, unit: str, variant: str) -> float | None:
    """Of a unit; None where the variant has nothing to say about it."""
    place = f"{UNITS}/{unit}.service.d"
    if variant and box.run(f"cp -r {SYSTEM}/{variant}/{unit}.service.d {place}", check=False).returncode:
        return None
    try:
        done = box.run(
            f"cd {UNITS} && systemd-analyze security --offline=true --threshold=15 --no-pager {unit}.service",
            check=False,
        )
    finally:
        box.run(["rm", "-rf", place])
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert (float(found[1]) <= LIMIT) is (done.returncode == 0)
    return float(found[1])


def test_they_expose_little(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    units = sorted(box.run(f"cd {SYSTEM} && ls *.service").stdout.replace(".service", "").split())
    assert {"kinebox-vision", "kinebox-hub", "kinebox-clock", "kinebox-rollback", "kinebox-firstboot"} <= set(
        units
    )
    table = {
        unit: {name: exposure(box, unit, variant) for name, variant in VARIANTS.items()} for unit in units
    }
    version = box.run("systemctl --version").stdout.split()[1]
    with capsys.disabled():
        print(f"\nexposure, systemd {version}" + "".join(f"{name:>14}" for name in VARIANTS))
        for unit, row in table.items():
            print(f"{unit:24}" + "".join(f"{'' if value is None else value:>14}" for value in row.values()))
    for unit, row in table.items():
        limit = LIMITS.get(unit, LIMIT)
        assert all(value <= limit for name, value in row.items() if value is not None and name != "RTSP"), (
            unit
        )
        assert (row["RTSP"] or 0) <= LIMIT


def test_too_much_exposure_is_found(box: Box) -> None:
    text = box.read(f"{SYSTEM}/kinebox-hub.service")
    lines = [
        line for line in text.splitlines() if not line.startswith(("Protect", "SystemCallFilter", "Capab"))
    ]
    box.write(f"{UNITS}/kinebox-bare.service", "\n".join(lines))
    worse = exposure(box, "kinebox-bare", "")
    assert worse is not None
    assert worse > LIMIT
