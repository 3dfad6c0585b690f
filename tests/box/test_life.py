"""What a box lives through: a card that may only be read, a processor that is slowed down."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.box.recovery import HUB, VISION, layer
from tests.box.running import frames, until
from tests.testbed.box import boot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.testbed.box import Box

STATE = "/var/lib/kinebox"
MEASURED = "var/lib/kinebox-vision/tuning.json"
SLOW_S = 4.0
PATIENCE_S = 240
"""Other tests keep the processor busy for minutes; a picture is late for that, too, and slowness ends with ten
seconds without late ones."""


@pytest.fixture
def read_only(software: tuple[Path, ...], clip: Path, tmp_path: Path) -> Iterator[Box]:
    """A box of which only /var may be written, which is empty after each start."""
    mounts = tmp_path / "mounts" / "etc" / "fstab"
    mounts.parent.mkdir(parents=True)
    mounts.write_text("overlay / overlay ro 0 0\ntmpfs /var tmpfs mode=755 0 0\n")
    with boot("readonly", tmp_path / "mounts", layer(tmp_path / "camera", clip), *software) as one:
        yield one


def test_the_system_may_be_read_only(read_only: Box) -> None:
    box = read_only
    written = box.run("touch /etc/kinebox/new /opt/kinebox/new", check=False)
    assert written.stderr.count("Read-only file system") == 2
    for unit in (VISION, HUB):
        until(lambda unit=unit: frames(box, unit) > 5, f"{unit} works")  # type: ignore[misc]
    assert box.run("systemctl list-units --failed --no-legend 'kinebox*'").stdout == ""
    assert "read-only" not in box.run("journalctl -b -u 'kinebox*'").stdout.lower()
    assert box.run(f"ls {STATE}").stdout
    assert "test-1" in box.run("/opt/kinebox/current/bin/kinebox update status").stdout


def test_a_processor_that_is_slowed_down_slows_nothing_but_the_pictures(box: Box) -> None:
    """What a hot board does: fewer pictures are analysed, none is old, and nothing is started anew."""

    def rate() -> float:
        before, began = frames(box, VISION), time.monotonic()
        time.sleep(SLOW_S)
        return (frames(box, VISION) - before) / (time.monotonic() - began)

    until(lambda: frames(box, VISION) > 5, "vision works")
    until((box.root / MEASURED).exists, "what the machine can do is measured")
    usual, before = rate(), box.show(VISION, "NRestarts", "MainPID")
    # Quotas of the processor are not to be had in a container: three quarters of the time it stands still.
    steps = 'for i in $(seq 30); do kill -STOP "$0"; sleep 0.3; kill -CONT "$0"; sleep 0.1; done'
    with subprocess.Popen(box.enter("sh", "-c", steps, before["MainPID"])) as slowed:
        slow = rate()
        assert slowed.wait() == 0
    assert 0 < slow < 0.7 * usual
    assert box.show(VISION, "NRestarts", "MainPID") == before
    until(lambda: rate() > 0.7 * usual, "vision is as fast as before", PATIENCE_S)
    for state in ("began", "ended"):
        said = until(lambda: told(box, "slow", state), f"that it is slow has {state}", PATIENCE_S)  # noqa: B023
        assert "kinebox-hub.service" in said


def told(box: Box, trouble: str, state: str) -> str:
    """What the journal says of the beginning or the end of a trouble, and who said so."""
    fields = f"KINEBOX_TROUBLE={trouble} KINEBOX_STATE={state} KINEBOX_PART=hub"
    said = box.run(f"journalctl -b {fields} -o with-unit", check=False).stdout
    return said.replace("-- No entries --", "").strip()
