"""Rollouts from the release to its end, over the database and the API: who gets what, and signed by whom."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fastapi.testclient import TestClient
from pydantic import ValidationError

from cloud.api.app import create_app
from cloud.api.database import Database as Pool
from cloud.fleet.keeper import keep_once
from tests.cloud.api.conftest import Cloud
from tests.cloud.fleet import uuid
from wire.desired import DesiredState, unseal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cloud.api.settings import Settings
    from tests.cloud.fleet import Database

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
POSE = {
    "role": "pose", "name": "blazepose", "version": "int8.2", "sha256": "ab" * 32, "url": "https://example.org/pose",
}  # fmt: skip
LEVELS = {"confidence": 0.7, "fps": 20.0, "live": 0.97, "cpu_c": 60.0}


def write_key(path: Path, key: Any = KEY) -> Path:
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


@pytest.fixture
def cloud(settings: Callable[..., Settings], database: Database, tmp_path: Path) -> Iterator[Cloud]:
    app = create_app(settings(signing_key_file=write_key(tmp_path / "key.pem")))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Cloud(client, database)


def is_signed(signature: bytes, data: bytes) -> bool:
    try:
        KEY.public_key().verify(signature, data)
    except InvalidSignature:
        return False
    return True


class Fleet:
    """Boxes of one tenant, and what goes on with them."""

    def __init__(self, cloud: Cloud, boxes: int = 40, tenant: str = "gym") -> None:
        self.cloud, self.database, self.tenant = cloud, cloud.database, tenant
        self.operator = cloud.user("fleet_operator", tenant)
        self.database.rows("update devices set retired = now()")  # those of the fixtures
        self.names = [f"{tenant}-{number}" for number in range(boxes)]
        for number, site in ((0, "attic"), (1, "hall")):
            self.database.enrol(self.names[number], tenant, site)
        self.database.rows(
            """insert into devices (tenant_id, site_id, device)
               select s.tenant_id, s.id, b.device from unnest(%s::uuid[]) with ordinality b (device, number)
               join tenants t on t.slug = %s
               join sites s on s.tenant_id = t.id
                    and s.slug = case when (number - 1) %% 4 = 0 then 'attic' else 'hall' end
               on conflict do nothing""",
            [uuid(name) for name in self.names],
            tenant,
        )
        self.database.rows('update devices set last_seen = now(), models = \'{"pose": "blazepose-int8"}\'')

    def release(self, **more: str) -> int:
        return int(self.operator.ask("POST", "/api/releases", 201, json=POSE | more)["id"])

    def begin(self, **more: Any) -> dict[str, Any]:
        body = {"release": more.pop("release", None) or self.release()} | more
        made: dict[str, Any] = self.operator.ask("POST", "/api/rollouts", 201, json=body)
        return made

    def desired(self, name: str, after: int = 0) -> DesiredState | None:
        """What a box gets by the API."""
        answer = self.cloud.box(name, self.tenant).get("/api/devices/self/desired")
        if answer.status_code == 404:
            return None
        return unseal(answer.content, device=uuid(name), after=after, now=None, is_signed=is_signed)

    def states(self) -> dict[str, DesiredState]:
        """What boxes would get, by name."""
        names = {uuid(name): name for name in self.names}
        rows = self.database.rows(
            "select d.device, s.envelope from desired_states s join devices d on d.id = device_id"
        )
        return {
            names[str(device)]: unseal(
                bytes(envelope), device=str(device), after=0, now=None, is_signed=is_signed
            )
            for device, envelope in rows
            if str(device) in names
        }

    def run(self, names: Any, model: str = "blazepose-int8.2") -> None:
        """Boxes say that they run a model."""
        self.database.rows(
            "update devices set models = %s::jsonb, last_seen = now() where device = any(%s)",
            json.dumps({"pose": model}),
            [uuid(name) for name in names],
        )

    def step(self) -> None:
        async def run() -> None:
            pool = Pool(self.database.api_url, 2)
            await pool.open()
            try:
                await keep_once(pool, self.cloud.app.state.kinebox.desired_signer)
            finally:
                await pool.close()

        asyncio.run(run())

    def measured(self, candidates: Any, hours: int = 24, **effects: float) -> None:
        """As if the candidates had run the release for so many hours."""
        self.database.rows(
            """update rollouts set created = now() - make_interval(hours => %s + 2), judged = null,
                   measured_from = date_trunc('hour', now(), 'UTC') - make_interval(hours => %s)""",
            hours,
            hours,
        )
        for number, name in enumerate(self.names):
            for hour in range(-40, hours):
                after = hour >= 0
                wobble = ((number * 7 + hour * 3) % 11 - 5) / 500
                values = {
                    key: level * (1 + wobble)
                    + (effects.get(key, 0.0) if after and name in candidates else 0.0)
                    for key, level in LEVELS.items()
                }
                self.rows.append((uuid(name), hours - hour, *values.values()))
        self.database.rows(
            """insert into device_health_1h (tenant_id, device_id, hour, n, dropped, outbox_hours, given_up,
                   disk_free_mb, confidence_n, confidence, fps, live, cpu_c)
               select d.tenant_id, d.id, date_trunc('hour', now(), 'UTC') - make_interval(hours => (r ->> 1)::int),
                   60, 0, 0, 0, 9000, 60, (r ->> 2)::real, (r ->> 3)::real, (r ->> 4)::real, (r ->> 5)::real
               from jsonb_array_elements(%s::jsonb) r join devices d on d.device = (r ->> 0)::uuid""",
            json.dumps(self.rows),
        )
        self.rows.clear()

    rows: list[Any] = []  # noqa: RUF012


@pytest.fixture
def fleet(cloud: Cloud) -> Fleet:
    return Fleet(cloud)


def test_a_share_of_the_boxes_gets_a_signed_state(fleet: Fleet) -> None:
    made = fleet.begin()
    assert (made["state"], made["reason"], made["figures"]) == ("candidate", "applying", None)
    states = fleet.states()
    assert len(states) == 4
    assert {name for name in fleet.names[:8] if fleet.desired(name)} == states.keys() & set(fleet.names[:8])
    for name, state in states.items():
        assert state.device == uuid(name)
        assert {role: version.runs_as for role, version in state.models.items()} == {
            "pose": "blazepose-int8.2"
        }
        assert state.models["pose"].url == POSE["url"]
    sites = fleet.database.rows(
        """select s.slug, count(*) from rollout_devices r join devices d on d.id = r.device_id
           join sites s on s.id = d.site_id where candidate group by 1 order by 1"""
    )
    assert sites == [("attic", 1), ("hall", 3)]


def test_better_is_promoted_to_all(fleet: Fleet) -> None:
    made = fleet.begin()
    before = fleet.states()
    fleet.step()
    assert fleet.operator.ask("GET", f"/api/rollouts/{made['id']}")["reason"] == "applying"
    fleet.run(before)
    fleet.step()  # the same hour is not judged again
    fleet.database.rows("update rollouts set judged = null")
    fleet.step()
    waiting = fleet.operator.ask("GET", f"/api/rollouts/{made['id']}")
    assert (waiting["state"], waiting["reason"]) == ("candidate", "waiting")
    assert waiting["measured_from"] is not None
    assert waiting["figures"]["applied"] == 4
    fleet.measured(before, confidence=0.08)
    fleet.step()
    ended = fleet.operator.ask("GET", f"/api/rollouts/{made['id']}")
    assert (ended["state"], ended["reason"], ended["about"]) == ("promoted", "better", "confidence")
    effect = ended["figures"]["effects"]["confidence"]
    assert effect["gain"] == pytest.approx(0.08 / 0.7, abs=0.02)
    assert (effect["candidates"], effect["others"]) == (4, 36)
    after = fleet.states()
    assert after.keys() == set(fleet.names)
    assert {state.models["pose"].version for state in after.values()} == {"int8.2"}
    assert {name: after[name].serial for name in before} == {name: before[name].serial for name in before}
    fleet.step()
    assert fleet.states() == after
    # A box that comes later gets what was promoted.
    fleet.database.enrol("late", "gym")
    fleet.step()
    late = fleet.desired("late")
    assert late is not None
    assert late.models["pose"].version == "int8.2"


def test_worse_health_is_rolled_back_to_what_each_had(fleet: Fleet) -> None:
    first = fleet.release(version="int8.1")
    fleet.begin(release=first, share=0.5)
    had = fleet.states()
    fleet.run(had, "blazepose-int8.1")
    fleet.measured(had, confidence=0.08)
    fleet.step()
    fleet.database.rows("truncate device_health_1h")
    before = fleet.states()
    assert {state.models["pose"].version for state in before.values()} == {"int8.1"}
    made = fleet.begin(share=0.25)
    tried = {name: state for name, state in fleet.states().items() if state != before[name]}
    assert len(tried) == 10
    fleet.run(tried)
    fleet.measured(tried, hours=8, confidence=0.08, fps=-6.0)
    fleet.step()
    ended = fleet.operator.ask("GET", f"/api/rollouts/{made['id']}")
    assert (ended["state"], ended["reason"], ended["about"]) == ("rolled_back", "health_worse", "fps")
    after = fleet.states()
    assert {name: state.models for name, state in after.items()} == {
        name: state.models for name, state in before.items()
    }
    for name in fleet.names:
        assert (after[name].serial > before[name].serial) == (name in tried)


def test_what_boxes_came_with_is_given_back(fleet: Fleet) -> None:
    made = fleet.begin()
    tried = fleet.states()
    ended = fleet.operator.ask("POST", f"/api/rollouts/{made['id']}/cancel")
    assert (ended["state"], ended["reason"]) == ("cancelled", "cancelled")
    after = fleet.states()
    assert after.keys() == tried.keys()
    for name, state in after.items():
        assert state.models == {}
        assert state.serial > tried[name].serial
    fleet.operator.ask("POST", f"/api/rollouts/{made['id']}/cancel", 409)
    fleet.step()
    assert fleet.states() == after


def test_boxes_that_vanish_end_it(fleet: Fleet) -> None:
    made = fleet.begin(share=0.25)
    fleet.database.rows(
        """update devices set last_seen = now() - interval '3 hours'
           where id in (select device_id from rollout_devices where candidate)"""
    )
    fleet.step()
    ended = fleet.operator.ask("GET", f"/api/rollouts/{made['id']}")
    assert (ended["state"], ended["reason"]) == ("rolled_back", "vanished")
    assert (ended["figures"]["candidates_present"], ended["figures"]["others_present"]) == (0, 30)


def test_software_is_rolled_out_alike(fleet: Fleet) -> None:
    fleet.begin(release=fleet.release(role="software", name="kinebox", version="0.2.0"))
    states = fleet.states()
    fleet.database.rows(
        "update devices set software = '0.2.0' where device = any(%s)", [uuid(name) for name in states]
    )
    fleet.step()
    assert {(state.software.version, *state.models) for state in states.values() if state.software} == {
        ("0.2.0",)
    }
    (row,) = fleet.operator.ask("GET", "/api/rollouts")
    assert row["reason"] == "waiting"


def test_one_at_a_time_and_only_where_it_was_asked(fleet: Fleet) -> None:
    made = fleet.begin(sites=["attic"], share=0.5)
    assert made["sites"] == ["attic"]
    places = fleet.database.rows(
        """select distinct s.slug from rollout_devices r join devices d on d.id = r.device_id
           join sites s on s.id = d.site_id"""
    )
    assert places == [("attic",)]
    running = fleet.operator.ask("POST", "/api/rollouts", 409, json={"release": made["release"]})
    assert running["code"] == "rollout_running"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"metric": "beauty"}, 422, "request_invalid"),
        ({"share": 0.6}, 422, "request_invalid"),
        ({"share": 0.01}, 409, "too_few_boxes"),
        ({"sites": ["moon"]}, 404, "site_unknown"),
        ({"sites": []}, 422, "request_invalid"),
        ({"release": 999}, 404, "release_unknown"),
        ({"min_hours": 0}, 422, "request_invalid"),
        ({"sites": ["\0"]}, 422, "request_invalid"),
    ],
)
def test_what_is_no_rollout(fleet: Fleet, change: dict[str, Any], status: int, code: str) -> None:
    body = {"release": fleet.release()} | change
    assert fleet.operator.ask("POST", "/api/rollouts", status, json=body)["code"] == code
    assert fleet.states() == {}


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "AB" * 32},
        {"url": "http://example.org"},
        {"role": "Pose"},
        {"version": "1/2"},
        {"name": "n\n"},
    ],
)
def test_what_is_no_release(fleet: Fleet, change: dict[str, str]) -> None:
    fleet.operator.ask("POST", "/api/releases", 422, json=POSE | change)


def test_releases(fleet: Fleet) -> None:
    first, second = fleet.release(), fleet.release(version="3")
    clash = fleet.operator.ask(
        "POST",
        "/api/releases",
        409,
        json=POSE | {"name": "blazepose-int8.2-x", "version": "3"} | {"name": "blazepose", "version": "3"},
    )
    assert clash["code"] == "release_exists"
    assert [row["id"] for row in fleet.operator.ask("GET", "/api/releases")] == [second, first]
    assert [row["id"] for row in fleet.operator.ask("GET", f"/api/releases?before={second}")] == [first]


def test_who_may(fleet: Fleet) -> None:
    for role in ("trainer", "member"):
        user = fleet.cloud.user(role)
        for method, path in (
            ("GET", "/api/fleet"),
            ("GET", "/api/releases"),
            ("POST", "/api/rollouts/1/cancel"),
        ):
            user.ask(method, path, 403)
        user.ask("GET", "/api/devices/self/desired", 403)
    fleet.cloud.box("gym-1").ask("GET", "/api/fleet", 403)
    fleet.cloud.user("owner").ask("GET", "/api/rollouts")


def test_other_tenants_are_not_touched_and_not_seen(fleet: Fleet) -> None:
    theirs = Fleet.__new__(Fleet)
    Fleet.__init__(theirs, fleet.cloud, 20, "clinic")
    fleet.database.rows("update devices set retired = null")
    release = fleet.release()
    made = fleet.begin(release=release)
    assert theirs.states() == {}
    assert theirs.operator.ask("GET", "/api/rollouts") == []
    theirs.operator.ask("GET", f"/api/rollouts/{made['id']}", 404)
    theirs.operator.ask("POST", f"/api/rollouts/{made['id']}/cancel", 404)
    theirs.operator.ask("POST", "/api/rollouts", 404, json={"release": release, "share": 0.5})
    theirs.begin(share=0.5)
    fleet.step()
    assert len(theirs.states()) == 11
    assert fleet.operator.ask("GET", f"/api/rollouts/{made['id']}")["state"] == "candidate"


def test_without_a_key_nothing_is_rolled_out(settings: Callable[..., Settings], database: Database) -> None:
    with TestClient(create_app(settings()), raise_server_exceptions=False) as client:
        fleet = Fleet(Cloud(client, database))
        refused = fleet.operator.ask("POST", "/api/rollouts", 409, json={"release": fleet.release()})
        assert refused["code"] == "no_signing_key"
        assert "KINEBOX_API_SIGNING_KEY_FILE" in refused["detail"]
        fleet.step()


def test_keys_that_cannot_sign(settings: Callable[..., Settings], tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    (tmp_path / "empty.pem").touch()
    write_key(tmp_path / "other.pem", X25519PrivateKey.generate())
    for name, what in (
        ("none.pem", "cannot be read"),
        ("empty.pem", "no private key"),
        ("other.pem", "another kind"),
    ):
        with pytest.raises(ValidationError, match=what):
            settings(signing_key_file=tmp_path / name)
