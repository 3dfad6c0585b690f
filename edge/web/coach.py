"""How the coach judges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response  # noqa: TC002 - FastAPI reads the routes' annotations

from edge.coach_setup import CoachSettings
from edge.web.answers import Json, read_body
from edge.web.openapi import answers, takes
from edge.web.problems import problem

if TYPE_CHECKING:
    from edge.coach_setup import CoachSetup


def coach_routes(coaching: CoachSetup) -> APIRouter:
    """What a coach's settings need."""
    router = APIRouter(prefix="/api/v1/coach", tags=["live"], default_response_class=Json)

    @router.get("", operation_id="get_coach", responses=answers(CoachSettings))
    async def settings() -> Response:
        """How much of the form the coach lets pass."""
        return Json(coaching.settings)

    @router.put(
        "",
        operation_id="set_coach",
        responses=answers(CoachSettings, 400, 413, 422, 503),
        openapi_extra=takes(CoachSettings),
    )
    async def choose(request: Request) -> Response:
        """Let so much pass from now on, in the set in progress, too. It is kept on the box."""
        try:
            choice = msgspec.json.decode(await read_body(request), type=CoachSettings)
        except msgspec.ValidationError as error:
            return problem(422, "request_invalid", str(error))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return problem(400, "request_malformed", str(error))
        coaching.choose(choice)
        return Json(coaching.settings)

    return router
