"""What is kept of somebody, to take away: all of it, as of one moment, a piece at a time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from cloud.api import export
from cloud.api.routes import export as route
from cloud.api.state import EXPORTS
from tests.cloud.api.test_erasure import record
from tests.cloud.api.test_people import enrol
from tests.cloud.fleet import uuid
from wire.metrics import metrics

if TYPE_CHECKING:
    from cloud.ingest.writer import Writer
    from tests.cloud.api.conftest import Cloud


@pytest.fixture
def recorded(cloud: Cloud, writer: Writer) -> str:
    """The path of somebody's export."""
    record(cloud, writer, gym=["ann", "bob"], rival=["ann"])
    cloud.database.rows("select refresh_rollups()")
    enrol(cloud.user("owner"), subject=uuid("ann"))
    return f"/api/people/{uuid('ann')}/export"


def test_all_of_one_subject_is_in_it_with_units(cloud: Cloud, recorded: str) -> None:
    answer = cloud.user("owner").get(recorded)
    assert answer.headers["content-type"] == "application/json"
    assert (
        answer.headers["content-disposition"] == f'attachment; filename="kinebox-person-{uuid("ann")}.json"'
    )
    assert "content-length" not in answer.headers
    document = answer.json()
    counts = {name: len(rows) for name, rows in document.items() if isinstance(rows, list)}
    number = "(select s.id from subjects s join tenants t on t.id = s.tenant_id where slug = 'gym' and subject = %s)"
    assert counts == {
        name: cloud.database.value(f"select count(*) from {table} where subject_id = {number}", uuid("ann"))
        for name, table in {
            "consents": "consents", "sessions": "exercise_sessions", "windows": "telemetry_10s",
            "hours": "telemetry_1h", "days": "telemetry_1d",
        }.items()
    }  # fmt: skip
    assert all(counts.values())
    assert (document["format"], document["schema"]) == (1, 1)
    assert document["exported"].endswith("Z")
    assert document["profile"]["alias"] == "Ann"
    assert document["profile"]["subject"] == uuid("ann")
    assert {key: row["unit"] for key, row in document["metrics"].items()} == {
        key: row.unit for key, row in metrics().items()
    }
    (session,) = document["sessions"]
    assert session["metrics"] == {"knee_rom_left": 90.0}
    window = document["windows"][0]
    assert window["device"] == uuid("gym box")
    assert window["metrics"] == {"knee_flexion_left": 1.5, "trunk_lean": 4.0}
    assert window["grades"] == {"knee_flexion_left": "B"}
    assert {"tenant_id", "subject_id", "boot_id", "seq"}.isdisjoint(window)
    hour = next(row for row in document["hours"] if row["metric"] == "knee_flexion_left" and row["exercise"])
    assert (hour["n"], hour["mean"], hour["minimum"], hour["maximum"]) == (5, 3.5, 1.5, 5.5)


def test_of_who_has_no_measurements_it_is_whole_too(cloud: Cloud) -> None:
    owner = cloud.user("owner")
    document = owner.ask("GET", f"/api/dogs/{enrol(owner, 'dogs')['subject']}/export")
    assert document["windows"] == document["sessions"] == []
    assert len(document["consents"]) == 1


def test_whom_one_may_not_see_one_does_not_get(cloud: Cloud, recorded: str) -> None:
    cloud.user("member").ask("GET", recorded, 404)
    cloud.user("fleet_operator").ask("GET", recorded, 403)
    cloud.user("owner").ask("GET", recorded.replace("people", "dogs"), 404)


def test_it_shows_one_moment(cloud: Cloud, recorded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is erased after the first piece: the document is still whole, and does not stop the erasing."""
    real = export.export

    async def slow(db: Any, subject: Any) -> Any:
        first = True
        async for piece in real(db, subject):
            yield piece
            if first:
                cloud.database.rows(
                    "select set_config('kinebox.tenant', '1', false), erase_subject(%s)", subject.id
                )
                first = False

    monkeypatch.setattr(route, "export", slow)
    document = cloud.user("owner").ask("GET", recorded)
    assert (len(document["windows"]), len(document["sessions"]), len(document["consents"])) == (6, 1, 1)
    cloud.user("owner").ask("GET", recorded, 404)


def test_rows_are_read_a_piece_at_a_time(cloud: Cloud, recorded: str) -> None:
    """Tens of megabytes in the memory of a few pieces."""
    cloud.database.rows(
        """insert into telemetry_10s (time, seq, boot_id, tenant_id, device_id, subject_id, duration_s, reps,
               partial_reps, clock, historical, camera, other)
           select t.time + n * interval '1 second', 1000 + n, t.boot_id, t.tenant_id, t.device_id, t.subject_id, 10,
               0, 0, 's', false, 'cam0', jsonb_build_object('filling', repeat('x', 1500))
           from (select t.* from telemetry_10s t join subjects s on s.id = t.subject_id
                 where s.subject = %s limit 1) t, generate_series(1, 20000) n""",
        uuid("ann"),
    )
    owner = cloud.user("owner")
    tracemalloc.start()
    try:
        size = most = 0
        with owner.stream("GET", recorded) as answer:
            assert answer.status_code == 200
            text = answer.iter_bytes()
            for piece in text:
                size += len(piece)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size > 30_000_000
    assert most < size / 6


def test_more_at_a_time_than_there_is_room_for_are_told_to_wait(cloud: Cloud, recorded: str) -> None:
    exports = cloud.app.state.kinebox.exports
    owner = cloud.user("owner")

    async def take() -> None:
        await exports.acquire()
        await exports.acquire()

    portal = cloud.nobody.portal
    assert portal is not None
    portal.call(take)
    answer = owner.get(recorded)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_exports")
    assert int(answer.headers["retry-after"]) > 0
    exports.release()
    assert json.loads(owner.get(recorded).text)["profile"]
    # One that is refused or unknown leaves its place free.
    owner.ask("GET", recorded.replace("people", "dogs"), 404)
    assert owner.get(recorded).status_code == 200


def test_who_goes_away_in_the_middle_leaves_no_transaction(cloud: Cloud, recorded: str) -> None:
    header = cloud.user("owner").headers["authorization"].encode()
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": recorded, "raw_path": recorded.encode(), "query_string": b"", "root_path": "",
        "headers": [(b"authorization", header)], "client": ("127.0.0.1", 1), "server": ("testserver", 80),
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> Any:
        return await asyncio.Event().wait()  # nothing more comes

    async def send(message: Any) -> None:
        sent.append(message)
        if len(sent) > 3:
            raise OSError("gone")

    async def ask() -> int:
        with contextlib.suppress(Exception):
            await cloud.app(scope, receive, send)
        return (
            cloud.app.state.kinebox.exports._value
        )  # all places are free at once, not when memory is tidied

    portal = cloud.nobody.portal
    assert portal is not None
    assert portal.call(ask) == EXPORTS
    assert sent[0]["status"] == 200
    states = cloud.database.rows("select state from pg_stat_activity where application_name = 'kinebox-api'")
    assert {state for (state,) in states} == {"idle"}
