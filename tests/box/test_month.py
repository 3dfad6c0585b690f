"""A box whose broker has been away for a month: what waits leaves in order, at its pace, and all of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from msgspec.structs import replace

from edge.uplink.outbox import START, Outbox
from tests.box.recovery import HUB
from tests.box.running import until
from tests.testbed import rootfs
from tests.testbed.box import boot
from tests.testbed.network import Network
from tests.uplink.samples import LIMITS, ME
from tests.uplink.test_journal import Frozen, play
from wire.messages import SessionChange

if TYPE_CHECKING:
    from tests.testbed.box import Box

ROOT = Path(__file__).resolve().parents[2]
FULL = os.environ.get("KINEBOX_FULL_SIZE") == "1"
DAYS = 29.9  # older ones are given up
SESSIONS, WINDOWS = (60, 450) if FULL else (10, 40)
"""Two trainings of 75 minutes a day; else fewer and shorter ones."""
PER_S = 50
"""What boxes send of what is late."""
STATE = "/var/lib/kinebox"
CONFIG = f"""\
[uplink]
url = "mqtt://10.77.0.1"
plain = true
tenant = "acme"
site = "hall"
device = "{ME}"
unknown_subjects = "anonymous"
replay_per_s = {PER_S}
clock_wait_s = 1
"""
BROKER = """\
user root
listener 1883
allow_anonymous true
persistence false
max_queued_messages 0
"""


class Month(NamedTuple):
    """What waits."""

    boot: str
    count: int


def record(path: Path) -> Month:
    """What the hub's own code makes of half a minute of squats, again and again over a month."""
    with Outbox(path.with_name("sample.db"), **LIMITS) as sample:
        play(sample, Frozen(), 25)
        messages = [row.message for row in sample.after(START, 100) if row.message is not None]
    windows = [one for one in messages if not isinstance(one, SessionChange)]
    start, end = (one for one in messages if isinstance(one, SessionChange) and one.change != "change")
    with Outbox(path, **LIMITS) as outbox:
        count = 0
        for number in range(SESSIONS):
            at = time.time() - DAYS * 86_400 * (1 - number / SESSIONS)
            later = [replace(windows[k % len(windows)], at=at + 10 * k) for k in range(WINDOWS)]
            for one in (replace(start, at=at), *later, replace(end, at=at)):
                assert outbox.add(one, 0)
                count += 1
            outbox.flush()
        return Month(outbox.boot, count)


def figures(box: Box) -> dict[str, float]:
    """What the hub tells of its outbox."""
    ask = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8080/metrics').read().decode())"
    text = box.run(["python3", "-c", ask]).stdout
    return {name: float(value) for name, value in re.findall(r"^(kinebox_\w+) (\S+)$", text, re.M)}


@pytest.mark.timeout(1800)
def test_a_month_without_a_broker(
    software: tuple[Path, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    month = record(tmp_path / "outbox.db")
    inside = Path(tempfile.mkdtemp(dir=rootfs.rootfs() / "srv"))
    (inside / "mosquitto.conf").write_text(BROKER)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, inside)
        network = stack.enter_context(Network())
        layer = tmp_path / "layer"
        (layer / "etc/systemd/system").mkdir(parents=True)
        (layer / "etc/systemd/system/kinebox-vision.service").symlink_to("/dev/null")  # nobody trains
        box = stack.enter_context(boot("month", layer, *software, network=network))
        box.run(["systemctl", "stop", HUB])
        box.write("/etc/kinebox/config.toml", CONFIG)
        box.run(f"rm -f {STATE}/outbox.db*")
        shutil.copy(tmp_path / "outbox.db", box.root / f"{STATE}/outbox.db".lstrip("/"))
        box.run(f"chown kinebox: {STATE}/outbox.db")
        box.run(["systemctl", "start", HUB])
        assert figures(box)["kinebox_outbox_rows"] == month.count

        def spawn(*command: str, **more: Any) -> subprocess.Popen[str]:
            process = stack.enter_context(
                subprocess.Popen(
                    network.enter(*command), cwd=ROOT, stdin=subprocess.DEVNULL, text=True, **more
                )
            )
            stack.callback(process.kill)
            return process

        spawn(
            "chroot",
            str(rootfs.rootfs()),
            "mosquitto",
            "-c",
            f"/srv/{inside.name}/mosquitto.conf",
            stderr=subprocess.DEVNULL,
        )
        cloud = spawn(sys.executable, "-m", "tests.box.ledger", stdout=subprocess.PIPE)
        assert cloud.stdout is not None
        told: dict[str, Any] = {"rows": {}}
        for line in cloud.stdout:
            told = json.loads(line)
            if told["rows"].get(month.boot, 0) >= month.count:
                break
        assert told["rows"][month.boot] == month.count  # each of them once in the books
        until(lambda: figures(box)["kinebox_outbox_rows"] == 0, "what is acknowledged has gone")
        pace = told["received"] / max(told["seconds"], 0.25)
        process = box.show(HUB, "MainPID")["MainPID"]
        peak = int(re.findall(r"VmHWM:\s+(\d+)", box.read(f"/proc/{process}/status"))[0]) / 1024
        size = sum(map(int, box.run(f"stat -c %s {STATE}/outbox.db*").stdout.split())) / 2**20
        with capsys.disabled():
            print(
                f"\na month: {month.count} messages in {told['seconds']:.0f} s ({pace:.0f}/s of {PER_S} allowed), "
                f"{told['received'] - month.count} twice; the hub at most {peak:.0f} MB, its outbox {size:.1f} MB"
            )
        assert figures(box)["kinebox_outbox_given_up_total"] == 0
        # One second's worth may go at once.
        assert told["received"] <= PER_S * (told["seconds"] + 2)
        assert peak < 300
        assert box.show(HUB, "NRestarts") == {"NRestarts": "0"}
