"""How the coach judges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.responses import Response

from edge.coach_setup import CoachSettings
from edge.web.answers import Json, read_record
from edge.web.openapi import answers, takes

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
        choice = await read_record(request, CoachSettings)
        if isinstance(choice, Response):
            return choice
        coaching.choose(choice)
        return Json(coaching.settings)

    return router
