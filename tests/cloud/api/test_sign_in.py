from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from typer.testing import CliRunner

from cloud.api.admin import app as admin
from cloud.api.who import Who
from tests.cloud.api.conftest import PASSWORD, Cloud
from tests.cloud.fleet import uuid

if TYPE_CHECKING:
    from tests.cloud.fleet import Database


def run_admin(database: Database, *arguments: str) -> Any:
    environment = {"KINEBOX_DATABASE_URL": database.owner_url, "KINEBOX_API_PUBLIC_URL": "http://testserver"}
    return CliRunner().invoke(admin, arguments, env=environment)


@pytest.fixture
def owner(cloud: Cloud) -> dict[str, Any]:
    """The tokens of an owner who came as owners come: invited by the operator."""
    made = run_admin(cloud.database, "create-tenant", "acme", "Acme Gyms", "--owner", "Ann@Example.org")
    assert made.exit_code == 0, made.output
    token = made.output.strip().rpartition("#")[2]
    answer = cloud.nobody.post("/api/auth/accept", json={"token": token, "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


def sign_in(cloud: Cloud, password: str = PASSWORD, email: str = "ann@example.org") -> Any:
    return cloud.nobody.post("/api/auth/token", json={"email": email, "password": password})


def me(cloud: Cloud, access: str) -> Any:
    return cloud.nobody.get("/api/me", headers={"authorization": f"Bearer {access}"})


def test_an_invited_owner_signs_in(cloud: Cloud, owner: dict[str, Any]) -> None:
    tokens = sign_in(cloud, email=" ANN@example.org").json()
    seen = me(cloud, tokens["access_token"]).json()
    assert (seen["email"], seen["role"]) == ("ann@example.org", "owner")
    assert tokens["expires_in"] == 600


def test_an_invitation_is_good_once(cloud: Cloud) -> None:
    made = run_admin(cloud.database, "create-tenant", "acme", "Acme", "--owner", "ann@example.org")
    body = {"token": made.output.strip().rpartition("#")[2], "password": PASSWORD}
    assert cloud.nobody.post("/api/auth/accept", json=body).status_code == 201
    assert cloud.nobody.post("/api/auth/accept", json=body).status_code == 401


def test_an_invitation_ends(cloud: Cloud) -> None:
    made = run_admin(cloud.database, "create-tenant", "acme", "Acme", "--owner", "ann@example.org")
    cloud.database.rows("update invitations set expires = now() - interval '1 second'")
    body = {"token": made.output.strip().rpartition("#")[2], "password": PASSWORD}
    assert cloud.nobody.post("/api/auth/accept", json=body).status_code == 401


def test_a_short_password_is_refused(cloud: Cloud) -> None:
    answer = cloud.nobody.post("/api/auth/accept", json={"token": "1.x", "password": "short"})
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")


@pytest.mark.parametrize("email", ["ann@example.org", "nobody@example.org"])
def test_a_wrong_password_and_an_unknown_address_look_alike(
    cloud: Cloud, owner: dict[str, Any], email: str
) -> None:
    answer = sign_in(cloud, "wrong wrong wrong", email)
    assert answer.status_code == 401
    assert answer.json()["code"] == "wrong_credentials"
    assert answer.headers["content-type"] == "application/problem+json"


def test_guessing_is_slowed(cloud: Cloud, owner: dict[str, Any]) -> None:
    answers = [sign_in(cloud, "wrong wrong wrong").status_code for _ in range(12)]
    assert answers == [401] * 10 + [429] * 2
    assert sign_in(cloud).headers["retry-after"] == "60"


def test_a_refresh_token_that_is_used_again_ends_the_family(cloud: Cloud, owner: dict[str, Any]) -> None:
    def refresh(token: str) -> Any:
        return cloud.nobody.post("/api/auth/refresh", json={"refresh_token": token})

    second = refresh(owner["refresh_token"]).json()
    # Two requests of one page at the same moment are no theft.
    assert refresh(owner["refresh_token"]).status_code == 200
    cloud.database.rows("update refresh_tokens set used = used - interval '1 minute'")
    assert refresh(owner["refresh_token"]).status_code == 401
    assert refresh(second["refresh_token"]).status_code == 401


def test_signing_out_ends_refreshing(cloud: Cloud, owner: dict[str, Any]) -> None:
    body = {"refresh_token": owner["refresh_token"]}
    assert cloud.nobody.post("/api/auth/sign-out", json=body).status_code == 204
    assert cloud.nobody.post("/api/auth/refresh", json=body).status_code == 401


def test_another_password_ends_refreshing(cloud: Cloud, owner: dict[str, Any]) -> None:
    header = {"authorization": f"Bearer {owner['access_token']}"}
    change = {"old": PASSWORD, "new": "another horse battery"}
    wrong = cloud.nobody.put("/api/me/password", json=change | {"old": "no"}, headers=header)
    assert wrong.status_code == 403
    assert cloud.nobody.put("/api/me/password", json=change, headers=header).status_code == 204
    body = {"refresh_token": owner["refresh_token"]}
    assert cloud.nobody.post("/api/auth/refresh", json=body).status_code == 401
    assert sign_in(cloud).status_code == 401
    assert sign_in(cloud, "another horse battery").status_code == 200


def test_no_password_is_stored(cloud: Cloud, owner: dict[str, Any]) -> None:
    stored = cloud.database.value("select password_hash from users")
    assert stored.startswith("$argon2id$")
    rows = str(cloud.database.rows("select * from refresh_tokens"))
    assert owner["refresh_token"].partition(".")[2] not in rows


FORGED = {"iss": "kinebox", "iat": 1, "exp": 2**31, "sub": "1", "ten": 1, "rol": "owner"}


@pytest.mark.parametrize(
    "token",
    [
        "", "x", "a.b.c",
        jwt.encode(FORGED, "not the secret, but as long as one", "HS256"),
        jwt.encode(FORGED, None, "none"),
    ],
)  # fmt: skip
def test_a_forged_token_is_nobody(cloud: Cloud, token: str) -> None:
    cloud.tenant()
    answer = me(cloud, token)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_an_access_token_ends(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    number = cloud.tenant()
    monkeypatch.setattr(time, "time", lambda: 1_700_000_000.0)
    old = cloud.signer.sign(Who(tenant_id=number, role="owner", name="1"))
    monkeypatch.undo()
    assert me(cloud, old).status_code == 401


def test_a_box_signs_in_with_its_secret(cloud: Cloud) -> None:
    cloud.box("box")
    cloud.box_secret("box", "s" * 43)
    body = {"device": uuid("box"), "secret": "s" * 43}
    answer = cloud.nobody.post("/api/auth/device", json=body)
    assert answer.status_code == 200
    assert answer.json()["refresh_token"] is None
    assert cloud.nobody.post("/api/auth/device", json=body | {"secret": "no"}).status_code == 401
    cloud.database.rows("update devices set retired = now()")
    assert cloud.nobody.post("/api/auth/device", json=body).status_code == 401


def test_only_an_owner_invites(cloud: Cloud) -> None:
    for role in ("trainer", "member", "fleet_operator"):
        cloud.user(role).ask("POST", "/api/users", 403, json={"email": "eve@example.org", "role": "owner"})
    made = cloud.user("owner").ask(
        "POST", "/api/users", 201, json={"email": "bob@example.org", "role": "trainer"}
    )
    token = made["link"].partition("#")[2]
    tokens = cloud.nobody.post("/api/auth/accept", json={"token": token, "password": PASSWORD}).json()
    assert me(cloud, tokens["access_token"]).json()["role"] == "trainer"


def test_a_tenant_keeps_an_owner(cloud: Cloud) -> None:
    first = cloud.user("owner")
    assert first.ask("DELETE", "/api/me", 409)["code"] == "last_owner"
    cloud.user("owner")
    first.ask("DELETE", "/api/me", 204)
    assert first.ask("GET", "/api/me", 401)["code"] == "sign_in_needed"


def test_users_of_other_tenants_are_not_there(cloud: Cloud) -> None:
    ours, theirs = cloud.user("owner", "gym"), cloud.user("owner", "clinic")
    number = theirs.ask("GET", "/api/me")["id"]
    assert number not in [user["id"] for user in ours.ask("GET", "/api/users")]
    ours.ask("DELETE", f"/api/users/{number}", 404)
    assert theirs.ask("GET", "/api/me")["id"] == number


def test_operators_are_told_what_is_wrong(cloud: Cloud) -> None:
    cloud.tenant("gym")
    for arguments, what in (
        (("create-tenant", "gym", "Gym", "--owner", "a@example.org"), "already"),
        (("create-tenant", "Gym!", "Gym", "--owner", "a@example.org"), "will not do"),
        (("create-tenant", "new", "New", "--owner", "nobody"), "nobody"),
        (("invite", "none", "a@example.org", "--role", "owner"), "no tenant none"),
        (("invite", "gym", "a@example.org", "--role", "king"), "no role king"),
        (("add-site", "gym", "hall", "Hall"), "will not do"),
    ):
        result = run_admin(cloud.database, *arguments)
        assert result.exit_code == 1
        assert what in result.output
    assert cloud.database.value("select count(*) from tenants") == 1
    assert run_admin(cloud.database, "add-site", "gym", "pool", "Pool").exit_code == 0


def test_without_the_database_the_answer_is_503(settings: Any) -> None:
    from fastapi.testclient import TestClient

    from cloud.api import database
    from cloud.api.app import create_app

    nowhere = settings(KINEBOX_DATABASE_URL="postgresql://nobody@127.0.0.1:9/none")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "WAIT_S", 0.3)
        app = create_app(nowhere)
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.post("/api/auth/token", json={"email": "a@example.org", "password": "x"})
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert client.get("/healthz").status_code == 503
