"""Encrypted data with a real device mapper: opened at the start, whole after a power cut, shut in another board."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.ansible.trace import record
from tests.box.running import until
from tests.conftest import missing
from tests.vm.looking import PATIENCE_S, camera
from tests.vm.provision import PROGRAM, play

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.vm.machine import Machine

DEVICE, MAPPED = "/dev/vdb", "/dev/mapper/kinebox-data"
OPENER = r"systemd-cryptsetup@kinebox\x2ddata.service"
DATABASE = "/var/lib/kinebox/kinebox.db"
TRACE = "/srv/squats.trace"
RATE = 4
READ_ONLY = "ro systemd.volatile=state"
"""The system as an image for boards has it: nothing can be written but what is mounted for that."""
FIRMWARE = """\
#!/bin/sh
# rpi-fw-crypto hmac --in IN --key-id 1 --out OUT
[ "$1" = hmac ] || exit 0
exec openssl dgst -sha256 -mac hmac -macopt "key:$(cat /root/one-time-memory)" -binary -out "$7" "$3"
"""
"""In place of the Raspberry Pi's."""
LOOK = """
import json, sqlite3, sys
with sqlite3.connect(sys.argv[1]) as db:
    print(json.dumps({
        "whole": db.execute("PRAGMA integrity_check").fetchone()[0],
        "sessions": [uuid for uuid, in db.execute("SELECT uuid FROM sessions ORDER BY id")],
        "repetitions": [list(row) for row in db.execute("SELECT id, t FROM repetitions ORDER BY id")],
    }))
"""


def remembered(machine: Machine) -> dict[str, Any]:
    """What the box has recorded; nothing while there is no database."""
    told = machine.run(["python3", "-c", LOOK, DATABASE], check=False).stdout
    return json.loads(told) if told else {"sessions": [], "repetitions": []}


def source(machine: Machine) -> str:
    """What is mounted where the box remembers."""
    return machine.run("findmnt --noheadings --output SOURCE --target /var/lib/kinebox").stdout.strip()


@pytest.fixture(scope="module", autouse=True)
def _somebody_exercises(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A recording instead of the camera: without people nothing is remembered."""
    if not PROGRAM.exists():
        missing("Ansible (make test installs it)")
    trace: Path = tmp_path_factory.mktemp("trace") / "squats.trace"
    record(trace, RATE)
    machine.copy(trace, TRACE)
    settings = machine.read("/etc/kinebox/kinebox.env")
    machine.write("/etc/kinebox/kinebox.env", f"KINEBOX_CAMERA={TRACE}\nKINEBOX_VISION_OPTIONS=--loop\n")
    machine.run("systemctl restart kinebox-vision.service")
    yield
    machine.write("/etc/kinebox/kinebox.env", settings)


def test_what_was_remembered_moves_onto_the_encrypted_partition(machine: Machine) -> None:
    machine.write("/usr/bin/rpi-fw-crypto", FIRMWARE, 0o755)
    machine.write("/root/one-time-memory", "this board")
    before = until(lambda: remembered(machine)["repetitions"], "something is remembered", PATIENCE_S)
    made = play(machine, "encrypt.yml", data_encryption_device=DEVICE)
    assert made.status == 0, made.output[-4000:]
    assert source(machine) == MAPPED
    assert remembered(machine)["repetitions"][: len(before)] == before
    again = play(machine, "encrypt.yml", data_encryption_device=DEVICE)
    assert (again.status, again.changed) == (0, 0), again.output[-4000:]
    found = machine.run(f"sync; grep -c -a 'SQLite format' {DEVICE}", check=False).stdout
    assert found == "0\n"


def test_after_a_power_cut_it_opens_by_itself_and_all_is_whole(machine: Machine) -> None:
    count = len(remembered(machine)["repetitions"])
    before = until(
        lambda: len((now := remembered(machine))["repetitions"]) >= count + 2 and now,
        "more is remembered",
        PATIENCE_S,
    )
    machine.cut()
    machine.start(READ_ONLY)
    assert machine.run("findmnt --noheadings --output OPTIONS /").stdout.startswith("ro,")
    assert source(machine) == MAPPED
    until(lambda: camera(machine)[0] == "live", "it works again", PATIENCE_S)
    after = remembered(machine)
    assert after["whole"] == "ok"
    for what in ("sessions", "repetitions"):
        assert after[what][: len(before[what])] == before[what]


def test_in_another_board_it_stays_shut_and_the_box_starts(machine: Machine) -> None:
    machine.run("mount -o remount,rw /")
    machine.write("/root/one-time-memory", "another board")
    machine.reboot()
    assert_shut(machine)
    machine.write("/root/one-time-memory", "this board")
    machine.run("systemctl reset-failed; systemctl start kinebox.target kinebox-hub.service")
    assert source(machine) == MAPPED


def test_a_tpm_opens_it_and_another_one_does_not(machine: Machine) -> None:
    machine.run(
        ["systemctl", "stop", "kinebox.target", "kinebox-hub.service", "var-lib-kinebox.mount", OPENER]
    )
    machine.run(f"cryptsetup erase --batch-mode {DEVICE}; wipefs --all --quiet {DEVICE}")
    made = play(machine, "encrypt.yml", data_encryption_device=DEVICE, data_encryption_bound_to="tpm2")
    assert made.status == 0, made.output[-4000:]
    assert source(machine) == MAPPED
    machine.reboot()
    assert source(machine) == MAPPED
    machine.poweroff()
    machine.other_tpm()
    machine.start()
    assert_shut(machine)


def assert_shut(machine: Machine) -> None:
    """It has started nevertheless, lets administrators in and says why; nothing is recorded beside the partition."""
    assert machine.run("systemctl is-system-running", check=False).stdout == "degraded\n"
    assert machine.ssh("true").returncode == 0
    assert machine.run(f"ls {MAPPED}", check=False).returncode
    said = machine.run(["journalctl", "-b", "-o", "cat", "-u", OPENER]).stdout
    assert "Failed to start" in said, said
    hub = machine.show("kinebox-hub.service", "ActiveState", "NRestarts")
    assert hub == {"ActiveState": "inactive", "NRestarts": "0"}
    assert machine.run("ls -A /var/lib/kinebox").stdout == ""
