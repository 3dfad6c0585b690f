"""The units as a box has them: known to its systemd, with their users, folders and logs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.box.running import frames, until

if TYPE_CHECKING:
    from tests.testbed.box import Box

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "systemd"
PLACE = "/etc/systemd/system"


def complaints(box: Box, *units: str) -> list[str]:
    done = box.run(["systemd-analyze", "verify", "--man=no", *units], check=False)
    return [
        line for line in (done.stdout + done.stderr).splitlines() if "kinebox" in line or "Failed" in line
    ]


def test_they_are_valid(box: Box) -> None:
    assert complaints(box, *(f"{PLACE}/{path.name}" for path in UNITS.glob("kinebox*"))) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("ProtectClock=yes", "ProtectClocks=yes"),
        ("/bin/kinebox-vision ", "/bin/kinebox-visoin "),
        ("Type=notify", "Type=notifies"),
        ("SystemCallFilter=@system-service", "SystemCallFilter=@system-servant"),
    ],
)
def test_what_is_not_valid_is_found(box: Box, right: str, wrong: str) -> None:
    text = (UNITS / "kinebox-vision.service").read_text()
    assert right in text
    box.write("/root/kinebox-wrong.service", text.replace(right, wrong))
    assert complaints(box, "/root/kinebox-wrong.service")


def test_an_older_systemd_misses_only_what_the_jetsons_settings_make_up_for(tmp_path: Path) -> None:
    told = subprocess.run(["systemctl", "--version"], capture_output=True, text=True, check=True).stdout
    version = int(told.split()[1])
    if version >= 254:
        pytest.skip(f"this machine's systemd is {version}, none that lacks RestartMode=")
    for unit in ("kinebox-vision.service", "kinebox-hub.service", "kinebox-clock.service"):
        text = re.sub(
            r"^ExecStart=\S+", f"ExecStart={shutil.which('true')}", (UNITS / unit).read_text(), flags=re.M
        )
        board = UNITS / "boards/jetson-orin" / f"{unit}.d/50-board.conf"
        (tmp_path / unit).write_text(text + board.read_text())
    shutil.copy(UNITS / "kinebox.slice", tmp_path)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, tmp_path.glob("*.service"))],
        capture_output=True, text=True, check=False, env=os.environ | {"SYSTEMD_LOG_LEVEL": "info"},
    )  # fmt: skip
    said = [line for line in (done.stdout + done.stderr).splitlines() if str(tmp_path) in line]
    unknown = {found[1] for line in said if (found := re.search(r"Unknown key(?: name)? '(\w+)'", line))}
    assert unknown == {"RestartMode", "RestartSteps", "RestartMaxDelaySec"}
    rest = [line for line in said if "Unknown key" not in line]
    assert all("boolean value, ignoring: strict" in line for line in rest), (
        rest
    )  # said again by the board as `yes`


def test_users_and_folders(box: Box) -> None:
    expected = {
        "/run/kinebox": "750 kinebox-vision kinebox-link",
        "/run/kinebox/link.sock": "660 kinebox-vision kinebox-link",
        "/var/lib/kinebox": "700 kinebox kinebox",
        "/var/lib/kinebox/kinebox.db": "600 kinebox kinebox",
        "/var/lib/kinebox-vision": "700 kinebox-vision kinebox-link",
        "/var/cache/kinebox": "700 kinebox kinebox",
        "/etc/kinebox/certs": "750 root kinebox",
        "/etc/kinebox/update-keys": "755 root root",
    }
    found = box.run(["stat", "--format=%n %a %U %G", *expected]).stdout.splitlines()
    assert dict(line.split(" ", 1) for line in found) == expected
    shells = {line.split(":")[0]: line.split(":")[6] for line in box.read("/etc/passwd").splitlines()}
    assert {shells[name] for name in ("kinebox", "kinebox-vision")} == {"/usr/sbin/nologin"}


def test_they_are_ready_when_they_work_and_say_how_it_goes(box: Box) -> None:
    assert box.run("systemctl is-system-running").stdout == "running\n"
    for unit, status in (
        ("kinebox-vision.service", r"camera live, \d+ frames"),
        ("kinebox-hub.service", r"camera live, \d+ frames, \d+ lost"),
    ):
        shown = box.show(unit, "ActiveState", "StatusText", "Slice", "WatchdogUSec", "NotifyAccess")
        until(lambda unit=unit: frames(box, unit) > 0, f"{unit} gets frames")
        assert shown["ActiveState"], shown["Slice"] == ("active", "kinebox.slice")
        assert shown["WatchdogUSec"] == "10s"
        assert re.fullmatch(status, box.show(unit, "StatusText")["StatusText"])


def test_the_journal_has_their_fields_and_priorities(box: Box) -> None:
    box.run(
        "runuser -u kinebox-vision -- touch /run/kinebox/in-the-way && systemctl kill -s KILL kinebox-vision.service"
    )
    lost = until(
        lambda: [
            entry for entry in box.journal("kinebox-hub.service") if "vision is gone" in str(entry["MESSAGE"])
        ],
        "the hub says that vision is gone",
    )[-1]
    assert (lost["PRIORITY"], lost["SYSLOG_IDENTIFIER"], lost["KINEBOX_PART"]) == ("4", "kinebox-hub", "hub")
    assert not lost["MESSAGE"].startswith("<")
    found = [entry for entry in box.journal("kinebox-hub.service") if "Dashboard" in str(entry["MESSAGE"])]
    assert {entry["PRIORITY"] for entry in found} == {"6"}
    until(lambda: frames(box, "kinebox-vision.service") > 0, "vision is back")


def test_the_token_is_not_in_the_journal(box: Box) -> None:
    settings = box.read("/etc/kinebox/kinebox.env")
    box.write("/etc/kinebox/kinebox.env", f"{settings}KINEBOX_HOST=0.0.0.0\n")
    try:
        box.run("systemctl restart kinebox-hub.service")
        token = box.read("/var/lib/kinebox/web-token").strip()
        assert len(token) > 20
        assert "Dashboard: http" in box.run("journalctl -b -u kinebox-hub.service").stdout
        assert token not in box.run("journalctl -b --all").stdout
        assert token not in box.run("ps -ef; systemctl status kinebox-hub.service").stdout
    finally:
        box.write("/etc/kinebox/kinebox.env", settings)
        box.run("systemctl restart kinebox-hub.service")


def test_all_stop_and_start_together(box: Box) -> None:
    box.run("systemctl restart kinebox.target")
    for unit in ("kinebox-vision.service", "kinebox-hub.service"):
        until(lambda unit=unit: frames(box, unit) > 0, f"{unit} works")
    box.run("systemctl stop kinebox.target")
    ask = "systemctl is-active kinebox-vision kinebox-hub kinebox-clock"
    until(lambda: set(box.run(ask, check=False).stdout.split()) == {"inactive"}, "all have stopped")
    box.run("systemctl start kinebox.target")


def test_what_is_on_the_card_is_taken_over_in_its_sandbox(box: Box) -> None:
    settings = box.read("/etc/kinebox/kinebox.env")
    box.write(
        "/boot/firmware/kinebox.toml", 'hostname = "gym-7"\n[environment]\nKINEBOX_EXERCISE = "squat"\n'
    )
    try:
        box.run("systemctl start kinebox-firstboot.service")
        assert box.run("hostname; ls /boot/firmware").stdout == "gym-7\n"
        assert 'KINEBOX_EXERCISE="squat"' in box.read("/etc/kinebox/kinebox.env")
    finally:
        box.write("/etc/kinebox/kinebox.env", settings)
        box.run("hostname box; rm -f /etc/hostname")
