"""The box's own uplink, broker, ingest and database, each killed while the others go on: all is there once."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from tests.cloud.fleet import uuid
from tests.uplink.samples import ME

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cloud.fleet import Database, Ingest
    from tests.testbed.servers import Servers


def test_nothing_lost_and_nothing_doubled_from_the_box_to_the_database(
    testbed: Servers, database: Database, ingest: Callable[..., Ingest], tmp_path: Path
) -> None:
    database.enrol("another", "acme", "gym-1")
    database.rows("update devices set device = %s where device = %s", ME, uuid("another"))
    chance = random.Random(3)
    service = ingest()
    safe = 0
    command = [sys.executable, "-m", "tests.uplink.recorder", str(tmp_path / "state"), str(testbed.mqtt_port)]
    for round_number in range(6):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as recorder:
            assert recorder.stdout is not None
            recorder.stdout.readline()
            time.sleep(chance.uniform(1.0, 2.5))
            if round_number in (1, 4):
                service.kill()
            if round_number == 2:
                testbed.stop_one("mosquitto", signal.SIGKILL)
                time.sleep(0.5)
                testbed.start_mosquitto()
            if round_number == 3:
                testbed.stop_one("postgres", signal.SIGINT)
                testbed.start_postgres()
            recorder.kill()
            lines = recorder.stdout.read().splitlines()
        safe += int(lines[-1]) if lines else 0
        if round_number in (1, 4):
            service.start()
    drained = subprocess.run([*command, "drain"], capture_output=True, text=True, check=True, timeout=120)
    assert "EMPTY" in drained.stdout
    rows, different, boots = database.rows(
        "select count(*), count(distinct (boot_id, seq)), count(distinct boot_id) from telemetry_10s"
    )[0]
    assert rows == different >= safe > 500
    assert boots == 6
    # Each boot is complete: what arrived beyond what the recorder reported before it was killed is whole, too.
    assert rows == database.value(
        "select sum(m) from (select max(seq) m from telemetry_10s group by boot_id) b"
    )
    assert database.value("select count(*) from telemetry_10s where reps <> seq") == 0
