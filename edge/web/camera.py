"""How the camera stands, and what its owner says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from msgspec.structs import replace
from starlette.responses import Response

from edge.web.answers import Json, read_record
from edge.web.openapi import answers, takes
from edge.web.problems import problem
from edge.web.records import CameraChoice, CameraStand, ZoneChoice
from edge.zones import flat

if TYPE_CHECKING:
    from edge.web.live import LiveState

_MAX_ZONES_BODY = 48 * 1024
"""Bytes: seventeen zones of 32 corners, each written with all its digits."""


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
        state.setup.choose(replace(state.setup.settings, height_m=choice.height_m, field=choice.field))
        return Json(_stand(state))

    @router.put(
        "/zones",
        operation_id="set_zones",
        responses=answers(CameraStand, 400, 413, 422, 503),
        openapi_extra=takes(ZoneChoice),
    )
    async def draw(request: Request) -> Response:
        """Follow nobody in `zones`, and count only who stands in `station`, from now on.

        It is kept on the box. A session of somebody who is not counted any more ends. `zone_flat`: the corners of a
        zone lie in a line or in a point.
        """
        choice = await read_record(request, ZoneChoice, _MAX_ZONES_BODY)
        if isinstance(choice, Response):
            return choice
        drawn = [*choice.zones, *([] if choice.station is None else [choice.station])]
        if any(map(flat, drawn)):
            return problem(422, "zone_flat", "The corners of a zone lie in a line or in a point")
        state.setup.choose(replace(state.setup.settings, zones=choice.zones, station=choice.station))
        return Json(_stand(state))

    return router


def _stand(state: LiveState) -> CameraStand:
    setup = state.setup
    return CameraStand(
        camera=state.camera.camera,
        height_m=setup.settings.height_m,
        field=setup.settings.field,
        zones=setup.settings.zones,
        station=setup.settings.station,
        calibration=setup.keeper.status(),
    )
