"""Consent: who gives it, for what, and what stays on record of it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from cloud.api import consents
from cloud.api.profile import catalogue
from tests.cloud.api.test_people import accept, agreed, enrol

if TYPE_CHECKING:
    from tests.cloud.api.conftest import Client, Cloud


def test_what_is_asked_for_is_told_with_its_version(cloud: Cloud) -> None:
    terms = cloud.user("member").ask("GET", "/api/consent")
    assert terms["version"] == catalogue().consent.version
    assert [(row["key"], row["required"]) for row in terms["purposes"]] == [
        ("record", True), ("coach", False), ("research", False)
    ]  # fmt: skip
    korean = cloud.user("member").ask("GET", "/api/consent?lang=ko")
    assert korean["version"] == terms["version"]
    assert all(
        row["meaning"] != other["meaning"]
        for row, other in zip(terms["purposes"], korean["purposes"], strict=True)
    )


@pytest.mark.parametrize("kind", ["people", "dogs"])
def test_what_was_agreed_to_stays_on_record(cloud: Cloud, kind: str) -> None:
    owner = cloud.user("owner")
    me = owner.ask("GET", "/api/me")["id"]
    path = f"/api/{kind}/{enrol(owner, kind, 'record')['subject']}/consent"
    first = owner.ask("GET", path)
    assert first["current_version"] == catalogue().consent.version
    assert first["present"] == first["history"][0]
    assert (first["present"]["given_by"], first["present"]["outdated"]) == (me, False)

    second = owner.ask("PUT", path, json=agreed("coach", "record", "coach"))
    assert second["present"]["purposes"] == ["coach", "record"]
    new, old = second["history"]
    assert new["withdrawn"] is None
    assert old["withdrawn"] == new["given"]
    assert old | {"withdrawn": None} == first["present"]
    # The same again is nothing new.
    assert owner.ask("PUT", path, json=agreed("record", "coach")) == second


def test_consent_to_old_terms_is_outdated_until_it_is_given_again(cloud: Cloud) -> None:
    owner = cloud.user("owner")
    person = f"/api/people/{enrol(owner)['subject']}"
    cloud.database.rows("update consents set version = '2020-01'")
    assert owner.ask("GET", person)["consent"]["outdated"] is True
    old = {"version": "2020-01", "purposes": ["record"]}
    assert owner.ask("PUT", f"{person}/consent", 409, json=old)["code"] == "consent_outdated"
    assert owner.ask("GET", f"{person}/consent")["present"]["outdated"] is True
    state = owner.ask("PUT", f"{person}/consent", json=agreed())
    assert [one["outdated"] for one in state["history"]] == [False, True]
    assert owner.ask("GET", person)["consent"]["outdated"] is False


@pytest.fixture
def two_members(cloud: Cloud) -> tuple[Client, Client, str, str]:
    """Two members, and their paths."""
    trainer = cloud.user("trainer")
    people = [enrol(trainer, email=f"{name}@example.org") for name in ("ann", "bob")]
    ann, bob = (accept(cloud, person["invitation"]) for person in people)
    paths = [f"/api/people/{person['subject']}/consent" for person in people]
    return ann, bob, paths[0], paths[1]


def test_members_decide_for_themselves_alone(
    cloud: Cloud, two_members: tuple[Client, Client, str, str]
) -> None:
    ann, bob, anns, bobs = two_members
    for method, more in (("GET", {}), ("PUT", {"json": agreed("record")}), ("DELETE", {})):
        bob.ask(method, anns, 404, **more)
        ann.ask(method, anns, **more)
    ann.ask("GET", anns, 404)
    assert cloud.database.value("select count(*) from people") == 1
    assert bob.ask("GET", bobs)["present"]["purposes"] == ["coach", "record", "research"]


def test_nobody_agrees_for_who_can_sign_in_but_an_owner_may_erase(
    cloud: Cloud, two_members: tuple[Client, Client, str, str]
) -> None:
    _, _, anns, bobs = two_members
    owner, trainer = cloud.user("owner"), cloud.user("trainer")
    for who in (owner, trainer):
        assert who.ask("PUT", anns, 403, json=agreed())["code"] == "theirs_to_decide"
    trainer.ask("DELETE", anns, 403)
    assert trainer.ask("GET", anns)["present"] is not None
    owner.ask("DELETE", anns)
    owner.ask("GET", bobs)


def test_who_withdraws_coaching_is_no_longer_seen_by_trainers(
    cloud: Cloud, two_members: tuple[Client, Client, str, str]
) -> None:
    ann, _, anns, _ = two_members
    trainer = cloud.user("trainer")
    trainer.ask("GET", anns)
    ann.ask("PUT", anns, json=agreed("record", "research"))
    trainer.ask("GET", anns, 404)
    assert len(ann.ask("GET", anns)["history"]) == 2


def test_two_who_record_consent_at_once_leave_one_that_holds(cloud: Cloud) -> None:
    owner = cloud.user("owner")
    path = f"/api/people/{enrol(owner, 'people', 'record')['subject']}/consent"
    choices = [agreed("record", "coach"), agreed("record", "research")] * 6
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda body=body: statuses.append(owner.put(path, json=body).status_code))
        for body in choices
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * len(choices)
    state = owner.ask("GET", path)
    assert [one["withdrawn"] is None for one in state["history"]] == [True] + [False] * (
        len(state["history"]) - 1
    )


def test_erasing_has_longer_than_other_statements(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = cloud.user("owner")
    path = f"/api/people/{enrol(owner)['subject']}/consent"
    limits: list[Any] = []
    real = consents.erase

    async def erase(db: Any, subject: Any) -> int:
        gone = await real(db, subject)
        limits.append((await (await db.execute("show statement_timeout")).fetchone())["statement_timeout"])
        return gone

    monkeypatch.setattr(consents, "erase", erase)
    owner.ask("DELETE", path)
    assert limits == ["10min"]
