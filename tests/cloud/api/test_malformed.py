"""Requests that no program of ours sends: each is refused, and the next one is answered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from cloud.api.problems import MEDIA_TYPE, Problem
from tests import hostile
from tests.cloud.api.route_tables import BODIES, IDS, WHO_MAY, routes
from tests.cloud.api.test_people import agreed
from tests.cloud.api.test_rollouts import POSE
from tests.cloud.api.test_schemathesis import running, site
from tests.cloud.api.test_tenants import cloud, everybody, path_of
from tests.cloud.fleet import NOON, uuid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cloud.api.conftest import Client, Cloud
    from tests.cloud.pages.site import Site

__all__ = ["cloud", "everybody", "running", "site"]

PROFILE = {"alias": "Ann", "weight_kg": 60.5, "goal": None, "conditions": [], "consent": agreed()}
GOOD: dict[str, Any] = BODIES | {
    "POST /api/auth/token": {"email": "a@example.org", "password": "secret"},
    "POST /api/auth/device": {"device": uuid("box"), "secret": "secret"},
    "POST /api/auth/refresh": {"refresh_token": "1.token"},
    "POST /api/auth/sign-out": {"refresh_token": "1.token"},
    "POST /api/auth/accept": {"token": "1.token", "password": "correct horse battery"},
    "PUT /api/me/password": {"old": "secret", "new": "correct horse battery"},
    "POST /api/users": {"email": "new@example.org", "role": "member"},
    "POST /api/people": PROFILE | {"birth_year": 1980, "height_m": 1.7, "email": "b@example.org"},
    "POST /api/dogs": PROFILE | {"breed": "Labrador", "born": "2015-01-01"},
    "PATCH /api/people/{subject}": {"alias": "Eve", "birth_year": 1980, "weight_kg": 60.5},
    "POST /api/sessions/start": {
        "subject": uuid("rival ann"), "species": "human", "camera": "cam0", "device": uuid("gym box"),
        "exercise": "squat", "at": "2026-01-01T00:00:00Z", "session": uuid("mine"),
    },
    "POST /api/sessions/{session}/data": {
        "windows": [
            {"seq": 1, "at": NOON, "duration_s": 10, "reps": 1, "metrics": {"trunk_lean": 1.5}, "grades": {"a": "A"}}
        ]
    },
    "POST /api/sessions/{session}/end": {
        "duration_s": 10, "exercise": "squat", "reps": 3, "metrics": {"knee_rom_left": 90.5}
    },
    "POST /api/sites": {"slug": "attic", "name": "The attic", "time_zone": "UTC"},
    "POST /api/devices": {"site": "hall", "name": "One"},
    "POST /api/releases": POSE,
    "POST /api/rollouts": {"release": 1, "share": 0.1, "min_gain": 0.05, "min_hours": 24, "sites": ["hall"]},
}  # fmt: skip
"""A body for each route that takes one."""

HUGE = "HUGE"
ODD: tuple[Any, ...] = (
    None, "a\0b", "\ud800", "x" * 100_000, 2**31, 2**64, float("nan"), float("inf"), HUGE, {"\ud800": "\0"},
    "0001-01-01T00:00:00+14:00",
)  # fmt: skip
"""In the place of a value. HUGE: a number of 5,000 digits."""


KINDS = ("text/plain", "application/xml", "multipart/form-data", "application/json; charset=utf-16")


def variants(body: Any) -> Iterator[Any]:
    """The body with each of its values replaced by odd ones, one at a time."""
    for odd in ODD:
        yield odd
    if isinstance(body, dict):
        for key, value in body.items():
            for odd in variants(value):
                yield body | {key: odd}
        yield body | {"\0": 1, "\ud800": 2}
    elif isinstance(body, list):
        for place, value in enumerate(body):
            for odd in variants(value):
                yield [*body[:place], odd, *body[place + 1 :]]


def send(client: Client, cloud: Cloud, route: str, body: bytes, kind: str = "application/json") -> str:
    """What is wrong with the answer."""
    method = route.partition(" ")[0]
    path = path_of(cloud.database, route, {name: uuid("mine") for name in IDS})
    answer = client.request(method, path, content=body, headers={"content-type": kind})
    if answer.status_code < 400:
        return ""
    is_problem = answer.headers["content-type"] == MEDIA_TYPE
    if answer.status_code < 500 and is_problem and Problem(**answer.json()).code:
        return ""
    return f"{route} {body[:300]!r}: {answer.status_code} {answer.text[:300]}"


def test_bodies_of_every_kind_of_nonsense(cloud: Cloud, everybody: dict[str, Client]) -> None:
    box = everybody["device"]
    start = {"subject": uuid("ann"), "species": "human", "camera": "cam0", "session": uuid("mine")}
    box.ask("POST", "/api/sessions/start", 201, json=start)
    wrong, sent = [], 0
    for route, operation in routes(cloud.app).items():
        if "requestBody" not in operation:
            continue
        assert route in GOOD, f"{route}: add a body to GOOD"
        client = box if "device" in WHO_MAY[route].split() else everybody["owner"]
        bodies = [json.dumps(one).replace(f'"{HUGE}"', "9" * 5000).encode() for one in variants(GOOD[route])]
        for body in [*bodies, *hostile.BODIES.values()]:
            wrong.append(send(client, cloud, route, body))
            sent += 1
        good = json.dumps(GOOD[route]).encode()
        wrong += [send(client, cloud, route, good, kind) for kind in KINDS]
    wrong = [one for one in wrong if one]
    print(sent, "bodies")
    assert not wrong, f"{len(wrong)} of {sent}\n" + "\n".join(wrong[:20])
    assert sent > 1000


@pytest.mark.parametrize("role", ["owner", "fleet_operator"])
def test_a_token_that_outlives_its_user(cloud: Cloud, role: Any) -> None:
    cloud.user("owner")
    client = cloud.user(role)
    client.ask("DELETE", "/api/me", 204)
    wrong = [
        fault
        for route in routes(cloud.app)
        if route in GOOD and role in WHO_MAY[route].split()
        if (fault := send(client, cloud, route, json.dumps(GOOD[route]).encode()))
    ]
    assert not wrong, "\n".join(wrong)


def test_queries_and_paths_of_every_kind_of_nonsense(cloud: Cloud, everybody: dict[str, Client]) -> None:
    wrong, sent = [], 0
    odd = (
        "",
        "\0",
        "%00",
        "x" * 5000,
        "-1",
        str(2**63),
        "9" * 5000,
        "nan",
        "inf",
        "1e400",
        "٣",
        "'; --",
        "\ud800",
    )
    for route, operation in routes(cloud.app).items():
        method, _, path = route.partition(" ")
        if method == "DELETE":
            continue
        client = everybody["device" if WHO_MAY[route] == "device" else "owner"]
        for parameter in operation.get("parameters", ()):
            for value in odd:
                text = value.encode("utf-8", "surrogatepass")
                if parameter["in"] == "query":
                    answer = client.request(
                        method, path_of(cloud.database, route, IDS), params={parameter["name"]: text}
                    )
                else:
                    quoted = "".join(f"%{byte:02x}" for byte in text[:2000])
                    answer = client.request(method, path.replace("{" + parameter["name"] + "}", quoted))
                sent += 1
                if answer.status_code >= 500:
                    wrong.append(
                        f"{route} {parameter['name']} {value[:50]!r}: {answer.status_code} {answer.text}"
                    )
    assert not wrong, "\n".join(wrong)
    assert sent > 500


@pytest.mark.parametrize("path", ["/api/auth/token", f"/api/sessions/{uuid('mine')}/data"])
@pytest.mark.parametrize("what", hostile.floods("/", "POST"))
def test_floods(site: Site, path: str, what: str) -> None:
    request, good = hostile.floods(path, "POST")[what]
    assert hostile.status(urlsplit(site.url).port or 80, request) in good | {b"401"}
    assert site.answers()
