"""Recording by the API: everything once, all of a request or none of it, and only where it is allowed."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from cloud.ingest.upkeep import run_upkeep
from tests.cloud.api.samples import enrol
from tests.cloud.fleet import uuid

if TYPE_CHECKING:
    from tests.cloud.api.conftest import Client, Cloud

SUBJECT = {"subject": uuid("ann"), "species": "human", "camera": "cam0"}


def windows(*seqs: int, **more: Any) -> dict[str, Any]:
    """A request; the number of a window also sets its time and value."""
    begin = time.time() // 3600 * 3600 - 86400
    fixed: dict[str, Any] = {
        "duration_s": 10.0,
        "exercise": "squat",
        "reps": 2,
        "grades": {"trunk_lean": "B"},
    }
    return {
        "windows": [
            {"seq": n, "at": begin + 10 * n, "metrics": {"trunk_lean": n % 100 + 0.5}, **fixed, **more}
            for n in seqs
        ]
    }


def begin(client: Client, **more: Any) -> str:
    session: str = client.ask("POST", "/api/sessions/start", 201, json=SUBJECT | more)["session"]
    return session


def test_a_box_records_a_session(cloud: Cloud) -> None:
    box = cloud.box("box")
    session = begin(box)
    added = box.ask("POST", f"/api/sessions/{session}/data", json=windows(1, 2, 3))
    assert added == {"accepted": 3, "duplicates": 0, "contiguous": 3}
    result = {"duration_s": 30, "reps": 6, "reason": "left", "metrics": {"knee_rom_left": 101.5, "newer": 7}}
    ended = box.ask(
        "POST", f"/api/sessions/{session}/end", json=result | {"grades": {"knee_rom_left": "A", "newer": "C"}}
    )
    assert ended == cloud.user("owner").ask("GET", f"/api/sessions/{session}")
    assert (ended["ended"], ended["reps"], ended["reason"]) == (True, 6, "left")
    assert (ended["exercise"], ended["exercises"]) == ("squat", ["squat"])
    assert ended["metrics"] == {"knee_rom_left": 101.5, "newer": 7}
    assert ended["grades"] == {"knee_rom_left": "A", "newer": "C"}
    seen = cloud.database.rows(
        """select k.metric_name, k.metric_value, k.grade, s.subject::text from
           (select * from telemetry_10s) t, subjects s, lateral (select 'trunk_lean' as metric_name,
           t.trunk_lean as metric_value, substr(t.grades, position::int, 1) as grade from metric_columns
           where key = 'trunk_lean') k order by t.seq"""
    )
    assert seen == [("trunk_lean", n + 0.5, "B", uuid("ann")) for n in (1, 2, 3)]
    run_upkeep(cloud.database.url, keep_days=4000)
    assert cloud.database.value("select total from telemetry_1h where metric = 'trunk_lean'") == 7.5


def test_what_is_sent_again_is_kept_once(cloud: Cloud) -> None:
    box = cloud.box("box")
    name = uuid("session")
    assert begin(box, session=name) == begin(box, session=name) == name
    path = f"/api/sessions/{name}/data"
    assert box.ask("POST", path, json=windows(1, 2))["accepted"] == 2
    assert box.ask("POST", path, json=windows(1, 2)) == {"accepted": 0, "duplicates": 2, "contiguous": 2}
    # The same number with another time is still the same window.
    assert box.ask("POST", path, json=windows(2, at=time.time()))["accepted"] == 0
    assert box.ask("POST", path, json=windows(5, 5)) == {"accepted": 1, "duplicates": 1, "contiguous": 2}
    assert box.ask("POST", path, json=windows(4, 3)) == {"accepted": 2, "duplicates": 0, "contiguous": 5}
    first = box.ask("POST", f"/api/sessions/{name}/end", json={"duration_s": 50, "reps": 3})
    assert box.ask("POST", f"/api/sessions/{name}/end", json={"duration_s": 70, "reps": 9}) == first
    assert cloud.database.rows("select seq from telemetry_10s order by 1") == [(n,) for n in range(1, 6)]


@pytest.mark.parametrize(
    ("window", "told"),
    [
        ({"metrics": {"knee_rom_left": 181}}, "windows[1].metrics.knee_rom_left"),
        ({"metrics": {"trunk_lean": float("nan")}}, "windows[1].metrics.trunk_lean: not a finite"),
        ({"metrics": {"newer": 1e13}}, "windows[1].metrics.newer"),
        ({"metrics": {"no key": 1}}, "windows[1].metrics: 'no key'"),
        ({"at": time.time() + 86400}, "windows[1].at: 8"),
        ({"at": 5}, "windows[1].at"),
        ({"reps": -1}, "windows[1].reps"),
        ({"grades": {"trunk_lean": "Z"}}, "windows[1].grades"),
        ({"exercise": "a b"}, "windows[1].exercise"),
        ({"seq": None}, "windows[1].seq"),
    ],
)
def test_one_bad_window_and_nothing_is_kept(cloud: Cloud, window: dict[str, Any], told: str) -> None:
    box = cloud.box("box")
    session = begin(box)
    body = windows(1, 2)
    body["windows"][1] |= window
    refused = box.ask(
        "POST", f"/api/sessions/{session}/data", 422, content=json.dumps(body), headers={"a": "b"}
    )
    assert refused["code"] == "request_invalid"
    assert told in refused["detail"]
    assert cloud.database.value("select count(*) from telemetry_10s") == 0
    assert box.ask("POST", f"/api/sessions/{session}/data", json=windows(1))["contiguous"] == 1


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"windows":[]}', b"\xff", b"[" * 100_000, b'{"windows":7}']
)
def test_what_is_no_request_is_refused(cloud: Cloud, body: bytes) -> None:
    box = cloud.box("box")
    box.ask("POST", f"/api/sessions/{begin(box)}/data", 422, content=body)


def test_a_session_takes_no_more_than_its_bounds(cloud: Cloud) -> None:
    box = cloud.box("box")
    session = begin(box)
    box.ask("POST", f"/api/sessions/{session}/data", 422, json=windows(*range(1, 5002)))
    assert box.ask("POST", f"/api/sessions/{session}/data", json=windows(*range(1, 5001)))["accepted"] == 5000
    refused = box.ask(
        "POST", f"/api/sessions/{session}/end", 422, json={"duration_s": 1, "metrics": {"knee_rom_left": -1}}
    )
    assert "metrics.knee_rom_left" in refused["detail"]


def test_a_session_that_changes_its_exercise_tells_all_of_them(cloud: Cloud) -> None:
    box = cloud.box("box")
    session = begin(box, exercise="squat", at=time.time() - 100_000)
    box.ask("POST", f"/api/sessions/{session}/data", json=windows(1))
    box.ask("POST", f"/api/sessions/{session}/data", json=windows(9, exercise="lunge"))
    box.ask("POST", f"/api/sessions/{session}/data", json=windows(2, exercise="plank"))
    box.ask("POST", f"/api/sessions/{session}/end", json={"duration_s": 100})
    seen = box.ask("GET", f"/api/sessions/{session}")
    assert (seen["exercise"], seen["exercises"]) == ("lunge", ["lunge", "plank", "squat"])


def test_a_session_belongs_to_its_box_and_subject(cloud: Cloud) -> None:
    box, other = cloud.box("box"), cloud.box("other")
    session = begin(box)
    assert (
        other.ask("POST", "/api/sessions/start", 409, json=SUBJECT | {"session": session})["code"]
        == "session_taken"
    )
    for method, path, body in (
        ("POST", "data", windows(1)),
        ("POST", "end", {"duration_s": 1}),
        ("GET", "", None),
    ):
        other.ask(method, f"/api/sessions/{session}/{path}".rstrip("/"), 404, json=body)
    other.ask("POST", "/api/sessions/start", 422, json=SUBJECT | {"device": uuid("box")})
    dog = box.ask("POST", "/api/sessions/start", 409, json=SUBJECT | {"species": "dog"})
    assert dog["code"] == "wrong_species"


def test_another_tenant_reaches_nothing(cloud: Cloud) -> None:
    session = begin(cloud.box("box", "gym"))
    for stranger in (cloud.box("stranger", "clinic"), cloud.user("owner", "clinic")):
        stranger.ask("GET", f"/api/sessions/{session}", 404)
        stranger.ask("POST", f"/api/sessions/{session}/data", 404, json=windows(1))
        stranger.ask("POST", f"/api/sessions/{session}/end", 404, json={"duration_s": 1})
    owner = cloud.user("owner", "clinic")
    owner.ask("POST", "/api/sessions/start", 404, json=SUBJECT | {"device": uuid("box")})
    enrol(cloud.database, "eve", cloud.tenant("clinic"), "record")
    body = SUBJECT | {"subject": uuid("eve"), "device": uuid("box")}
    owner.ask("POST", "/api/sessions/start", 404, json=body)
    assert cloud.database.value("select count(*) from telemetry_10s") == 0


def test_users_record_those_whom_they_may_see(cloud: Cloud) -> None:
    cloud.box("box")
    enrol(cloud.database, "ann", cloud.tenant(), "record", "coach")
    enrol(cloud.database, "bob", cloud.tenant(), "record")
    body = SUBJECT | {"device": uuid("box")}
    for role, name, status in (
        ("owner", "ann", 201), ("owner", "bob", 201), ("trainer", "ann", 201), ("trainer", "bob", 404),
        ("owner", "nobody", 404), ("member", "ann", 403), ("fleet_operator", "ann", 403),
    ):  # fmt: skip
        client = cloud.user(role)  # type: ignore[arg-type]
        client.ask("POST", "/api/sessions/start", status, json=body | {"subject": uuid(name)})
    refused = cloud.user("owner").ask("POST", "/api/sessions/start", 422, json=SUBJECT)
    assert refused["code"] == "device_needed"
    cloud.database.rows("update devices set retired = now()")
    cloud.user("owner").ask("POST", "/api/sessions/start", 404, json=body)


def test_without_consent_nothing_is_recorded(cloud: Cloud) -> None:
    box = cloud.box("box")
    enrol(cloud.database, "ann", cloud.tenant())
    assert box.ask("POST", "/api/sessions/start", 409, json=SUBJECT)["code"] == "consent_needed"
    cloud.database.rows(
        """insert into consents (tenant_id, subject_id, version, purposes)
           select tenant_id, subject_id, '1', '{record}' from people"""
    )
    session = begin(box)
    box.ask("POST", f"/api/sessions/{session}/data", json=windows(1))
    cloud.database.rows(
        "select set_config('kinebox.tenant', tenant_id::text, false), erase_subject(id) from subjects"
    )
    box.ask("POST", f"/api/sessions/{session}/data", 404, json=windows(2))
    assert box.ask("POST", "/api/sessions/start", 409, json=SUBJECT)["code"] == "subject_erased"
    assert cloud.database.value("select count(*) from telemetry_10s") == 0
