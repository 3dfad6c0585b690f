"""How the camera stands, and what its owner says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.responses import Response

from edge.calibration import CameraSettings
from edge.web.answers import Json, read_record
from edge.web.openapi import answers, takes
from edge.web.records import CameraChoice, CameraStand

if TYPE_CHECKING:
    from edge.web.live import LiveState


def camera_routes(state: LiveState) -> APIRouter:
    """What a page of settings needs."""
    router = APIRouter(prefix="/api/v1/camera", tags=["camera"], default_response_class=Json)

    @router.get("", operation_id="get_camera", responses=answers(CameraStand))
    async def camera() -> Response:
        """How the camera stands as far as it is known, and what its owner said of it."""
        return Json(_stand(state))

    @router.put(
        "",
        operation_id="set_camera",
        responses=answers(CameraStand, 400, 413, 422, 503),
        openapi_extra=takes(CameraChoice),
    )
    async def choose(request: Request) -> Response:
        """Measure by this body height and field of view whoever is seen from now on.

        It is kept on the box and goes before its config.toml. Another field of view reads the marker anew, and
        forgets what walks have shown.
        """
        choice = await read_record(request, CameraChoice)
        if isinstance(choice, Response):
            return choice
        state.setup.choose(CameraSettings(height_m=choice.height_m, field=choice.field))
        return Json(_stand(state))

    return router


def _stand(state: LiveState) -> CameraStand:
    setup = state.setup
    return CameraStand(
        camera=state.camera.camera,
        height_m=setup.settings.height_m,
        field=setup.settings.field,
        calibration=setup.keeper.status(),
    )
