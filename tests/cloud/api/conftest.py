"""The API over the test's own database, and whoever may sign in to it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from cloud.api.app import create_app
from cloud.api.secrets import digest
from cloud.api.settings import Settings
from cloud.api.who import Who
from tests.cloud.fleet import uuid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from httpx2 import Response

    from cloud.api.who import UserRole
    from tests.cloud.fleet import Database

PASSWORD = "correct horse battery staple"


class Client(TestClient):
    """Sends requests as somebody."""

    def ask(self, method: str, path: str, status: int = 200, **more: Any) -> Any:
        """The JSON of an answer that must have this status."""
        answer: Response = self.request(method, path, **more)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None


class Cloud:
    """A running API, with shortcuts for what most tests need first."""

    def __init__(self, client: TestClient, database: Database) -> None:
        self.nobody = client
        self.database = database
        self.app: Any = client.app
        self.signer = self.app.state.kinebox.signer

    def tenant(self, slug: str = "gym") -> int:
        """The number of a tenant, made where it is not there."""
        self.database.enrol(f"{slug}-first-box", slug)
        number: int = self.database.value("select id from tenants where slug = %s", slug)
        return number

    def user(self, role: UserRole = "owner", tenant: str = "gym", email: str | None = None) -> Client:
        """A new user of a tenant, signed in by an access token."""
        tenant_id = self.tenant(tenant)
        number = self.database.value(
            "insert into users (tenant_id, email, password_hash, role) values (%s, %s, '', %s) returning id",
            tenant_id,
            email or f"{secrets.token_hex(6)}@example.org",
            role,
        )
        return self.as_(Who(tenant_id=tenant_id, role=role, name=str(number)))

    def box(self, name: str = "box", tenant: str = "gym") -> Client:
        """An enrolled box, signed in. Its UUID is `uuid(name)`."""
        self.database.enrol(name, tenant)
        return self.as_(Who(tenant_id=self.tenant(tenant), role="device", name=uuid(name)))

    def box_secret(self, name: str, secret: str) -> None:
        """Give a box a secret."""
        self.database.rows(
            "update devices set secret_digest = %s where device = %s", digest(secret), uuid(name)
        )

    def as_(self, who: Who) -> Client:
        """A client that is signed in as somebody."""
        client = Client(self.app, headers={"authorization": f"Bearer {self.signer.sign(who)}"})
        client.portal = self.nobody.portal  # one event loop for all, that of the pool of connections
        return client


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Callable[..., Settings]:
    """Makes settings of the API."""

    def make(**more: Any) -> Settings:
        secret = tmp_path / "secret"
        if not secret.exists():
            secret.write_bytes(secrets.token_bytes(48))
        fields = {
            "KINEBOX_DATABASE_URL": database.api_url,
            "secret_file": secret,
            "public_url": "http://testserver",
        }
        return Settings(**(fields | more))

    return make


@pytest.fixture
def cloud(settings: Callable[..., Settings], database: Database) -> Iterator[Cloud]:
    """The API, running in this process."""
    with TestClient(create_app(settings()), raise_server_exceptions=False) as client:
        yield Cloud(client, database)
