"""What the tests of roles and tenants must know of each route: one line a route, and one for a new parameter.

A route that is not here fails the tests. Add to WHO_MAY whose role lets them call it; to BODIES a body that would be
taken, where it has one beside an id in its path; to IDS where the id of a new path parameter is found, and to
QUERY a value for a new query parameter: one that names something of the other tenant where it names anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.cloud.api.test_people import agreed
from tests.cloud.fleet import NOON, uuid

if TYPE_CHECKING:
    from fastapi import FastAPI

ROLES = ("owner", "trainer", "member", "fleet_operator", "device")
ANYBODY = "anybody"
"""Also who is not signed in."""
_USERS = "owner trainer member fleet_operator"
_KEEPERS = "owner trainer member"
_COACHES = "owner trainer"
_FLEET = "owner fleet_operator"
_RECORDERS = "owner trainer device"

WHO_MAY: dict[str, str] = {
    "POST /api/auth/token": ANYBODY,
    "POST /api/auth/device": ANYBODY,
    "POST /api/auth/refresh": ANYBODY,
    "POST /api/auth/sign-out": ANYBODY,
    "POST /api/auth/accept": ANYBODY,
    "GET /api/me": _USERS,
    "DELETE /api/me": _USERS,
    "PUT /api/me/password": _USERS,
    "GET /api/users": "owner",
    "POST /api/users": "owner",
    "DELETE /api/users/{user_id}": "owner",
    "GET /api/people": _KEEPERS,
    "POST /api/people": _COACHES,
    "GET /api/people/{subject}": _KEEPERS,
    "PATCH /api/people/{subject}": _KEEPERS,
    "POST /api/people/{subject}/invitation": _COACHES,
    "GET /api/people/{subject}/consent": _KEEPERS,
    "PUT /api/people/{subject}/consent": _KEEPERS,
    "DELETE /api/people/{subject}/consent": _KEEPERS,
    "GET /api/people/{subject}/export": _KEEPERS,
    "GET /api/people/{subject}/history": _KEEPERS,
    "GET /api/people/{subject}/trends": _KEEPERS,
    "GET /api/people/{subject}/recommendations": _KEEPERS,
    "GET /api/dogs": _KEEPERS,
    "POST /api/dogs": _COACHES,
    "GET /api/dogs/{subject}": _KEEPERS,
    "PATCH /api/dogs/{subject}": _KEEPERS,
    "POST /api/dogs/{subject}/invitation": _COACHES,
    "GET /api/dogs/{subject}/consent": _KEEPERS,
    "PUT /api/dogs/{subject}/consent": _KEEPERS,
    "DELETE /api/dogs/{subject}/consent": _KEEPERS,
    "GET /api/dogs/{subject}/export": _KEEPERS,
    "GET /api/dogs/{subject}/history": _KEEPERS,
    "GET /api/dogs/{subject}/trends": _KEEPERS,
    "GET /api/dogs/{subject}/recommendations": _KEEPERS,
    "GET /api/consent": _USERS,
    "GET /api/disclaimers": ANYBODY,
    "POST /api/sessions/start": _RECORDERS,
    "POST /api/sessions/{session}/data": _RECORDERS,
    "POST /api/sessions/{session}/end": _RECORDERS,
    "GET /api/sessions/{session}": " ".join(ROLES),
    "GET /api/cohorts": _COACHES,
    "GET /api/sites": _FLEET,
    "POST /api/sites": _FLEET,
    "GET /api/devices": _FLEET,
    "POST /api/devices": _FLEET,
    "PATCH /api/devices/{device}": _FLEET,
    "POST /api/devices/{device}/secret": _FLEET,
    "GET /api/devices/self/desired": "device",
    "GET /api/fleet": _FLEET,
    "GET /api/fleet/{device}/health": _FLEET,
    "GET /api/releases": _FLEET,
    "POST /api/releases": _FLEET,
    "GET /api/rollouts": _FLEET,
    "POST /api/rollouts": _FLEET,
    "GET /api/rollouts/{rollout_id}": _FLEET,
    "POST /api/rollouts/{rollout_id}/cancel": _FLEET,
}

BODIES: dict[str, Any] = {
    "PATCH /api/people/{subject}": {"alias": "Eve"},
    "PATCH /api/dogs/{subject}": {"alias": "Eve"},
    "POST /api/people/{subject}/invitation": {"email": "eve@example.org"},
    "POST /api/dogs/{subject}/invitation": {"email": "eve@example.org"},
    "PUT /api/people/{subject}/consent": agreed(),
    "PUT /api/dogs/{subject}/consent": agreed(),
    "PATCH /api/devices/{device}": {"name": "Eve's"},
    "POST /api/sessions/{session}/data": {
        "windows": [{"seq": 1, "at": NOON, "duration_s": 10, "metrics": {}}]
    },
    "POST /api/sessions/{session}/end": {"duration_s": 10},
}

# Of the tenant `rival`, as test_tenants.py makes it: by parameter, or by path and parameter.
IDS: dict[str, str] = {
    "/api/people subject": uuid("rival ann"),
    "/api/dogs subject": uuid("rival rex"),
    "session": uuid("rival session"),
    "device": uuid("rival box"),
    "user_id": "select id from users where email = 'rival-ann@example.org'",
    "rollout_id": "select max(id) from rollouts",
}
UNKNOWN: dict[str, str] = dict.fromkeys(IDS, uuid("nobody")) | {
    "user_id": "2147483646",
    "rollout_id": "2147483646",
}

QUERY: dict[str, Any] = {
    "limit": 100, "offset": 0, "lang": "en", "from": None, "to": None, "resolution": None, "cursor": None,
    "metric": "knee_rom_left", "exercise": "squat", "weeks": 8, "species": "dog", "breed": "Rivalhound",
    "min_age_years": None, "max_age_years": None, "days": 30, "by": None, "site": "rival-site", "state": None,
    "only_warned": None, "after": None, "before": None,
}  # fmt: skip


def routes(app: FastAPI) -> dict[str, dict[str, Any]]:
    """Every operation of the OpenAPI document, by method and path."""
    return {
        f"{method.upper()} {path}": operation
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
    }
