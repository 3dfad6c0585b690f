"""Enrolling people and dogs, and who sees whom."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from cloud.api.profile import catalogue
from tests.cloud.api.conftest import PASSWORD
from tests.cloud.fleet import uuid, window
from wire.messages import encode

if TYPE_CHECKING:
    from cloud.ingest.writer import Writer
    from tests.cloud.api.conftest import Client, Cloud

ALL = ["record", "coach", "research"]
PROFILES: dict[str, dict[str, Any]] = {
    "people": {
        "alias": "Ann", "birth_year": 1961, "height_m": 1.68, "weight_kg": 61.5, "conditions": ["arthritis"],
        "goal": "mobility",
    },
    "dogs": {
        "alias": "Rex", "breed": "Labrador Retriever", "born": "2015-03-01", "weight_kg": 31.0,
        "conditions": ["arthritis", "hip_dysplasia"], "goal": "weight",
    },
}  # fmt: skip


def agreed(*purposes: str) -> dict[str, Any]:
    return {"version": catalogue().consent.version, "purposes": list(purposes) or ALL}


def enrol(who: Client, kind: str = "people", *purposes: str, **more: Any) -> Any:
    """Enrol somebody; `more` overrides the profile."""
    body = PROFILES[kind] | {"consent": agreed(*purposes)} | more
    return who.ask("POST", f"/api/{kind}", 201, json=body)


def accept(cloud: Cloud, link: str) -> Client:
    """Accept an invitation; a client of the new user."""
    tokens = cloud.nobody.post(
        "/api/auth/accept", json={"token": link.partition("#")[2], "password": PASSWORD}
    )
    assert tokens.status_code == 201, tokens.text
    client = cloud.user("member")
    client.headers["authorization"] = f"Bearer {tokens.json()['access_token']}"
    return client


@pytest.mark.parametrize("kind", PROFILES)
def test_who_is_enrolled_is_kept_as_told(cloud: Cloud, kind: str) -> None:
    owner = cloud.user("owner")
    made = enrol(owner, kind)
    assert UUID(made["subject"]).version == 4
    assert {name: made[name] for name in PROFILES[kind]} == PROFILES[kind]
    assert made["consent"]["purposes"] == sorted(ALL)
    assert made["invitation"] is None
    seen = owner.ask("GET", f"/api/{kind}/{made['subject']}")
    assert made == seen | {"invitation": None}
    assert owner.ask("GET", f"/api/{kind}") == [seen]
    other = "dogs" if kind == "people" else "people"
    owner.ask("GET", f"/api/{other}/{made['subject']}", 404)
    assert owner.ask("GET", f"/api/{other}") == []


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("people", {"consent": None}, "request_invalid"),
    ("people", {"consent": {"version": "1", "purposes": ["record"]}}, "consent_outdated"),
    ("people", {"consent": agreed("coach")}, "consent_incomplete"),
    ("people", {"consent": agreed("sell")}, "request_invalid"),
    ("people", {"birth_year": 1899}, "request_invalid"),
    ("people", {"birth_year": 2099}, "request_invalid"),
    ("people", {"height_m": 2.7}, "request_invalid"),
    ("people", {"weight_kg": 401}, "request_invalid"),
    ("people", {"breed": "Labrador"}, "request_invalid"),
    ("people", {"conditions": ["tired"]}, "request_invalid"),
    ("people", {"conditions": None}, "request_invalid"),
    ("people", {"goal": "gold"}, "request_invalid"),
    ("people", {"alias": " "}, "request_invalid"),
    ("people", {"alias": "a\0b"}, "request_invalid"),
    ("people", {"alias": "\ud800"}, "request_invalid"),
    ("people", {"email": "nobody"}, "address_invalid"),
    ("dogs", {"born": "2999-01-01"}, "request_invalid"),
    ("dogs", {"weight_kg": 0.2}, "request_invalid"),
    ("dogs", {"conditions": ["knee_pain"]}, "request_invalid"),
]


def test_what_cannot_be_is_refused_and_nobody_enrolled(cloud: Cloud) -> None:
    owner = cloud.user("owner")
    owner.headers["content-type"] = "application/json"
    for kind, wrong, code in BAD:
        text = json.dumps(PROFILES[kind] | {"consent": agreed()} | wrong)
        status = 409 if code == "consent_outdated" else 422
        assert owner.ask("POST", f"/api/{kind}", status, content=text)["code"] == code, wrong
    assert cloud.database.value("select count(*) from subjects") == 0


EDGES: list[tuple[str, dict[str, Any]]] = [
    ("people", {"height_m": 0.3, "weight_kg": 1, "birth_year": 1900}),
    ("people", {"height_m": 2.6, "weight_kg": 400}),
    ("dogs", {"weight_kg": 0.3}),
    ("dogs", {"weight_kg": 150, "born": "1980-01-01"}),
]


def test_what_may_just_be_is_taken(cloud: Cloud) -> None:
    owner = cloud.user("owner")
    for kind, edges in EDGES:
        made = enrol(owner, kind, **edges)
        assert {name: made[name] for name in edges} == edges


def test_only_what_is_named_changes(cloud: Cloud) -> None:
    owner = cloud.user("owner")
    path = f"/api/dogs/{enrol(owner, 'dogs')['subject']}"
    changed = owner.ask(
        "PATCH", path, json={"weight_kg": 29.5, "goal": None, "conditions": ["heart", "heart"]}
    )
    assert {name: changed[name] for name in PROFILES["dogs"]} == PROFILES["dogs"] | {
        "weight_kg": 29.5, "goal": None, "conditions": ["heart"]
    }  # fmt: skip
    assert owner.ask("PATCH", path, json={}) == changed
    owner.ask("PATCH", path, 422, json={"user_id": 1})


def test_who_is_invited_sees_and_changes_their_own_and_nobody_else(cloud: Cloud) -> None:
    trainer = cloud.user("trainer")
    own = enrol(trainer, email="ann@example.org")
    other = enrol(trainer, alias="Bob")
    assert own["invitation"].startswith("http://testserver/accept#")
    member = accept(cloud, own["invitation"])
    assert [person["alias"] for person in member.ask("GET", "/api/people")] == ["Ann"]
    assert member.ask("PATCH", f"/api/people/{own['subject']}", json={"alias": "Anne"})["alias"] == "Anne"
    member.ask("PATCH", f"/api/people/{other['subject']}", 404, json={"alias": "Eve"})
    member.ask("POST", "/api/people", 403, json=PROFILES["people"] | {"consent": agreed()})


def test_one_link_serves_for_all_dogs_of_who_is_invited(cloud: Cloud) -> None:
    owner = cloud.user("owner")
    links = [enrol(owner, "dogs", alias=name, email="ann@example.org")["invitation"] for name in "ABC"]
    member = accept(cloud, links[1])
    assert [dog["alias"] for dog in member.ask("GET", "/api/dogs")] == ["A", "B", "C"]
    # Who is a user already is not invited.
    assert enrol(owner, "dogs", alias="D", email="Ann@example.org")["invitation"] is None
    assert len(member.ask("GET", "/api/dogs")) == 4


def test_a_lost_link_is_replaced(cloud: Cloud) -> None:
    owner = cloud.user("owner")
    made = enrol(owner, email="ann@exampel.org")
    path = f"/api/people/{made['subject']}/invitation"
    again = owner.ask("POST", path, 201, json={"email": "ann@example.org"})["invitation"]
    old = {"token": made["invitation"].partition("#")[2], "password": PASSWORD}
    assert cloud.nobody.post("/api/auth/accept", json=old).status_code == 401
    assert len(accept(cloud, again).ask("GET", "/api/people")) == 1
    assert owner.ask("POST", path, 409, json={"email": "eve@example.org"})["code"] == "has_user"


def test_trainers_see_those_who_agreed_to_it(cloud: Cloud) -> None:
    owner, trainer = cloud.user("owner"), cloud.user("trainer")
    shown, hidden = enrol(owner, "people", "record", "coach"), enrol(owner, "people", "record")
    assert [person["subject"] for person in trainer.ask("GET", "/api/people")] == [shown["subject"]]
    trainer.ask("GET", f"/api/people/{hidden['subject']}", 404)
    trainer.ask("PATCH", f"/api/people/{hidden['subject']}", 404, json={"alias": "x"})
    assert len(owner.ask("GET", "/api/people")) == 2
    cloud.user("fleet_operator").ask("GET", "/api/people", 403)


def test_whom_boxes_know_is_enrolled_under_the_same_id(cloud: Cloud, writer: Writer) -> None:
    topic = cloud.database.enrol("box").topic("window")
    writer.write([(topic, encode(window("box", 1)))])
    owner = cloud.user("owner")
    (seen,) = owner.ask("GET", "/api/people")
    assert (seen["subject"], seen["enrolled"], seen["consent"]) == (uuid("ann"), False, None)
    assert (
        owner.ask("PATCH", f"/api/people/{uuid('ann')}", 409, json={"alias": "Ann"})["code"] == "not_enrolled"
    )
    cloud.user("trainer").ask("GET", f"/api/people/{uuid('ann')}", 404)
    assert enrol(owner, subject=uuid("ann"))["subject"] == uuid("ann")
    assert cloud.database.value("select count(*) from subjects") == 1
    for kind, profile in PROFILES.items():
        body = profile | {"consent": agreed(), "subject": uuid("ann")}
        assert owner.ask("POST", f"/api/{kind}", 409, json=body)["code"] == "already_enrolled"


def test_lists_come_in_pages(cloud: Cloud) -> None:
    owner = cloud.user("owner")
    for name in "CAB":
        enrol(owner, alias=name)
    pages = [owner.ask("GET", f"/api/people?limit=2&offset={n}") for n in (0, 2)]
    assert [[person["alias"] for person in page] for page in pages] == [["A", "B"], ["C"]]
    owner.ask("GET", "/api/people?limit=0", 422)


def test_keys_of_the_catalogue_are_short_and_single() -> None:
    for rows in (catalogue().condition, catalogue().goal, catalogue().consent.purpose):
        keys = [row.key for row in rows]
        assert len(keys) == len(set(keys))
        assert all(len(key) <= 40 and key.isascii() and key.islower() for key in keys)
