"""Every answer of the API is as its description says, whoever asks."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import requests
import schemathesis

from cloud.api.profile import catalogue
from cloud.api.secrets import Signer
from cloud.api.who import Who
from tests.cloud.api.route_tables import ANYBODY, ROLES, WHO_MAY
from tests.cloud.api.test_people import agreed
from tests.cloud.api.test_rollouts import POSE, write_key
from tests.cloud.fleet import uuid, window
from tests.cloud.pages.site import Site
from tests.described import faults, try_every_operation
from wire.messages import encode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud.ingest.writer import Writer
    from tests.cloud.fleet import Database


@pytest.fixture(scope="module")
def running(migrated: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("api")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KINEBOX_API_SIGNING_KEY_FILE", str(write_key(folder / "key.pem")))
        one = Site(migrated, folder)
    yield one
    one.stop()


@pytest.fixture
def site(running: Site, database: Database) -> Iterator[Site]:
    yield running
    assert "Traceback" not in running.log.read_text()


@pytest.fixture
def real(site: Site, database: Database, writer: Writer) -> dict[str, list[Any]]:
    """What there is to be named, by the names of parameters and fields."""
    topic = database.enrol("box").topic("window")
    owner = site.user("owner", "first@example.org")
    tenant = database.value("select id from tenants")

    def ask(path: str, **body: Any) -> Any:
        answer = requests.post(
            site.url + path, json=body, headers=bearer(site, tenant, "owner", owner), timeout=10
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    for table in ("people", "dogs"):
        ask(f"/api/{table}", consent=agreed(), subject=uuid(table), alias=table)
    start = {"species": "human", "camera": "cam0", "device": uuid("box")}
    ask("/api/sessions/start", subject=uuid("people"), session=uuid("session"), **start)
    windows = [window("box", seq, subject="people", exercise="squat") for seq in range(1, 9)]
    writer.write([(topic, encode(one)) for one in windows])
    release = ask("/api/releases", **POSE)["id"]
    return {
        "subject": [uuid("people"), uuid("dogs")],
        "session": [uuid("session")],
        "device": [uuid("box")],
        "site": ["hall"],
        "user_id": [owner],
        "release": [release],
        "rollout_id": [1, 2],
        "version": [catalogue().consent.version],
    }


def bearer(site: Site, tenant: int, role: Any, name: object) -> dict[str, str]:
    who = Who(tenant_id=tenant, role=role, name=str(name))
    token = Signer(site.log.parent / "secret", 3600).sign(who)
    return {"authorization": f"Bearer {token}"}


@pytest.fixture
def everybody(site: Site, database: Database, real: object) -> Iterator[dict[str, requests.Session]]:
    """Each role, signed in, and somebody who is not."""
    tenant = database.value("select id from tenants")
    sessions = {}
    for role in ROLES:
        name = uuid("box") if role == "device" else site.user(role, f"{role}@example.org")  # type: ignore[arg-type]
        sessions[role] = requests.Session()
        sessions[role].headers.update(bearer(site, tenant, role, name))
    yield sessions | {ANYBODY: requests.Session()}
    for session in sessions.values():
        session.close()


def may(role: str, label: str) -> bool:
    return WHO_MAY[label] == ANYBODY or role in WHO_MAY[label].split()


def test_every_answer_is_as_described(
    site: Site, real: dict[str, list[Any]], everybody: dict[str, requests.Session]
) -> None:
    statuses, wrong = Counter[int](), []

    def send(case: Any, right: bool) -> None:
        for role, session in everybody.items():
            if right or may(role, case.operation.label):
                answer = case.call(session=session, timeout=20)
                statuses[answer.status_code] += 1
                wrong.extend(f"{role} {fault}" for fault in faults(case, answer))

    try_every_operation(schemathesis.openapi.from_url(site.url + "/api/openapi.json"), 2, real, send)
    print(sum(statuses.values()), "requests:", sorted(statuses.items()))
    assert not wrong, f"{len(wrong)} wrong answers\n" + "\n".join(wrong[:20])
    assert statuses.keys() >= {200, 201, 204, 401, 403, 404, 409, 422}
