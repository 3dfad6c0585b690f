"""Every endpoint, over real HTTP."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import msgspec
import pytest

from edge import __version__
from edge.errors import StoreError
from edge.store import Samples, Session
from edge.web.records import Health, Problem, SessionList, Status
from tests.web.box import Box, frame, record
from wire.metrics import Metric, metrics

UNKNOWN = "0c8ee1d4-6a3c-4b7e-9f0a-2f1f6c1d5e77"
"""An id like that of a session, of none."""


def problem(response) -> Problem:
    assert response.headers["content-type"] == "application/problem+json"
    found = msgspec.json.decode(response.content, type=Problem)
    assert found.status == response.status_code
    return found


def test_status_before_and_after_the_first_frame(box: Box) -> None:
    with box.client() as http:
        before = msgspec.json.decode(http.get("/api/v1/status").content, type=Status)
        assert (before.version, before.camera.state, before.camera.fps) == (__version__, "starting", 0.0)
        box.do(box.state.publish_frame, frame(width=640, height=360, fps=29.9, dropped=4))
        after = http.get("/api/v1/status").json()
    assert after["camera"] == {
        "id": "cam0",
        "state": "starting",
        "detail": "",
        "fps": 29.9,
        "width": 640,
        "height": 360,
    }
    assert after["link"] == {"frames": 1, "dropped": 4}
    assert after["model"] == {"name": "blazepose", "precision": "int8"}
    assert after["exercise"] == "auto"
    assert after["uptime_s"] >= 0


def test_catalogues(box: Box) -> None:
    with box.client() as http:
        exercises = http.get("/api/v1/exercises").json()
        skeletons = http.get("/api/v1/skeletons").json()
        catalogue = msgspec.json.decode(http.get("/api/v1/metrics").content, type=list[Metric])
    squat = next(row for row in exercises if row["id"] == "squat")
    assert squat.pop("muscles")["prime"] == ["quadriceps", "gluteus_maximus"]
    assert squat == {
        "id": "squat",
        "name": {"en": "Squat", "ko": "스쿼트"},
        "view": "any",
        "kind": "reps",
        "out": "eccentric",
        "species": "human",
        "camera": "side",
        "sides": "together",
        "auto": True,
        "origin": "box",
    }
    assert skeletons == {
        "stick3": {
            "names": ["head", "left_foot", "right_foot"],
            "edges": [[0, 1], [0, 2]],
            "pairs": [[1, 2]],
        }
    }
    assert catalogue == list(metrics().values())


@pytest.mark.parametrize(("exercise", "told"), [("plank", "plank"), ("auto", None)])
def test_choosing_an_exercise(box: Box, exercise: str, told: str | None) -> None:
    with box.client() as http:
        response = http.put("/api/v1/exercise", json={"exercise": exercise})
        assert (response.status_code, response.json()) == (200, {"exercise": exercise})
        assert http.get("/api/v1/status").json()["exercise"] == exercise
    assert box.chosen == [told]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"exercise": "flying"}', 422, "exercise_unknown"),
        (b'{"exercise": 3}', 422, "request_invalid"),
        (b'{"exercise": "squat", "admin": true}', 422, "request_invalid"),
        (b"{}", 422, "request_invalid"),
    ],
)
def test_a_choice_that_is_none(shared_box: Box, body: bytes, status: int, code: str) -> None:
    with shared_box.client() as http:
        response = http.put("/api/v1/exercise", content=body)
    assert (response.status_code, problem(response).code) == (status, code)
    assert shared_box.chosen == []


@pytest.mark.parametrize("path", ["exercise", "camera", "coach"])
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "request_malformed"),
        (b"\xff\xfe", 400, "request_malformed"),
        (b"NaN", 400, "request_malformed"),
        (b"[]", 422, "request_invalid"),
        (b"null", 422, "request_invalid"),
        (b"9" * 4000, 422, "request_invalid"),
        (b'{"' + b"x" * 5000 + b'"}', 413, "body_too_large"),
    ],
)
def test_a_body_that_is_no_record(shared_box: Box, path: str, body: bytes, status: int, code: str) -> None:
    with shared_box.client() as http:
        before = http.get("/api/v1/status").json()["exercise"]
        response = http.put(f"/api/v1/{path}", content=body)
        assert http.get("/api/v1/status").json()["exercise"] == before
    assert (response.status_code, problem(response).code) == (status, code)


def test_a_session_with_its_sets(box: Box) -> None:
    session_id = record(box.store)
    with box.client() as http:
        content = http.get(f"/api/v1/sessions/{session_id}").content
    session = msgspec.json.decode(content, type=Session)
    assert json.loads(content)["started"] == "2027-01-15T08:00:00Z"
    assert json.loads(content)["ended"] == "2027-01-15T08:00:12Z"
    assert (session.end_reason, session.duration_s, session.camera) == ("left", 12.0, "cam0")
    (squats,) = session.sets
    assert (squats.exercise, squats.reps, squats.partial_reps) == ("squat", 2, 1)
    assert [repetition.t for repetition in squats.repetitions] == [3.0, 6.0, 9.0]
    knee = session.measurements["knee_rom_left"]
    assert (knee.value, knee.unit, knee.grade, knee.reasons) == (90.0, "deg", "B", ["oblique_view"])


def test_pages_of_sessions(box: Box) -> None:
    # The second and third began together, the fourth at an unknown time: each must be on exactly one page.
    ids = [record(box.store, utc=utc) for utc in (1e9, 2e9, 2e9, None, 3e9)]
    seen: list[str] = []
    cursor: str | None = None
    with box.client() as http:
        while True:
            query = {"limit": "2"} | ({"before": cursor} if cursor else {})
            page = msgspec.json.decode(http.get("/api/v1/sessions", params=query).content, type=SessionList)
            seen += [session.id for session in page.sessions]
            cursor = page.next
            if cursor is None:
                break
    assert seen == ids[::-1]


def test_sessions_before_a_time(box: Box) -> None:
    first, second = record(box.store, utc=1e9), record(box.store, utc=2e9)
    with box.client() as http:

        def before(time: str) -> list[str]:
            page = http.get("/api/v1/sessions", params={"before": time}).json()
            return [session["id"] for session in page["sessions"]]

        assert before("2033-05-18T03:33:20Z") == [first]
        assert before("2033-05-18T12:33:20+09:00") == [first]
        assert before("2033-05-18T03:33:20.001") == [second, first]
        assert before("0001-01-01T00:00:00Z") == []


def test_a_session_at_an_unknown_time(box: Box) -> None:
    session_id = record(box.store, utc=None)
    with box.client() as http:
        (summary,) = http.get("/api/v1/sessions").json()["sessions"]
        export = http.get(f"/api/v1/sessions/{session_id}/export?format=json")
    assert (summary["started"], summary["ended"], summary["duration_s"]) == (None, None, 12.0)
    assert f'filename="kinebox-{session_id[:8]}.json"' in export.headers["content-disposition"]


def test_samples(box: Box) -> None:
    session_id = record(box.store)
    with box.client() as http:
        picked = http.get(f"/api/v1/sessions/{session_id}/samples?keys=trunk_lean,knee_flexion_left")
        everything = http.get(f"/api/v1/sessions/{session_id}/samples")
    assert picked.json() == {
        "t": [0.0, 1.0, 2.0, 3.0, 4.0],
        "series": {"trunk_lean": [None] * 5, "knee_flexion_left": [0.0, 10.0, 20.0, 30.0, 40.0]},
    }
    samples = msgspec.json.decode(everything.content, type=Samples)
    assert set(samples.series) == {key for key, metric in metrics().items() if metric.statistic == "live"}


def test_deleting_a_session(box: Box) -> None:
    session_id = record(box.store)
    with box.client() as http:
        assert http.delete(f"/api/v1/sessions/{session_id}").status_code == 204
        assert problem(http.get(f"/api/v1/sessions/{session_id}")).code == "session_unknown"
        assert problem(http.delete(f"/api/v1/sessions/{session_id}")).code == "session_unknown"
        running = record(box.store, end=False)
        refused = http.delete(f"/api/v1/sessions/{running}")
    assert (refused.status_code, problem(refused).code) == (409, "session_running")
    assert box.store.session(running).sets


def test_csv_export(box: Box) -> None:
    session_id = record(box.store, exercise="=cmd|'/c calc'!A1")
    with box.client() as http:
        response = http.get(f"/api/v1/sessions/{session_id}/export")
    assert response.headers["content-type"] == "application/zip"
    assert (
        f'filename="kinebox-2027-01-15-0800-{session_id[:8]}.zip"' in response.headers["content-disposition"]
    )
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        tables = {
            name: list(csv.DictReader(io.TextIOWrapper(archive.open(name), "utf-8")))
            for name in archive.namelist()
        }
    assert {name: len(rows) for name, rows in tables.items()} == {
        "sessions.csv": 1,
        "sets.csv": 1,
        "repetitions.csv": 3,
        "repetition_measures.csv": 0,
        "samples.csv": 5,
        "measurements.csv": 1,
    }
    assert tables["sets.csv"][0]["exercise"] == "'=cmd|'/c calc'!A1"
    said = [tables["sets.csv"][0][name] for name in ("rejected_reps", "praise", "improve", "cues")]
    assert said == ["3", "depth", "tempo", "tempo:2"]
    assert tables["samples.csv"][1]["knee_flexion_left"] == "10.0"
    assert tables["samples.csv"][1]["trunk_lean"] == ""


def test_json_export(box: Box) -> None:
    session_id = record(box.store)
    with box.client() as http:
        document = http.get(f"/api/v1/sessions/{session_id}/export", params={"format": "json"}).json()
        session = http.get(f"/api/v1/sessions/{session_id}").json()
    (exported,) = document["sessions"]
    assert exported.pop("samples")["t"] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert exported == session


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/sessions/1", 422),
        ("GET", "/api/v1/sessions/../../etc/passwd", 404),
        ("GET", "/api/v1/sessions/%00", 422),
        ("GET", "/api/v1/sessions/' OR 1=1 --", 422),
        ("DELETE", "/api/v1/sessions/%2e%2e", 422),
        ("GET", f"/api/v1/sessions/{UNKNOWN}", 404),
        ("GET", f"/api/v1/sessions/{UNKNOWN}/samples", 404),
        ("GET", f"/api/v1/sessions/{UNKNOWN}/export", 404),
        ("GET", "/api/v1/sessions?limit=0", 422),
        ("GET", "/api/v1/sessions?limit=501", 422),
        ("GET", "/api/v1/sessions?limit=1e3", 422),
        ("GET", "/api/v1/sessions?limit=99999999999999999999", 422),
        ("GET", "/api/v1/sessions?before=yesterday", 422),
        ("GET", "/api/v1/sessions?before=99999999999999999999999", 422),
        ("GET", f"/api/v1/sessions?before={UNKNOWN}", 200),
        ("GET", "/api/v1/sessions/{id}/samples?keys=", 422),
        ("GET", "/api/v1/sessions/{id}/samples?keys=knee_flexion_left,", 422),
        ("GET", "/api/v1/sessions/{id}/samples?keys=t", 422),
        ("GET", "/api/v1/sessions/{id}/samples?keys=knee_rom_left", 422),
        ("GET", '/api/v1/sessions/{id}/samples?keys="; DROP TABLE samples; --', 422),
        ("GET", "/api/v1/sessions/{id}/export?format=xlsx", 422),
        ("GET", "/api/v1/nothing", 404),
        ("POST", "/api/v1/status", 405),
        ("PUT", "/api/v1/sessions", 405),
    ],
)
def test_malformed_requests(shared_box: Box, method: str, path: str, status: int) -> None:
    session_id = record(shared_box.store)
    with shared_box.client() as http:
        response = http.request(method, path.replace("{id}", session_id))
    assert response.status_code == status
    if status in (404, 405, 422):
        assert problem(response).title


def test_health(box: Box) -> None:
    from edge.web.messages import Camera

    def health() -> tuple[int, Health]:
        with box.client() as http:
            response = http.get("/healthz")
            return response.status_code, msgspec.json.decode(response.content, type=Health)

    status, starting = health()
    assert (status, starting.status, starting.frame_age_s) == (503, "degraded", None)
    box.do(box.state.publish_camera, Camera(camera="cam0", state="live"))
    assert health()[0] == 503  # live, they say, but no frame has come
    box.do(box.state.publish_frame, frame())
    assert health()[0] == 200
    box.store._group.problem = StoreError("disk full")
    status, failing = health()
    assert (status, failing.store) == (503, "failing")
    box.store._group.problem = None
    box.do(box.state.publish_camera, Camera(camera="cam0", state="lost", detail="unplugged"))
    assert health()[1].camera == "lost"


def test_the_database_disappears(box: Box) -> None:
    record(box.store)
    box.store.path.rename(box.store.path.with_suffix(".gone"))
    with box.client() as http:
        response = http.get("/api/v1/sessions")
    assert (response.status_code, problem(response).code) == (503, "store_failing")


def test_private_answers_are_not_kept(box: Box) -> None:
    session_id = record(box.store)
    with box.client() as http:
        for path in ("status", "sessions", f"sessions/{session_id}", f"sessions/{session_id}/export"):
            assert http.get(f"/api/v1/{path}").headers["cache-control"] == "no-store"
