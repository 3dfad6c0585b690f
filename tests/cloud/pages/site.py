"""A running kinebox-api with pages, somebody to sign in, and sessions that came through the real writer."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import httpx
from argon2 import PasswordHasher

from cloud.api.profile import catalogue
from cloud.api.secrets import Signer
from cloud.api.who import Who
from tests.cloud.fleet import uuid, wait_for
from wire.messages import SessionChange, Window, encode

if TYPE_CHECKING:
    from pathlib import Path

    from cloud.api.who import UserRole
    from cloud.ingest.writer import Writer
    from tests.cloud.fleet import Database
    from wire.messages import Message

PASSWORD = "correct horse battery staple"
WEEK_S = 7 * 86_400


class Site:
    """`python -m cloud.api` on a free port, for the database of a test."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.log = folder / "api.log"
        secret = folder / "secret"
        secret.write_bytes(secrets.token_bytes(48))
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        environment = os.environ | {
            "KINEBOX_DATABASE_URL": database.api_url,
            "KINEBOX_API_PORT": str(port),
            "KINEBOX_API_PUBLIC_URL": self.url,
            "KINEBOX_API_SECRET_FILE": str(secret),
        }
        self._hash = PasswordHasher().hash(PASSWORD)
        self._signer = Signer(secret, 600)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cloud.api"], env=environment, stdout=log, stderr=log
            )
        wait_for(self.answers, what="the API answers")

    def answers(self) -> bool:
        """Whether it is there."""
        assert self.process.poll() is None, self.log.read_text()
        try:
            return httpx.get(self.url + "/healthz", verify=False).is_success  # noqa: S501 (plain HTTP)
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(20)

    def user(self, role: UserRole, address: str, tenant: str = "gym") -> int:
        """Somebody who can sign in with PASSWORD."""
        self.database.enrol("first-box", tenant)
        number: int = self.database.value(
            """insert into users (tenant_id, email, password_hash, role)
               select id, %s, %s, %s from tenants where slug = %s returning id""",
            address, self._hash, role, tenant,
        )  # fmt: skip
        return number

    def token(self, address: str) -> str:
        """An access token of somebody: signing in is limited to ten a minute."""
        rows = self.database.rows("select tenant_id, role, id from users where email = %s", address)
        tenant_id, role, number = rows[0]
        return self._signer.sign(Who(tenant_id=tenant_id, role=role, name=str(number)))

    def ask(self, by: str, method: str, path: str, **more: Any) -> Any:
        """Ask the API as somebody."""
        header = {"authorization": f"Bearer {self.token(by)}"}
        with httpx.Client(base_url=self.url, verify=False) as http:  # noqa: S501 (plain HTTP)
            answer = http.request(method, path, headers=header, **more)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def enrol(self, by: str, table: str, purposes: tuple[str, ...] = ("record",), **profile: Any) -> str:
        """A person or dog, with consent."""
        consent = {"version": catalogue().consent.version, "purposes": purposes}
        body = {"consent": consent} | profile
        subject: str = self.ask(by, "POST", f"/api/{table}", json=body)["subject"]
        return subject

    def train(
        self,
        writer: Writer,
        subject: str,
        species: str,
        exercise: str,
        weeks: int = 10,
        **metrics: tuple[float, float],
    ) -> None:
        """A session a week until now; each metric goes from its first value to its last."""
        address = self.database.enrol("first-box")
        messages: list[Message] = []
        boot = uuid(f"{subject} {exercise}")
        for week in range(weeks):
            at = time.time() - (weeks - 1 - week) * WEEK_S - 3600
            share = week / (weeks - 1)
            # Weeks are not alike: an alternation that no slope follows.
            values = {
                key: round(a + (b - a) * share + (1 if week % 2 else -1), 1)
                for key, (a, b) in metrics.items()
            }
            session = uuid(f"{boot} {week}")
            messages.append(
                Window(
                    device=uuid("first-box"), boot=boot, seq=2 * week + 1, at=at, clock="synchronised",
                    session=session, subject=subject, species=species, camera="cam0", duration_s=10.0,  # type: ignore[arg-type]
                    exercise=exercise, reps=4,
                )
            )  # fmt: skip
            messages.append(
                SessionChange(
                    device=uuid("first-box"), boot=boot, seq=2 * week + 2, at=at, clock="synchronised",
                    session=session, change="end", subject=subject, species=species, camera="cam0",  # type: ignore[arg-type]
                    exercise=exercise, reps=28 + week % 3, duration_s=600.0 + 20 * week, reason="left",
                    model="blazepose-int8", software="0.1.0", metrics=values, grades=dict.fromkeys(values, "B"),
                )
            )  # fmt: skip
        written = writer.write(
            [
                (address.topic("session" if isinstance(one, SessionChange) else "window"), encode(one))
                for one in messages
            ]
        )
        assert not written.dead, written
