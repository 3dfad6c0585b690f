"""History: sessions a page at a time, series without invented points, and nobody sees what is not theirs."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from cloud.ingest.upkeep import run_upkeep
from tests.cloud.api.samples import NOW, Recorded, enrol
from tests.cloud.fleet import uuid, window
from wire.messages import encode

if TYPE_CHECKING:
    from cloud.ingest.writer import Writer
    from tests.cloud.api.conftest import Cloud

HOUR = time.time() // 86400 * 86400 - 86400  # yesterday, 00:00


def send_windows(cloud: Cloud, writer: Writer, *windows: dict[str, Any]) -> None:
    topic = cloud.database.enrol("box").topic("window")
    made = [encode(window("box", seq, **one)) for seq, one in enumerate(windows, 1)]
    assert not writer.write([(topic, one) for one in made]).dead
    run_upkeep(cloud.database.url, keep_days=4000)


def read(cloud: Cloud, name: str = "ann", status: int = 200, **params: Any) -> Any:
    asked = {"from" if key == "begin" else key: value for key, value in params.items()}
    return cloud.user("owner").ask("GET", f"/api/people/{uuid(name)}/history", status, params=asked)


def test_sessions_come_a_page_at_a_time_latest_first(cloud: Cloud, writer: Writer) -> None:
    box = Recorded(cloud, writer)
    # Two began at the same moment: the pages neither lose nor repeat one.
    box.sessions("ann", [1, 2, 2, 3, 4, 40], metrics={"knee_rom_left": [0, 20, 30, 40, 50, 60]})
    box.sessions("bob", [1])
    seen, cursor = [], None
    for _ in range(3):
        page = read(cloud, limit=2, **({"cursor": cursor} if cursor else {}))
        seen += page["sessions"]
        cursor = page["next"]
    assert cursor is None
    assert len({one["session"] for one in seen}) == 5
    assert [one["started"] for one in seen] == sorted((one["started"] for one in seen), reverse=True)
    assert sorted(one["metrics"]["knee_rom_left"] for one in seen) == [0, 20, 30, 40, 50]
    first = seen[0]
    assert (first["subject"], first["exercise"], first["reps"], first["ended"]) == (
        uuid("ann"),
        "squat",
        5,
        True,
    )


def test_series_say_what_the_windows_say_and_gaps_stay_gaps(cloud: Cloud, writer: Writer) -> None:
    knee = "knee_flexion_left"
    send_windows(
        cloud, writer,
        {"at": HOUR, "metrics": {knee: 0.0}, "grades": {knee: "B"}, "exercise": "squat"},
        {"at": HOUR + 10, "metrics": {knee: 90.0}, "exercise": "squat", "grades": {}},
        {"at": HOUR + 20, "metrics": {"trunk_lean": 5.0}, "exercise": "squat", "grades": {}},
        {"at": HOUR + 7200, "metrics": {knee: 30.0}, "exercise": None, "grades": {}},
    )  # fmt: skip
    span = {"begin": _iso(HOUR), "to": _iso(HOUR + 86400), "metric": [knee]}

    def points(**more: Any) -> Any:
        (series,) = read(cloud, **(span | more))["series"]
        return [
            (p["at"], p["exercise"], p["n"], p["mean"], p["minimum"], p["maximum"]) for p in series["points"]
        ]

    assert points(resolution="10s") == [
        (_iso(HOUR), "squat", 1, 0, 0, 0),
        (_iso(HOUR + 10), "squat", 1, 90, 90, 90),
        (_iso(HOUR + 7200), None, 1, 30, 30, 30),
    ]
    hours = [(_iso(HOUR), "squat", 2, 45, 0, 90), (_iso(HOUR + 7200), None, 1, 30, 30, 30)]
    assert points() == hours
    assert points(resolution="1h") == hours
    assert points(resolution="1d") == [(_iso(HOUR), "squat", 2, 45, 0, 90), (_iso(HOUR), None, 1, 30, 30, 30)]
    assert points(resolution="1h", exercise="squat") == [(_iso(HOUR), "squat", 2, 45, 0, 90)]
    assert points(metric=["hip_flexion_left"]) == []
    graded = read(cloud, **(span | {"resolution": "10s"}))["series"][0]["points"]
    assert [one["grade"] for one in graded] == ["B", None, None]


@pytest.mark.parametrize("resolution", ["1h", "1d"])
def test_what_waits_for_its_rollup_is_counted_all_the_same(
    cloud: Cloud, writer: Writer, resolution: str
) -> None:
    dice = random.Random(1)
    topic = cloud.database.enrol("box").topic("window")
    seq = 0

    def send(count: int) -> None:
        nonlocal seq
        for _ in range(count):
            seq += 1
            at, name = time.time() - dice.uniform(0, 30) * 3600, dice.choice(["ann", "bob"])
            values = {"trunk_lean": dice.uniform(0, 90)} if dice.random() < 0.8 else {}
            more = {"exercise": dice.choice([None, "squat"]), "metrics": values, "grades": {}}
            assert not writer.write([(topic, encode(window("box", seq, at=at, subject=name, **more)))]).dead

    def points(exercise: str | None = None) -> Any:
        more = {"exercise": exercise} if exercise else {}
        span = {
            "begin": _iso(time.time() - 86400 * 3),
            "resolution": resolution,
            "metric": ["trunk_lean", "reps"],
        }
        series = read(cloud, **span, **more)["series"]
        return [
            [(p["at"], p["exercise"], p["n"], pytest.approx(p["mean"])) for p in one["points"]]
            for one in series
        ]

    for refresh in (None, "select refresh_rollups()", "select refresh_rollups()", None):
        send(60)
        if refresh:
            cloud.database.rows(refresh)
        early = points(), points("squat")
        waiting = cloud.database.rows("select * from rollup_pending")
        cloud.database.rows("select refresh_rollups('0')")
        assert (points(), points("squat")) == early
        assert all(early[0])
        assert waiting or refresh
        cloud.database.rows(
            "insert into rollup_pending select distinct bucket, tenant_id, subject_id from telemetry_1h"
        )
        assert (points(), points("squat")) == early


def test_measures_of_sessions_are_a_series_too(cloud: Cloud, writer: Writer) -> None:
    box = Recorded(cloud, writer)
    box.sessions("ann", [3, 2, 1], metrics={"knee_rom_left": [100, 80, 0], "knee_rom_right": [90, 90, 10]})
    box.sessions("ann", [2.5], metrics={"knee_rom_left": 50})
    box.sessions("ann", [2.2])
    found = read(cloud, resolution="session", metric=["knee_rom", "reps"])["series"]
    assert [one["mean"] for one in found[0]["points"]] == [95, 50, 85, 5]
    assert [one["mean"] for one in found[1]["points"]] == [5] * 5


def test_trend_of_a_person(cloud: Cloud, writer: Writer) -> None:
    box = Recorded(cloud, writer)
    weeks = [7.0 * n for n in range(8)]
    box.sessions("ann", weeks, metrics={"knee_rom_left": [120.0 - 4 * n for n in range(8)]})
    box.sessions("ann", weeks, exercise="lunge", metrics={"knee_rom_left": 50})
    owner = cloud.user("owner")

    def trend(status: int = 200, **params: Any) -> Any:
        return owner.ask("GET", f"/api/people/{uuid('ann')}/trends", status, params=params)

    found = trend(metric="knee_rom", exercise="squat")
    assert (found["direction"], found["slope"]["slope"], found["unit"]) == ("improving", 4, "deg")
    assert [one["n"] for one in found["weeks"]] == [1] * 8
    assert found["slope"]["change_percent"] == pytest.approx(100 * 28 / 92)
    assert trend(metric="knee_rom", exercise="lunge")["direction"] == "stable"
    assert [one["n"] for one in trend(metric="knee_rom")["weeks"]] == [2] * 8
    few = trend(metric="knee_rom", exercise="squat", weeks=3)
    assert (few["direction"], few["reason"], len(few["weeks"])) == ("unknown", "too_few_weeks", 3)
    none = trend(metric="hip_rom")
    assert (none["direction"], none["weeks"], none["slope"]) == ("unknown", [], None)
    assert trend(422, metric="knee_flexion_left")["code"] == "unknown_metric"


def test_a_session_of_several_exercises_says_nothing_of_one(cloud: Cloud, writer: Writer) -> None:
    box = Recorded(cloud, writer)
    box.sessions("ann", [1], metrics={"knee_rom_left": 50})
    cloud.database.rows("update exercise_sessions set exercises = '{lunge,squat}'")
    trends = f"/api/people/{uuid('ann')}/trends"
    found = cloud.user("owner").ask("GET", trends, params={"metric": "knee_rom", "exercise": "squat"})
    assert found["weeks"] == []
    assert read(cloud, exercise="lunge")["sessions"]


def test_who_may_see_it(cloud: Cloud, writer: Writer) -> None:
    box = Recorded(cloud, writer)
    box.sessions("ann", [1])
    box.sessions("bob", [1])
    enrol(cloud.database, "ann", box.tenant_id, "record", "coach")
    enrol(cloud.database, "bob", box.tenant_id, "record")
    for what in ("history", "trends?metric=reps"):
        for who, ann, bob in (
            (cloud.user("owner"), 200, 200),
            (cloud.user("trainer"), 200, 404),
            (cloud.user("member"), 404, 404),
            (cloud.user("fleet_operator"), 403, 403),
            (cloud.box("box"), 403, 403),
            (cloud.user("owner", "clinic"), 404, 404),
        ):
            who.ask("GET", f"/api/people/{uuid('ann')}/{what}", ann)
            who.ask("GET", f"/api/people/{uuid('bob')}/{what}", bob)
    cloud.user("owner").ask("GET", f"/api/dogs/{uuid('ann')}/history", 404)


def test_the_same_name_in_two_tenants_is_two_people(cloud: Cloud, writer: Writer) -> None:
    Recorded(cloud, writer).sessions("ann", [1, 2])
    theirs = Recorded(cloud, writer, "their box", "clinic")
    theirs.sessions("ann", [1])
    send_windows(cloud, writer, {"at": HOUR, "metrics": {"trunk_lean": 1.0}, "grades": {}})
    asked = {"metric": "trunk_lean", "from": _iso(HOUR - 86400)}
    path = f"/api/people/{uuid('ann')}/history"
    assert len(read(cloud)["sessions"]) == 2
    for resolution in ("1h", "1d"):
        for tenant, points in (("gym", 1), ("clinic", 0)):
            found = cloud.user("owner", tenant).ask("GET", path, params=asked | {"resolution": resolution})
            assert len(found["series"][0]["points"]) == points
    assert len(cloud.user("owner", "clinic").ask("GET", path)["sessions"]) == 1


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"metric": ["nonsense"]}, "unknown_metric"),
        ({"resolution": "session", "metric": ["knee_flexion_left"]}, "unknown_metric"),
        ({"resolution": "10s"}, "too_long"),
        ({"cursor": "bm9uc2Vuc2U="}, "request_invalid"),
        ({"cursor": "ü"}, "request_invalid"),
        ({"begin": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "request_invalid"),
        ({"begin": "2026-01-02T00:00:00"}, "request_invalid"),
        ({"to": "0001-01-01T00:00:00Z"}, "request_invalid"),
        ({"limit": 0}, "request_invalid"),
    ],
)
def test_what_cannot_be_answered_is_refused(
    cloud: Cloud, writer: Writer, params: dict[str, Any], code: str
) -> None:
    Recorded(cloud, writer).sessions("ann", [1])
    assert read(cloud, status=422, **params)["code"] == code


def test_resolution_follows_the_length(cloud: Cloud, writer: Writer) -> None:
    Recorded(cloud, writer).sessions("ann", [1])
    for hours, resolution in ((1, "10s"), (48, "1h"), (24 * 60, "1d")):
        begin = (NOW - timedelta(hours=hours)).isoformat()
        assert read(cloud, begin=begin, to=NOW.isoformat())["resolution"] == resolution


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
