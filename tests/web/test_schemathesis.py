"""Every answer of the box is as its description says, and nonsense is refused."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import requests
import schemathesis

from edge.web.messages import Camera
from tests import hostile
from tests.described import faults, try_every_operation
from tests.web.box import frame, record, running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web.box import Box

TOKEN = "t" * 43


@pytest.mark.parametrize(
    ("needed", "sent", "seen"),
    [(None, None, {200, 204, 404, 422}), (TOKEN, TOKEN, {200, 422}), (TOKEN, None, {401})],
)
def test_every_answer_is_as_described(
    tmp_path: Path, needed: str | None, sent: str | None, seen: set[int]
) -> None:
    statuses, wrong = Counter[int](), []
    with running(tmp_path, token=needed) as box, requests.Session() as session:
        sessions = [record(box.store, end=n > 0) for n in range(3)]
        real = {"session_id": sessions, "before": sessions, "exercise": ["squat", "auto"]}
        if sent:
            session.headers["authorization"] = f"Bearer {sent}"
        schema = schemathesis.openapi.from_url(
            f"{box.url}/api/v1/openapi.json", headers={"authorization": f"Bearer {needed}"}
        )
        box.do(box.state.publish_camera, Camera(camera="cam0", state="live"))

        def send(case: Any, _: bool) -> None:
            if case.path == "/healthz":
                box.do(box.state.publish_frame, frame())  # without one it rightly answers 503
            answer = case.call(session=session, timeout=20)
            statuses[answer.status_code] += 1
            wrong.extend(faults(case, answer))

        try_every_operation(schema, 5, real, send)
    print(sum(statuses.values()), "requests:", sorted(statuses.items()))
    assert not wrong, f"{len(wrong)} wrong answers\n" + "\n".join(wrong[:20])
    assert statuses.keys() >= seen


@pytest.mark.parametrize("what", hostile.floods("/", "PUT"))
def test_floods(shared_box: Box, what: str) -> None:
    request, good = hostile.floods("/api/v1/exercise", "PUT")[what]
    assert hostile.status(shared_box.port, request) in good
    with shared_box.client() as http:
        assert http.get("/api/v1/status").status_code == 200


@pytest.mark.parametrize("body", hostile.BODIES.values(), ids=hostile.BODIES)
def test_bodies(shared_box: Box, body: bytes) -> None:
    with shared_box.client() as http:
        answer = http.put("/api/v1/exercise", content=body, headers={"content-type": "application/json"})
        assert answer.status_code in (400, 413, 422)
        assert answer.headers["content-type"] == "application/problem+json"
        assert http.get("/api/v1/status").json()["exercise"] == "auto"
