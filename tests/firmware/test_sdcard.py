"""What is written to the card is counted at the disk: in a process of its own, which keeps mounts of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from edge.device.sdcard import Written
from tests.conftest import missing
from tests.firmware.places import ROOT
from tests.running import record_squats

if TYPE_CHECKING:
    from pathlib import Path

COUNT = """
import json, os, sys, tempfile
from pathlib import Path
from edge.device.sdcard import Disk, leave_mounts
leave_mounts()
with tempfile.TemporaryDirectory() as folder:
    disk = Disk(Path(folder))
    counts = [disk.written()]
    for _ in range(8):
        with (disk.path / "file").open("ab") as file:
            file.write(os.urandom(2**17))
            file.flush()
            os.fsync(file.fileno())
    counts.append(disk.written())
    counts.append(disk.written())
    disk.close()
print(json.dumps(counts))
"""
MEASURE = """
import json, sys
from pathlib import Path
from edge.device.sdcard import CASES, measure
found = measure(Path(sys.argv[1]), 3, CASES[3:], warm_s=4)
print(json.dumps([[case.name, *written] for case, written in found]))
"""


def run(program: str, *arguments: str, temporary: Path | None = None) -> list[list[Any]]:
    if os.geteuid() != 0:
        missing("a disk of one's own (it needs root)")
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False, cwd=ROOT,
        env=os.environ | ({} if temporary is None else {"TMPDIR": str(temporary)}),
    )  # fmt: skip
    if "loop devices" in done.stderr:
        missing(f"a disk of one's own ({done.stderr.splitlines()[-1]})")
    assert done.returncode == 0, done.stderr
    found: list[list[Any]] = json.loads(done.stdout)
    return found


def test_what_is_synced_is_counted_once() -> None:
    (before, syncs), (after, later), (again, _) = run(COUNT)
    assert 2**20 <= after - before < 2 * 2**20  # and what the file system adds
    assert later - syncs >= 8
    assert again - after < 2**16


def test_a_box_is_measured_as_it_runs(tmp_path: Path) -> None:
    record_squats(tmp_path / "squats.trace")
    ((name, megabytes, syncs, _),) = run(MEASURE, str(tmp_path / "squats.trace"), temporary=tmp_path)
    assert name == "exercise without a pause, broker away"
    assert megabytes > 1
    assert syncs > 3600 / 3  # the count's own, and a group now and then
    assert [path.name for path in tmp_path.iterdir()] == ["squats.trace"]


def test_an_hour_is_told_from_less() -> None:
    assert Written(1.0, 20, 3).per_hour(600) == Written(6.0, 120, 18)


def test_a_recording_that_is_none_is_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "edge.device.sdcard", str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == (3 if os.geteuid() == 0 else 6)
    assert ("none cannot be read" if os.geteuid() == 0 else "sudo") in done.stderr
