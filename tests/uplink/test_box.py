"""The whole box beside a real broker: what it counts arrives once, whatever is killed on the way."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from edge.uplink.outbox import Outbox
from tests.running import REPS, Box
from tests.uplink.broker import until
from tests.uplink.samples import LIMITS
from wire.messages import Birth, Health, SessionChange, Window

if TYPE_CHECKING:
    from pathlib import Path

    from tests.uplink.broker import Cloud, Mosquitto

CONFIG = """\
[uplink]
url = "mqtt://127.0.0.1:{port}"
tenant = "acme"
site = "gym-1"
unknown_subjects = "{consent}"
resend_after_s = 2
health_every_s = 1
replay_per_s = 500
"""


def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: int, consent: str = "anonymous") -> None:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG.format(port=port, consent=consent))
    monkeypatch.setenv("KINEBOX_CONFIG", str(config))
    monkeypatch.setenv("KINEBOX_ASSUME_CLOCK", "1")


def sessions(cloud: Cloud) -> list[SessionChange]:
    return [row for row in cloud.ledger.rows.values() if isinstance(row, SessionChange)]


def windows(cloud: Cloud) -> list[Window]:
    return [row for row in cloud.ledger.rows.values() if isinstance(row, Window)]


def figures(box: Box) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{box.port}/metrics", timeout=5) as answer:
        lines = [line for line in answer.read().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def waiting_windows(outbox: Path) -> int:
    with closing(sqlite3.connect(f"{outbox.as_uri()}?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT count(*) FROM messages WHERE kind = 'window'").fetchone()[0])


def test_windows_and_sessions_arrive(
    tmp_path: Path, squats: Path, broker: Mosquitto, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(tmp_path, monkeypatch, broker.port)
    box = Box(squats, tmp_path / "state")
    try:
        assert until(lambda: any(s.change == "end" for s in sessions(cloud)), 60)
        assert until(lambda: figures(box)["kinebox_outbox_rows"] == 0)
        measured = figures(box)
        assert measured["kinebox_uplink_connected"] == 1
        assert measured["kinebox_uplink_sent_total"] == len(cloud.ledger.rows)
        (stored,) = box.get("/api/v1/sessions")["sessions"]
    finally:
        box.stop()
    began, *_, ended = told = sorted(sessions(cloud), key=lambda row: row.seq)
    assert {row.session for row in told} == {stored["id"]}
    assert (began.change, ended.change, ended.reason) == ("start", "end", "source_ended")
    assert (ended.exercise, ended.reps) == ("squat", REPS)
    assert ended.duration_s == pytest.approx(stored["duration_s"], abs=0.1)
    assert ended.metrics["knee_rom_left"] > 60
    assert began.at is not None
    assert abs(time.time() - began.at) < 120
    rows = sorted(windows(cloud), key=lambda row: row.seq)
    assert [round(row.duration_s) for row in rows[:-1]] == [10] * (len(rows) - 1)
    assert sum(row.duration_s for row in rows) == pytest.approx(ended.duration_s, abs=0.2)
    assert sum(row.reps for row in rows) == REPS
    assert {row.subject for row in rows} == {began.subject}
    assert not any(row.historical for row in rows)
    (birth,) = [row for row in cloud.said("birth")[-1:] if isinstance(row, Birth)]
    assert "knee_flexion_left" in birth.metrics
    assert birth.models == {"pose": "none-7"}
    assert began.model == "none-fp32"
    health = [row for row in cloud.said("health") if isinstance(row, Health)]
    assert any(row.camera == "live" and row.fps > 5 and (row.confidence or 0) > 0.5 for row in health)
    assert cloud.said("available") == ["online", "stopped"]


def test_without_consent_only_health_leaves(
    tmp_path: Path, short: Path, broker: Mosquitto, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(tmp_path, monkeypatch, broker.port, "nothing")
    box = Box(short, tmp_path / "state")
    try:
        box.wait("/api/v1/sessions", lambda a: a["sessions"] and a["sessions"][0]["end_reason"])
        assert until(lambda: bool(cloud.said("health")))
    finally:
        box.stop()
    assert cloud.ledger.received == 0
    with Outbox(tmp_path / "state" / "outbox.db", **LIMITS) as outbox:
        assert outbox.level().rows == 0


def test_without_a_broker_there_is_no_file_and_no_thread(
    tmp_path: Path, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINEBOX_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "config.toml").write_text("")
    box = Box(short, tmp_path / "state")
    try:
        box.wait("/api/v1/status", lambda a: a["camera"]["state"] == "live")
        assert not any("outbox" in name for name in figures(box))
    finally:
        box.stop()
    assert {file.name for file in (tmp_path / "state").iterdir()}.isdisjoint({"outbox.db", "device-id"})
    names = "import edge.hub.__main__, sys; print('paho' in sys.modules, 'tenacity' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", names], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == ["False", "False"]


def test_a_killed_hub_and_a_killed_broker(
    tmp_path: Path, squats: Path, broker: Mosquitto, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(tmp_path, monkeypatch, broker.port)
    box = Box(squats, tmp_path / "state")
    try:
        assert until(lambda: bool(sessions(cloud)), 60)
        first = sessions(cloud)[0].session
        broker.kill()
        # The box goes on recording.
        assert until(lambda: waiting_windows(tmp_path / "state" / "outbox.db") > 0, 60)
        os.kill(box.child("edge.hub"), signal.SIGKILL)
        broker.start()
        # The next start tells of the session that was cut off.
        assert until(lambda: any((s.session, s.change) == (first, "end") for s in sessions(cloud)), 60), (
            sessions(cloud)
        )
        assert until(lambda: figures(box)["kinebox_outbox_rows"] == 0)
    finally:
        box.stop()
    (end,) = [row for row in sessions(cloud) if (row.session, row.change) == (first, "end")]
    assert end.reason == "interrupted"
    assert len({row.boot for row in cloud.ledger.rows.values()}) == 2
    for boot in {row.boot for row in cloud.ledger.rows.values()}:
        seqs = sorted(seq for named, seq in cloud.ledger.rows if named == boot)
        assert seqs == list(range(1, len(seqs) + 1))


def test_nothing_lost_and_nothing_doubled_by_a_recorder_killed_again_and_again(
    tmp_path: Path, broker: Mosquitto, cloud: Cloud
) -> None:
    chance = random.Random(5)  # noqa: S311
    safe: set[tuple[str, int]] = set()
    for round_number in range(6):
        recorder = subprocess.Popen(
            [sys.executable, "-m", "tests.uplink.recorder", str(tmp_path / "state"), str(broker.port)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert recorder.stdout is not None
        opening = recorder.stdout.readline().split()
        time.sleep(chance.uniform(0.2, 0.8))
        if round_number in (1, 4):
            broker.kill()
            time.sleep(0.3)
            broker.start()
        if round_number == 3:
            cloud.answering = False
        if round_number == 5:
            cloud.answering = True
        recorder.kill()
        lines = recorder.stdout.read().splitlines()
        recorder.wait()
        recorder.stdout.close()
        safe |= {(opening[1], seq) for seq in range(1, int(lines[-1]) + 1)} if lines else set()
    last = subprocess.run(
        [sys.executable, "-m", "tests.uplink.recorder", str(tmp_path / "state"), str(broker.port), "drain"],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert "EMPTY" in last.stdout
    assert len(safe) > 100
    assert safe <= cloud.ledger.rows.keys()
    assert all(row.reps == seq for (_, seq), row in cloud.ledger.rows.items() if isinstance(row, Window))
    for boot in {boot for boot, _ in cloud.ledger.rows}:
        seqs = sorted(seq for named, seq in cloud.ledger.rows if named == boot)
        assert seqs == list(range(1, len(seqs) + 1))  # what arrived beyond what was reported is whole, too
