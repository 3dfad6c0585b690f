"""The HTTP API of the dashboard."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response, StreamingResponse

from edge.errors import ConfigError
from edge.store import ExportFormat, Samples, Session, export_sessions
from edge.web.answers import Json, read_record
from edge.web.openapi import answers, takes
from edge.web.problems import problem
from edge.web.records import ExerciseChoice, Health, SessionList, Skeleton, Status
from wire.metrics import Metric, metrics

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from edge.store import Store
    from edge.web.live import LiveState

MAX_SESSIONS = 500
IN_MEMORY = 4 * 1024 * 1024
"""An export larger than this goes through a temporary file."""
MEDIA_TYPES = {
    "csv": ("application/zip", "zip"),
    "json": ("application/json", "json"),
    "mot": ("application/zip", "zip"),
}

SessionId = Annotated[UUID, Path(description="A session's id")]
Limit = Annotated[int, Query(ge=1, le=MAX_SESSIONS, description="Sessions on a page")]
Before = Annotated[
    UUID | datetime | None,
    Query(description="`next` of the page before, or a time (ISO 8601; UTC unless it says otherwise)"),
]
Keys = Annotated[str | None, Query(description="Metric keys, separated by commas; all of them where absent")]
Format = Annotated[
    ExportFormat,
    Query(description="csv: a ZIP archive of six tables; json: one document; mot: angles for OpenSim"),
]


def system_routes(state: LiveState, store: Store) -> APIRouter:
    """Health and figures, for monitoring."""
    router = APIRouter(tags=["system"])

    @router.get(
        "/healthz",
        operation_id="get_health",
        response_class=Json,
        responses=answers(Health) | answers(Health, status=503, description="It does not"),
    )
    async def health() -> Response:
        """Whether the box measures and keeps what it measures; 503, with the same body, when it does not."""
        now = state.health(store_ok=store.problem is None)
        return Json(now, 200 if now.status == "ok" else 503)

    @router.get(
        "/metrics",
        operation_id="get_prometheus_metrics",
        response_class=Response,
        responses=answers(str, media_type="text/plain"),
    )
    async def prometheus() -> Response:
        """Figures in Prometheus's text format."""
        return Response(state.metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return router


def live_routes(state: LiveState, store: Store) -> APIRouter:
    """What the box is and does now."""
    router = APIRouter(prefix="/api/v1", tags=["live"], default_response_class=Json)

    @router.get("/status", operation_id="get_status", responses=answers(Status))
    async def status() -> Response:
        """The camera, the model and the exercise."""
        return Json(state.status(store_ok=store.problem is None))

    @router.put(
        "/exercise",
        operation_id="choose_exercise",
        responses=answers(ExerciseChoice, 400, 413, 422),
        openapi_extra=takes(ExerciseChoice),
    )
    async def choose(request: Request) -> Response:
        """Count this exercise from now on; with `auto`, the one that is recognised."""
        choice = await read_record(request, ExerciseChoice)
        if isinstance(choice, Response):
            return choice
        try:
            state.choose(choice.exercise)
        except ConfigError as error:
            return problem(422, "exercise_unknown", str(error))
        return Json(choice)

    @router.get("/metrics", operation_id="list_metrics", responses=answers(list[Metric]))
    async def catalogue() -> Response:
        """What can be measured, with units and ranges."""
        return Json(list(metrics().values()))

    @router.get("/skeletons", operation_id="list_skeletons", responses=answers(dict[str, Skeleton]))
    async def skeletons() -> Response:
        """How keypoints are named and joined, by the skeleton's name."""
        return Json(state.skeletons)

    return router


def session_routes(store: Store) -> APIRouter:
    """What was recorded. These routes read the disk, in a worker thread."""
    router = APIRouter(prefix="/api/v1/sessions", tags=["sessions"], default_response_class=Json)

    @router.get("", operation_id="list_sessions", responses=answers(SessionList, 422, 503))
    def sessions(limit: Limit = 50, before: Before = None) -> Response:
        """The newest sessions, without their sets."""
        cursor = str(before) if isinstance(before, UUID) else _timestamp(before)
        page = store.sessions(limit + 1, cursor)
        following = page[limit - 1].id if len(page) > limit else None
        return Json(SessionList(sessions=page[:limit], next=following))

    @router.get("/{session_id}", operation_id="get_session", responses=answers(Session, 404, 422, 503))
    def session(session_id: SessionId) -> Response:
        """One session with its sets, repetitions and measurements."""
        return Json(store.session(str(session_id)))

    @router.delete(
        "/{session_id}",
        operation_id="delete_session",
        status_code=204,
        response_class=Response,
        responses=answers(None, 404, 409, 422, 503, status=204),
    )
    def delete(session_id: SessionId) -> Response:
        """Delete a session for good. One that is still being recorded cannot be deleted (409)."""
        store.delete_session(str(session_id))
        return Response(status_code=204)

    @router.get(
        "/{session_id}/samples", operation_id="get_samples", responses=answers(Samples, 404, 422, 503)
    )
    def samples(session_id: SessionId, keys: Keys = None) -> Response:
        """Metrics over time, as columns: a value is null where the metric could not be measured."""
        return Json(store.samples(str(session_id), None if keys is None else keys.split(",")))

    @router.get(
        "/{session_id}/export",
        operation_id="export_session",
        response_class=Response,
        responses=answers(None, 404, 422, 503)
        | {200: {"description": "A file", "content": {kind: {} for kind, _ in MEDIA_TYPES.values()}}},
    )
    def export(session_id: SessionId, format: Format = "csv") -> Response:  # noqa: A002
        """A file to download with everything about the session."""
        # Closed by the response when it has been sent, or when the browser goes away.
        file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
        try:
            export_sessions(store, file, format, session_ids=[str(session_id)])
            name = _file_name(store.session(str(session_id)))
        except BaseException:
            file.close()
            raise
        media_type, suffix = MEDIA_TYPES[format]
        return StreamingResponse(
            _chunks(file),
            media_type=media_type,
            headers={
                "cache-control": "no-store",
                "content-disposition": f'attachment; filename="{name}.{suffix}"',
                "content-length": str(file.tell()),
            },
        )

    return router


def _timestamp(time: datetime | None) -> float | None:
    if time is None:
        return None
    return (time if time.tzinfo is not None else time.replace(tzinfo=UTC)).timestamp()


def _file_name(session: Session) -> str:
    began = f"{session.started:%Y-%m-%d-%H%M}-" if session.started is not None else ""
    return f"kinebox-{began}{session.id[:8]}"


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while chunk := file.read(64 * 1024):
            yield chunk
