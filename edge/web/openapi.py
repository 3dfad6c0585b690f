"""The description of the API: its schemas are made from the very structs that are sent."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from fastapi.openapi.utils import get_openapi

from edge import __version__
from edge.coach.library import Refused
from edge.coach_setup import CoachSettings
from edge.store.records import Samples, Session
from edge.web import messages
from edge.web.problems import MEDIA_TYPE
from edge.web.records import (
    CameraChoice,
    CameraStand,
    ExerciseChoice,
    ExerciseInfo,
    Health,
    Problem,
    SessionList,
    Skeleton,
    Status,
    ZoneChoice,
)
from wire.metrics import Metric

if TYPE_CHECKING:
    from fastapi import FastAPI

REF = "#/components/schemas/{name}"
GUARD = (401, 403, 421, 429)
"""With these the guard refuses whatever is asked."""
RECORDS = (
    Status,
    Health,
    ExerciseInfo,
    ExerciseChoice,
    Refused,
    CoachSettings,
    CameraStand,
    CameraChoice,
    ZoneChoice,
    Metric,
    Skeleton,
    SessionList,
    Session,
    Samples,
    Problem,
    messages.Hello,
    messages.Frame,
    messages.Camera,
    messages.Event,
    messages.Ping,
    messages.Pong,
)
DESCRIPTION = """What the box measures, as JSON. Everything stays on the box.

`/api/v1/live` is a WebSocket. It sends `Hello`, the camera's state as `Camera`, then `Frame`, `Camera` and
`Event` as they come; to a `Ping` it answers with a `Pong`. A browser that is slow misses frames, never events.

Errors are `Problem` (RFC 9457). Beyond loopback each request needs the access token, as the cookie that the
printed link sets or as `Authorization: Bearer`."""


def describe(app: FastAPI) -> None:
    """Let `app` describe itself with our schemas."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = get_openapi(
                title="Kinebox", version=__version__, description=DESCRIPTION, routes=app.routes
            )
            _, schemas = msgspec.json.schema_components(RECORDS, ref_template=REF)
            app.openapi_schema.setdefault("components", {})["schemas"] = schemas
            for operations in app.openapi_schema["paths"].values():
                for operation in operations.values():
                    operation["responses"] |= {str(status): _refusal(status) for status in GUARD}
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def answers(
    record: Any,
    *errors: int,
    status: int = 200,
    media_type: str = "application/json",
    description: str = "As asked for",
) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that answers with `record`: a struct, a list or dict of them, or None."""
    described: dict[int | str, dict[str, Any]] = {status: {"description": description}}
    if record is not None:
        (schema,), _ = msgspec.json.schema_components([record], ref_template=REF)
        described[status]["content"] = {media_type: {"schema": schema}}
    return described | {error: _refusal(error) for error in errors}


def takes(record: type[msgspec.Struct]) -> dict[str, Any]:
    """The `openapi_extra` of a route that takes a `record` of `RECORDS` as its body."""
    schema = {"$ref": REF.format(name=record.__name__)}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def takes_text() -> dict[str, Any]:
    """The `openapi_extra` of a route that takes text as its body."""
    return {"requestBody": {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}}}


def _refusal(status: int) -> dict[str, Any]:
    content = {MEDIA_TYPE: {"schema": {"$ref": REF.format(name="Problem")}}}
    return {"description": HTTPStatus(status).phrase, "content": content}
