"""A fleet with bad links while every part is killed in turn: rows in the database are rows recorded, each once.

KINEBOX_FULL_SIZE=1 is the whole of it: 200 boxes, an hour's windows each, in ten minutes and more. Run it with
`-s` to see the figures.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pytest

from cloud.fleet_sim.fleet import addresses, enrol
from tests.cloud.bad_link import BadLink
from tests.cloud.fleet import wait_for
from tests.cloud.real_boxes import recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.cloud.fleet import Database, Ingest
    from tests.testbed.servers import Servers


class Size(NamedTuple):
    """How much of everything."""

    boxes: int
    windows: int | None
    """That each box records; an hour has 360. None: it goes on until the last has been killed."""
    interval_s: float
    """Between two windows of a box: an hour is made shorter."""
    deaths: dict[str, int]
    span_s: float
    """Over which the deaths are spread."""
    dead_s: float
    """At most."""
    up_s: float
    """How long a link holds, on average; a box is back after a second or two."""
    processes: int
    """Of the real boxes."""
    limit_s: float


FULL = os.environ.get("KINEBOX_FULL_SIZE") == "1"
SIZE = (
    Size(200, 360, 1.2, {"ingest": 6, "broker": 2, "database": 2, "boxes": 20}, 400, 8, 8, 10, 3000)
    if FULL
    else Size(20, None, 0.1, {"ingest": 3, "broker": 1, "database": 2, "boxes": 4}, 5, 0.3, 3, 2, 120)
)


class Fleet(Protocol):
    """Boxes that record and send."""

    deaths: dict[str, Callable[[], None]]
    """What of it can be killed; each call kills -9 and starts again."""

    def enough(self) -> None:
        """Record nothing more."""

    def outcome(self) -> dict[str, Any]:
        """Wait until everything is acknowledged: recorded, stored, lost, doubled and waiting; and other figures."""

    def close(self) -> None:
        """Leave nothing running."""


class Simulated:
    """kinebox-fleet-sim: links that fail a tenth of the time, clocks that are wrong, and restarts of its own."""

    def __init__(self, testbed: Servers, database: Database, _folder: Path) -> None:
        self.deaths: dict[str, Callable[[], None]] = {}
        # With the test bed's superuser, who may enrol boxes.
        addresses = {
            "KINEBOX_MQTT_URL": f"mqtt://127.0.0.1:{testbed.mqtt_port}",
            "KINEBOX_DATABASE_URL": database.owner_url,
        }
        options = {
            "boxes": SIZE.boxes, "windows": SIZE.windows or 1_000_000, "interval": SIZE.interval_s,
            "outage": 0.1, "restart": 0.005, "limit": SIZE.limit_s,
        }  # fmt: skip
        command = [sys.executable, "-m", "cloud.fleet_sim"]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        self._process = subprocess.Popen(
            command, env=os.environ | addresses, stdout=subprocess.PIPE, text=True
        )
        begun = "select exists (select from telemetry_10s)"  # before that it needs the database itself
        wait_for(lambda: bool(database.value(begun)), SIZE.limit_s, "the simulation has begun")

    def enough(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def outcome(self) -> dict[str, Any]:
        out, _ = self._process.communicate(timeout=SIZE.limit_s)
        found: dict[str, Any] = json.loads(out)
        return found

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


class Real:
    """The boxes' own uplinks and outboxes on a bad link, in processes that are killed, too."""

    def __init__(self, testbed: Servers, database: Database, folder: Path) -> None:
        self.deaths = {"boxes": self._kill}
        self._database = database
        self._folder = folder / "boxes"
        self._folder.mkdir()
        self._devices = [address.device for address in addresses(SIZE.boxes, 2)]
        enrol(database.owner_url, addresses(SIZE.boxes, 2))
        self._began = time.monotonic()
        self._link = BadLink(testbed.mqtt_port, SIZE.up_s).__enter__()
        self._starts = 0
        self._running = [self._start(part) for part in range(SIZE.processes)]
        self._next = 0
        self._wait_for_starts()

    def _start(self, part: int) -> subprocess.Popen[bytes]:
        self._starts += 1
        with (self._folder / f"{self._starts}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.cloud.real_boxes", str(self._folder), str(self._link.port),
                 str(SIZE.windows or 1_000_000), str(SIZE.interval_s), *self._devices[part :: SIZE.processes]],
                stdout=log,
            )  # fmt: skip

    def _wait_for_starts(self) -> None:
        logs = [self._folder / f"{number + 1}.log" for number in range(self._starts)][-SIZE.processes :]
        wait_for(lambda: all(log.stat().st_size for log in logs), SIZE.limit_s, "the boxes have started")

    def _kill(self) -> None:
        part = self._next % SIZE.processes
        self._next += 1
        self._running[part].kill()
        self._running[part].wait()
        self._running[part] = self._start(part)

    def enough(self) -> None:
        self._wait_for_starts()
        for process in self._running:
            process.send_signal(signal.SIGINT)

    def outcome(self) -> dict[str, Any]:
        ended = [process.wait(SIZE.limit_s) for process in self._running]
        seconds = time.monotonic() - self._began
        ours = set().union(*(recorded(self._folder / device / "outbox.db") for device in self._devices))
        stored = self._database.rows(
            """select b.boot::text, t.seq from telemetry_10s t join boots b on b.id = t.boot_id
               join devices d on d.id = t.device_id where d.device = any(%s::uuid[])""",
            self._devices,
        )
        said = [log.read_text().split("\n")[-2:-1] for log in self._folder.glob("*.log")]
        sent, again = (sum(int(line.split()[n]) for (line,) in filter(None, said)) for n in (0, 1))
        return {
            "recorded": len(ours), "stored": len(stored), "lost": len(ours - set(stored)),
            "doubled": len(stored) - len(set(stored)), "waiting": sum(map(bool, ended)),
            "sent": sent, "resent": again, "starts": self._starts, "boots": len({boot for boot, _ in ours}),
            "cuts": self._link.cuts, "link_down": round(1 - self._link.up_s / (seconds * SIZE.boxes), 3),
            "altered": self._database.value("select count(*) from telemetry_10s where reps <> seq"),
        }  # fmt: skip

    def close(self) -> None:
        for process in self._running:
            process.kill()
            process.wait()
        self._link.__exit__()


class Reaper:
    """Kills the services and the boxes in random order, as often as SIZE says."""

    def __init__(self, testbed: Servers, services: Sequence[Ingest], fleet: Fleet) -> None:
        self.came_again = 0
        """Windows that ingest found to be there already, as far as the killed could tell."""
        self._testbed = testbed
        self._services = services
        self._chance = random.Random(4)
        self._deaths = {
            "ingest": self._ingest, "broker": self._broker, "database": self._database, **fleet.deaths
        }  # fmt: skip
        self.done = dict.fromkeys(self._deaths, 0)

    def run(self) -> None:
        """Return when all have died, and live again."""
        began = time.monotonic()
        order = [death for death in self._deaths for _ in range(SIZE.deaths[death])]
        self._chance.shuffle(order)
        for number, death in enumerate(order):
            due = began + SIZE.span_s * (number + self._chance.uniform(0.2, 0.8)) / len(order)
            time.sleep(max(due - time.monotonic(), 0))
            self._deaths[death]()
            self.done[death] += 1

    def _down(self) -> None:
        time.sleep(self._chance.uniform(0, SIZE.dead_s))

    def _ingest(self) -> None:
        one = self._services[self.done["ingest"] % len(self._services)]
        self.count(one)
        one.kill()
        self._down()
        one.start()

    def _broker(self) -> None:
        self._testbed.stop_one("mosquitto", signal.SIGKILL)
        self._down()
        self._testbed.start_mosquitto()

    def _database(self) -> None:
        self._testbed.stop_one("postgres", (signal.SIGINT, signal.SIGKILL)[self.done["database"] % 2])
        self._down()
        self._testbed.start_postgres()

    def count(self, one: Ingest) -> None:
        self.came_again += int(one.metric("kinebox_ingest_duplicates_total"))


@pytest.mark.timeout(SIZE.limit_s + 600)
@pytest.mark.parametrize("kind", [Simulated, Real])
def test_rows_in_the_database_are_rows_recorded(
    kind: Callable[[Servers, Database, Path], Fleet],
    testbed: Servers, database: Database, ingest: Callable[..., Ingest], tmp_path: Path,
) -> None:  # fmt: skip
    services = [ingest(f"ingest-{n}") for n in (0, 1)]
    began = time.monotonic()
    fleet = kind(testbed, database, tmp_path)
    try:
        reaper = Reaper(testbed, services, fleet)
        reaper.run()
        killing_s = time.monotonic() - began
        if SIZE.windows is None:
            fleet.enough()
        found = fleet.outcome()
    finally:
        fleet.close()
    for service in services:
        reaper.count(service)
    seconds = {"killing_s": round(killing_s), "seconds": round(time.monotonic() - began)}
    print(json.dumps(found | {"killed": reaper.done, "came_again": reaper.came_again} | seconds))
    count = found["recorded"]
    same = {"recorded": count, "stored": count, "lost": 0, "doubled": 0, "waiting": 0}
    assert {key: found[key] for key in same} == same
    assert not found.get("altered")
    assert count == SIZE.boxes * SIZE.windows if SIZE.windows else count > 5 * SIZE.boxes
