"""The fleet page's figures: who is there, what is wrong with whom, and what the days say about a site."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from cloud.api.database import Database as Pool
from cloud.fleet.alerts import alerts
from cloud.fleet.drift import drift
from cloud.fleet.keeper import keep_once
from tests.cloud.fleet import uuid
from wire.messages import Birth, Health, encode

if TYPE_CHECKING:
    from cloud.ingest.writer import Writer
    from tests.cloud.api.conftest import Client, Cloud

WELL: dict[str, Any] = {
    "at": None, "uptime_s": 60.0, "camera": "live", "fps": 20.0, "dropped": 0, "outbox_rows": 3, "outbox_bytes": 900,
    "outbox_hours": 0.1, "outbox_hours_left": None, "outbox_given_up": 0, "disk_free_mb": 9000.0, "cpu_c": 55.0,
    "confidence": 0.8,
}  # fmt: skip


@pytest.fixture
def operator(cloud: Cloud) -> Client:
    client = cloud.user("fleet_operator")
    cloud.database.rows("update devices set retired = now()")
    return client


def tell(
    cloud: Cloud, writer: Writer, name: str, site: str = "hall", tenant: str = "gym", **health: Any
) -> None:
    """A box that is online tells its health."""
    here = cloud.database.enrol(name, tenant, site)
    message = Health(device=uuid(name), boot=uuid("boot"), **(WELL | health))
    written = writer.write([(here.topic("available"), b"online"), (here.topic("health"), encode(message))])
    assert written.dead == []


def codes(operator: Client, query: str = "") -> dict[str, list[str]]:
    page = operator.ask("GET", f"/api/fleet{query}")
    return {box["device"]: [warning["code"] for warning in box["warnings"]] for box in page["boxes"]}


def test_a_box_that_is_well(cloud: Cloud, operator: Client, writer: Writer) -> None:
    tell(cloud, writer, "one", fps=12.0)
    tell(cloud, writer, "one")
    here = cloud.database.enrol("one")
    message = Birth(
        device=uuid("one"), boot=uuid("b"), software="0.1.0", models={"pose": "blazepose-int8"}, started=1.0
    )
    writer.write([(here.topic("birth"), encode(message))])
    page = operator.ask("GET", "/api/fleet")
    (box,) = page["boxes"]
    assert (box["device"], box["site"], box["state"], box["warnings"]) == (uuid("one"), "hall", "online", [])
    assert (box["software"], box["models"]) == ("0.1.0", {"pose": "blazepose-int8"})
    for key, value in WELL.items():
        if key != "at":
            assert box["health"][key] == (pytest.approx(value) if isinstance(value, float) else value), key
    assert (box["desired_serial"], box["desired_reached"], page["next"]) == (None, None, None)
    assert page["sites"] == [
        {"site": "hall", "name": "hall", "boxes": 1, "online": 1, "silent": 0, "drift": None}
    ]


SICK: dict[str, dict[str, Any]] = {
    "camera_not_live": {"camera": "black"},
    "fps_low": {"fps": 9.0},
    "outbox_old": {"outbox_hours": 1.5},
    "disk_low": {"disk_free_mb": 900.0},
    "hot": {"cpu_c": 81.0},
}


@pytest.mark.parametrize("code", SICK)
def test_what_is_wrong_by_health(cloud: Cloud, operator: Client, writer: Writer, code: str) -> None:
    tell(cloud, writer, "well")
    tell(cloud, writer, "sick", **SICK[code])
    assert codes(operator) == {uuid("well"): [], uuid("sick"): [code]}
    assert codes(operator, "?only_warned=true") == {}
    assert operator.ask("GET", "/api/fleet")["warned_as_of"] is None
    keep(cloud)
    assert codes(operator, "?only_warned=true") == {uuid("sick"): [code]}
    assert operator.ask("GET", "/api/fleet")["warned_as_of"] is not None
    # What was wrong long ago says nothing about now.
    cloud.database.rows("update device_health set time = now() - interval '20 minutes'")
    assert codes(operator)[uuid("sick")] == []
    # What is shown is as of now; whom to look at follows.
    assert codes(operator, "?only_warned=true") == {}
    assert cloud.database.value("select count(*) from warned_devices") == 1
    keep(cloud)
    assert cloud.database.value("select count(*) from warned_devices") == 0


def keep(cloud: Cloud) -> None:
    """One round of the keeper."""

    async def run() -> None:
        pool = Pool(cloud.database.api_url, 2)
        await pool.open()
        try:
            await keep_once(pool, None)
        finally:
            await pool.close()

    asyncio.run(run())


def test_silent_and_gone(cloud: Cloud, operator: Client, writer: Writer) -> None:
    for name in ("there", "silent", "offline", "stopped"):
        tell(cloud, writer, name)
    for state in ("offline", "stopped"):
        writer.write([(cloud.database.enrol(state).topic("available"), state.encode())])
    cloud.database.rows(
        "update devices set last_seen = now() - interval '11 minutes' where device <> %s", uuid("there")
    )
    page = operator.ask("GET", "/api/fleet")
    assert {box["device"]: (box["state"], [w["code"] for w in box["warnings"]]) for box in page["boxes"]} == {
        uuid("there"): ("online", []),
        uuid("silent"): ("silent", ["silent"]),
        uuid("offline"): ("offline", ["silent"]),
        uuid("stopped"): ("stopped", []),
    }
    assert [(site["boxes"], site["online"], site["silent"]) for site in page["sites"]] == [(4, 1, 1)]
    assert codes(operator, "?state=silent").keys() == {uuid("silent")}


def test_given_up_in_the_last_day(cloud: Cloud, operator: Client, writer: Writer) -> None:
    tell(cloud, writer, "box", outbox_given_up=12)
    assert codes(operator) == {uuid("box"): []}  # long ago, for all that is known
    cloud.database.rows("update device_health set time = date_trunc('hour', now()) - interval '100 minutes'")
    tell(cloud, writer, "box", outbox_given_up=15)
    cloud.database.rows(
        """update device_health set time = date_trunc('hour', now()) - interval '90 minutes'
           where outbox_given_up = 15"""
    )
    refresh(cloud)
    assert codes(operator) == {uuid("box"): ["outbox_gave_up"]}


def test_desired_not_reached(cloud: Cloud, operator: Client, writer: Writer) -> None:
    tell(cloud, writer, "box")
    cloud.database.rows(
        """insert into desired_states (device_id, tenant_id, serial, models, software, envelope, issued)
           select id, tenant_id, 5, '{"pose": {"name": "blazepose", "version": "2"}}', '{"version": "0.2"}', '',
                  now() - interval '2 hours' from devices where device = %s""",
        uuid("box"),
    )
    assert codes(operator) == {uuid("box"): ["desired_not_reached"]}
    cloud.database.rows("update devices set models = '{\"pose\": \"blazepose-2\"}', software = '0.1'")
    assert codes(operator) == {uuid("box"): ["desired_not_reached"]}
    cloud.database.rows("update devices set software = '0.2'")
    (box,) = operator.ask("GET", "/api/fleet")["boxes"]
    assert (box["desired_serial"], box["desired_reached"], box["warnings"]) == (5, True, [])


def test_every_row_of_the_table_was_seen() -> None:
    others = {"silent", "outbox_gave_up", "desired_not_reached", "confidence_drifted"}
    assert alerts().keys() == SICK.keys() | others


def refresh(cloud: Cloud) -> None:
    """As the keeper does it, from two days ago on."""
    cloud.database.rows(
        """insert into health_refreshed select id, date_trunc('hour', now(), 'UTC') - interval '50 hours' from tenants
           on conflict (tenant_id) do update set until = excluded.until"""
    )
    for tenant in cloud.database.rows("select id from tenants"):
        cloud.database.rows(
            f"select set_config('kinebox.tenant', '{tenant[0]}', false), refresh_health('60 hours')"
        )


def test_hours_and_days(cloud: Cloud, operator: Client, writer: Writer) -> None:
    yesterday = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    for name, confidence in (("one", 0.8), ("two", 0.6)):
        for minute, camera, dropped in (
            (0, "live", 100),
            (20, "black", 130),
            (40, "live", 10),
            (60, "live", 15),
        ):
            tell(cloud, writer, name, camera=camera, dropped=dropped, confidence=confidence)
            cloud.database.rows(
                "update device_health set time = %s where time > now() - interval '1 minute'",
                yesterday + timedelta(hours=5, minutes=minute),
            )
    refresh(cloud)
    refresh(cloud)  # again changes nothing
    assert cloud.database.rows(
        """select hour, n, live, fps, dropped, confidence_n from device_health_1h h
           join devices d on d.id = h.device_id where d.device = %s order by hour""",
        uuid("one"),
    ) == [
        # 30 dropped, then a new start with 10
        (yesterday + timedelta(hours=5), 3, pytest.approx(2 / 3), 20.0, 40, 3),
        (yesterday + timedelta(hours=6), 1, 1, 20.0, 5, 1),
    ]
    days = cloud.database.rows("select day, boxes, confidence from site_confidence_1d")
    assert days == [(yesterday.date(), 2, pytest.approx(0.7))]
    series = operator.ask(
        "GET",
        f"/api/fleet/{uuid('one')}/health",
        params={"from": (yesterday - timedelta(days=9)).isoformat()},
    )
    assert series["step"] == "hour"
    assert [point["live"] for point in series["points"]] == pytest.approx([2 / 3, 1.0])
    begin, end = yesterday + timedelta(hours=5, minutes=10), yesterday + timedelta(hours=6)
    series = operator.ask(
        "GET", f"/api/fleet/{uuid('one')}/health", params={"from": begin.isoformat(), "to": end.isoformat()}
    )
    assert series["step"] == "message"
    assert [point["live"] for point in series["points"]] == [0, 1]


@pytest.mark.parametrize(
    "times",
    [
        {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
        {"from": "2020-01-01T00:00:00Z"},
        {"from": "0001-01-01T00:00:00+14:00"},
        {"to": "0001-01-01T00:00:00Z"},
        {"from": "yesterday"},
        {"from": "2026-01-01T00:00:00"},
    ],
)
def test_no_range(cloud: Cloud, operator: Client, times: dict[str, str]) -> None:
    cloud.database.enrol("box")
    operator.ask("GET", f"/api/fleet/{uuid('box')}/health", 422, params=times)


def test_pages(cloud: Cloud, operator: Client) -> None:
    for number in range(25):
        cloud.database.enrol(f"box {number}", "gym", f"site-{number % 3}")
    seen: list[tuple[str, str]] = []
    after = ""
    while True:
        page = operator.ask("GET", f"/api/fleet?limit=10{after}")
        seen += [(box["site"], box["device"]) for box in page["boxes"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert len(seen) == len(set(seen)) == 25
    assert [site for site, _ in seen] == sorted(site for site, _ in seen)
    assert len(operator.ask("GET", "/api/fleet?site=site-1")["boxes"]) == 8
    for wrong in ("x", "hall.", "hall.99999999999", "hall.-1"):
        operator.ask("GET", f"/api/fleet?after={wrong}", 422)


def test_boxes_of_other_tenants_are_not_there(cloud: Cloud, operator: Client, writer: Writer) -> None:
    tell(cloud, writer, "theirs", tenant="clinic", camera="black")
    page = operator.ask("GET", "/api/fleet")
    assert (page["boxes"], [site["site"] for site in page["sites"]]) == ([], ["hall"])
    operator.ask("GET", f"/api/fleet/{uuid('theirs')}/health", 404)


TODAY = date(2026, 6, 30)


def days(
    dice: random.Random, change: float, noise: float, late: int = 7, early: int = 28
) -> dict[date, float]:
    return {
        TODAY - timedelta(days=age): 0.8 + dice.gauss(0, noise) + (change if age <= 7 else 0.0)
        for age in (*range(1, late + 1), *range(8, 8 + early))
    }


def test_drift() -> None:
    found = drift(days(random.Random(1), -0.08, 0.01), TODAY)
    assert found is not None
    assert (found.drifted, found.late_days, found.early_days) == (True, 7, 28)
    assert found.change == pytest.approx(-0.08, abs=0.02)
    # Today is not over, and what is older than five weeks is not looked at.
    more = days(random.Random(1), -0.08, 0.01) | {TODAY: 0.0, TODAY - timedelta(days=36): 0.0}
    assert drift(more, TODAY) == found


def test_noise_is_no_drift() -> None:
    called = [drift(days(random.Random(seed), 0.0, 0.05), TODAY) for seed in range(500)]
    assert sum(found.drifted for found in called if found is not None) <= 500 * 0.01 + 3 * (500 * 0.01) ** 0.5
    tiny = drift(days(random.Random(1), -0.01, 0.0001), TODAY)
    assert tiny is not None
    assert abs(tiny.change) > tiny.noise
    assert not tiny.drifted


def test_too_few_days_say_nothing() -> None:
    assert drift(days(random.Random(1), -0.5, 0.01, late=3), TODAY) is None
    assert drift(days(random.Random(1), -0.5, 0.01, early=3), TODAY) is None
    assert drift({}, TODAY) is None


def test_a_site_that_drifted(cloud: Cloud, operator: Client, writer: Writer) -> None:
    tell(cloud, writer, "box")
    tell(cloud, writer, "elsewhere", "attic")
    cloud.database.rows(
        """insert into site_confidence_1d select tenant_id, id, (now() at time zone 'UTC')::date - age, 5,
               0.8 + (age %% 3) / 500.0 - case when age <= 7 and slug = 'hall' then 0.1 else 0 end
           from sites, generate_series(1, 35) as age"""
    )
    assert codes(operator) == {uuid("box"): ["confidence_drifted"], uuid("elsewhere"): []}
    sites = {site["site"]: site["drift"] for site in operator.ask("GET", "/api/fleet")["sites"]}
    assert (sites["hall"]["drifted"], sites["attic"]["drifted"]) == (True, False)
    assert sites["hall"]["change"] == pytest.approx(-0.1, abs=0.01)
