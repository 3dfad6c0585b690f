"""The description of the API is complete, and the API keeps to it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from edge.web import messages
from edge.web.api import live_routes, session_routes, system_routes
from edge.web.camera import camera_routes
from edge.web.coach import coach_routes
from edge.web.exercises import exercise_routes
from edge.web.socket import socket_routes

if TYPE_CHECKING:
    from tests.web.box import Box

OPERATIONS = {
    ("get", "/healthz"): "get_health",
    ("get", "/metrics"): "get_prometheus_metrics",
    ("get", "/api/v1/status"): "get_status",
    ("get", "/api/v1/exercises"): "list_exercises",
    ("put", "/api/v1/exercise"): "choose_exercise",
    ("post", "/api/v1/exercises"): "add_exercise",
    ("get", "/api/v1/exercises/refused"): "list_refused_exercises",
    ("get", "/api/v1/exercises/{exercise_id}/source"): "get_exercise_source",
    ("put", "/api/v1/exercises/{exercise_id}"): "change_exercise",
    ("delete", "/api/v1/exercises/{exercise_id}"): "delete_exercise",
    ("get", "/api/v1/coach"): "get_coach",
    ("put", "/api/v1/coach"): "set_coach",
    ("get", "/api/v1/camera"): "get_camera",
    ("put", "/api/v1/camera"): "set_camera",
    ("put", "/api/v1/camera/zones"): "set_zones",
    ("get", "/api/v1/metrics"): "list_metrics",
    ("get", "/api/v1/skeletons"): "list_skeletons",
    ("get", "/api/v1/sessions"): "list_sessions",
    ("get", "/api/v1/sessions/{session_id}"): "get_session",
    ("delete", "/api/v1/sessions/{session_id}"): "delete_session",
    ("get", "/api/v1/sessions/{session_id}/samples"): "get_samples",
    ("get", "/api/v1/sessions/{session_id}/export"): "export_session",
}


@pytest.fixture(scope="module")
def description(shared_box: Box) -> dict[str, Any]:
    with shared_box.client() as http:
        return http.get("/api/v1/openapi.json").json()


def test_every_operation(description: dict[str, Any]) -> None:
    found = {
        (method, path): operation["operationId"]
        for path, operations in description["paths"].items()
        for method, operation in operations.items()
    }
    assert found == OPERATIONS


def test_every_operation_is_explained(description: dict[str, Any]) -> None:
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert len(operation["description"]) > 20, where
            assert operation["tags"], where
            assert all(parameter["description"] for parameter in operation.get("parameters", [])), where
            good = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
            assert "content" in good or method == "delete", where
            for status, answer in operation["responses"].items():
                if status >= "400" and (path, status) != ("/healthz", "503"):
                    assert set(answer["content"]) == {"application/problem+json"}, where


def test_every_reference_leads_somewhere(description: dict[str, Any]) -> None:
    schemas = description["components"]["schemas"]
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', msgspec.json.encode(description).decode()))
    assert references <= set(schemas)
    assert {struct.__name__ for struct in messages.ServerMessage.__args__} <= set(schemas)
    assert all(schema.get("description") for schema in schemas.values() if schema.get("type") == "object")
    assert "HTTPValidationError" not in schemas


def test_nothing_is_served_that_is_not_described(shared_box: Box) -> None:
    state, store = shared_box.state, shared_box.store
    routers = [
        system_routes(state, store),
        live_routes(state, store),
        exercise_routes(state.coaching),
        coach_routes(state.coaching),
        camera_routes(state),
        session_routes(store),
        socket_routes(state),
    ]
    served = {
        (method.lower(), route.path)
        for router in routers
        for route in router.routes
        for method in methods(route)
    }
    # The WebSocket has no place in OpenAPI; its messages do.
    assert served == set(OPERATIONS) | {("websocket", "/api/v1/live")}


def methods(route: Any) -> set[str]:
    return getattr(route, "methods", {"websocket"})
