"""A fleet with outages while everything is killed in turn: rows in the database are rows recorded."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cloud.fleet import Database, Ingest
    from tests.testbed.servers import Servers


def fleet(testbed: Servers, database: Database, **options: float) -> subprocess.Popen[str]:
    """A running simulation; with the test bed's superuser, who may enrol boxes."""
    command = [sys.executable, "-m", "cloud.fleet_sim"]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    addresses = {
        "KINEBOX_MQTT_URL": f"mqtt://127.0.0.1:{testbed.mqtt_port}",
        "KINEBOX_DATABASE_URL": database.owner_url,
    }
    return subprocess.Popen(command, env=os.environ | addresses, stdout=subprocess.PIPE, text=True)


def outcome(simulation: subprocess.Popen[str], seconds: float) -> dict[str, Any]:
    out, _ = simulation.communicate(timeout=seconds)
    found: dict[str, Any] = json.loads(out)
    return found


@pytest.mark.timeout(180)
def test_nothing_is_lost_or_doubled_while_everything_is_killed(
    testbed: Servers, database: Database, ingest: Callable[..., Ingest]
) -> None:
    services = [ingest(f"ingest-{n}") for n in (0, 1)]
    simulation = fleet(testbed, database, boxes=40, windows=100_000, interval=0.12, outage=0.1, restart=0.02)
    try:
        for victim in (0, 1, 0):
            time.sleep(1)
            services[victim].kill()
            services[victim].start()
        testbed.stop_one("mosquitto", signal.SIGKILL)
        testbed.start_mosquitto()
        time.sleep(1)
        testbed.stop_one("postgres", signal.SIGKILL)
        testbed.start_postgres()
        time.sleep(1)
        simulation.send_signal(signal.SIGINT)
        found = outcome(simulation, 120)
    finally:
        simulation.kill()
    recorded = found["recorded"]
    assert found == {"recorded": recorded, "stored": recorded, "lost": 0, "doubled": 0, "waiting": 0}
    assert recorded > 1000


def test_a_loss_and_a_doubling_would_be_seen(
    testbed: Servers, database: Database, ingest: Callable[..., Ingest]
) -> None:
    """The simulation's own count is tested: rows taken away and put in twice behind its back."""
    ingest()
    database.rows("drop index telemetry_10s_once")
    try:
        database.rows(
            """create function meddle() returns trigger language plpgsql as $$ begin
                   if new.seq = 3 then return null; end if;
                   if new.seq = 5 and pg_trigger_depth() = 1 then insert into telemetry_10s values (new.*); end if;
                   return new; end $$;
               create trigger meddle before insert on telemetry_10s for each row execute function meddle()"""
        )
        simulation = fleet(testbed, database, boxes=2, windows=6, interval=0.01, outage=0, restart=0)
        found = outcome(simulation, 60)
    finally:
        database.rows("drop trigger if exists meddle on telemetry_10s; drop function if exists meddle")
        database.rows("truncate telemetry_10s")
        database.rows("create unique index telemetry_10s_once on telemetry_10s (boot_id, seq, time)")
    assert (simulation.returncode, found["lost"], found["doubled"]) == (1, 2, 2)
