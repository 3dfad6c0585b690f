"""Boxes and sites: enrolled, named, moved, retired, and let in by a secret that is shown once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from cloud.ingest.batch import Limits
from cloud.ingest.writer import Writer
from tests.cloud.fleet import uuid, window
from wire.messages import encode

if TYPE_CHECKING:
    from tests.cloud.api.conftest import Client, Cloud

HALL = {"slug": "hall", "name": "The hall", "time_zone": "Asia/Seoul"}


@pytest.fixture
def operator(cloud: Cloud) -> Client:
    """A fleet's operator, with a site."""
    client = cloud.user("fleet_operator")
    cloud.database.rows("truncate sites cascade")
    assert client.ask("POST", "/api/sites", 201, json=HALL) == HALL
    return client


def sign_in(cloud: Cloud, device: str, secret: str) -> int:
    return cloud.nobody.post("/api/auth/device", json={"device": device, "secret": secret}).status_code


def added(cloud: Cloud, topic: str, seq: int) -> int:
    """How many rows a new ingest adds for a window on a topic."""
    writer = Writer(cloud.database.url, Limits(future_s=600, past_s=400 * 86400))
    try:
        return writer.write([(f"{topic}/window", encode(window("box", seq)))]).added
    finally:
        writer.close()


def test_an_enrolled_box_may_send_and_sign_in(cloud: Cloud, operator: Client) -> None:
    made = operator.ask(
        "POST", "/api/devices", 201, json={"site": "hall", "name": "Left wall", "device": uuid("box")}
    )
    secret = made.pop("secret")
    assert made["topic"] == f"kinebox/v1/gym/hall/{uuid('box')}"
    assert (made["name"], made["site"], made["retired"], made["has_secret"]) == (
        "Left wall",
        "hall",
        None,
        True,
    )
    assert operator.ask("GET", "/api/devices") == [made]
    assert sign_in(cloud, uuid("box"), secret) == 200
    assert added(cloud, made["topic"], 1) == 1
    stored = str(cloud.database.rows("select * from devices"))
    assert secret not in stored


def test_a_box_without_an_id_gets_one_and_an_id_is_good_once(cloud: Cloud, operator: Client) -> None:
    made = operator.ask("POST", "/api/devices", 201, json={"site": "hall"})
    assert UUID(made["device"]).version == 4
    again = operator.ask("POST", "/api/devices", 409, json={"site": "hall", "device": made["device"]})
    assert again["code"] == "device_exists"


def test_another_secret_ends_the_one_before(cloud: Cloud, operator: Client) -> None:
    made = operator.ask("POST", "/api/devices", 201, json={"site": "hall"})
    new = operator.ask("POST", f"/api/devices/{made['device']}/secret", 201)["secret"]
    assert sign_in(cloud, made["device"], made["secret"]) == 401
    assert sign_in(cloud, made["device"], new) == 200
    operator.ask("POST", f"/api/devices/{uuid('nobody')}/secret", 404)


def test_a_retired_box_is_heard_no_more_until_it_is_taken_back(cloud: Cloud, operator: Client) -> None:
    made = operator.ask("POST", "/api/devices", 201, json={"site": "hall", "device": uuid("box")})
    path = f"/api/devices/{made['device']}"
    since = operator.ask("PATCH", path, json={"retired": True})["retired"]
    assert since is not None
    assert operator.ask("PATCH", path, json={"retired": True, "name": "Old"})["retired"] == since
    assert sign_in(cloud, made["device"], made["secret"]) == 401
    assert added(cloud, made["topic"], 1) == 0
    assert operator.ask("PATCH", path, json={"retired": False})["retired"] is None
    assert sign_in(cloud, made["device"], made["secret"]) == 200
    assert added(cloud, made["topic"], 2) == 1


def test_a_moved_box_has_another_topic(cloud: Cloud, operator: Client) -> None:
    operator.ask("POST", "/api/sites", 201, json=HALL | {"slug": "pool"})
    made = operator.ask(
        "POST", "/api/devices", 201, json={"site": "hall", "name": "A", "device": uuid("box")}
    )
    path = f"/api/devices/{made['device']}"
    moved = operator.ask("PATCH", path, json={"site": "pool"})
    assert (moved["site"], moved["name"]) == ("pool", "A")
    assert added(cloud, made["topic"], 1) == 0
    assert added(cloud, moved["topic"], 2) == 1
    assert operator.ask("PATCH", path, json={"name": None})["name"] is None
    operator.ask("PATCH", path, 404, json={"site": "attic"})
    operator.ask("PATCH", f"/api/devices/{uuid('nobody')}", 404, json={"name": "x"})


def test_sites_that_cannot_be_are_refused(operator: Client) -> None:
    wrong: list[tuple[dict[str, Any], int, str]] = [
        ({"slug": "hall"}, 409, "site_exists"),
        ({"slug": "Hall"}, 422, "request_invalid"),
        ({"slug": "a/b"}, 422, "request_invalid"),
        ({"slug": "x\n"}, 422, "request_invalid"),
        ({"slug": "x", "name": ""}, 422, "request_invalid"),
        ({"slug": "x", "time_zone": "Mars/Olympus"}, 422, "time_zone_unknown"),
        ({"slug": "x", "time_zone": "'; drop table sites"}, 422, "time_zone_unknown"),
    ]
    for fields, status, code in wrong:
        assert operator.ask("POST", "/api/sites", status, json=HALL | fields)["code"] == code
    assert operator.ask("GET", "/api/sites") == [HALL]
    operator.ask("POST", "/api/devices", 404, json={"site": "attic"})
