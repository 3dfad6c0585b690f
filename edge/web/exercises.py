"""The exercises that are counted, and the owner's own: one TOML text each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from edge.coach.library import LARGEST, BadRowError, Refused, parse
from edge.errors import ConfigError
from edge.web.answers import Json, read_body
from edge.web.openapi import answers, takes_text
from edge.web.problems import problem
from edge.web.records import ExerciseInfo

if TYPE_CHECKING:
    from edge.coach.exercise import Exercise
    from edge.coach_setup import CoachSetup

ExerciseId = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{1,39}$", description="An exercise's id")]


def exercise_routes(coaching: CoachSetup) -> APIRouter:
    """What the page of exercises needs."""
    router = APIRouter(prefix="/api/v1/exercises", tags=["exercises"], default_response_class=Json)
    one_at_a_time = asyncio.Lock()

    async def write(text: bytes, *, replace: bool, status: int) -> Response:
        try:
            row, found = await asyncio.to_thread(coaching.save, text.decode(), replace=replace)
        except BadRowError as error:
            return _refusal(error)
        except ConfigError as error:
            return problem(503, "store_failing", str(error))
        coaching.take(found, row.id)
        return Json(_info(row, coaching), status)

    @router.get("", operation_id="list_exercises", responses=answers(list[ExerciseInfo]))
    async def exercises() -> Response:
        """The exercises the coach knows."""
        return Json([_info(row, coaching) for row in coaching.library.rows.values()])

    @router.get("/refused", operation_id="list_refused_exercises", responses=answers(list[Refused]))
    async def refused() -> Response:
        """Files in the folders of exercises that are none, and in which line they are not."""
        return Json(coaching.library.refused)

    @router.get(
        "/{exercise_id}/source",
        operation_id="get_exercise_source",
        response_class=Response,
        responses=answers(str, 404, 422, media_type="text/plain"),
    )
    async def source(exercise_id: ExerciseId) -> Response:
        """What an exercise is written as, in TOML: to be changed, or as an example."""
        try:
            text = await asyncio.to_thread(coaching.source, exercise_id)
        except (KeyError, OSError):
            return problem(404, "exercise_unknown")
        return Response(text, media_type="text/plain", headers={"cache-control": "no-store"})

    @router.post(
        "",
        operation_id="add_exercise",
        status_code=201,
        responses=answers(ExerciseInfo, 413, 422, 503, status=201),
        openapi_extra=takes_text(),
    )
    async def add(request: Request) -> Response:
        """Add an exercise of one's own, written in TOML. It is counted from now on."""
        text = await read_body(request, LARGEST)
        async with one_at_a_time:
            row = _parsed(text)
            if isinstance(row, Response):
                return row
            if row.id in coaching.library.rows:
                return problem(422, "exercise_taken", f"there is an exercise {row.id} already", line=0)
            return await write(text, replace=False, status=201)

    @router.put(
        "/{exercise_id}",
        operation_id="change_exercise",
        responses=answers(ExerciseInfo, 404, 409, 413, 422, 503),
        openapi_extra=takes_text(),
    )
    async def change(exercise_id: ExerciseId, request: Request) -> Response:
        """Write an added exercise anew. The box's own, and those in other folders, stay as they are (409)."""
        text = await read_body(request, LARGEST)
        async with one_at_a_time:
            if (refusal := _fixed(exercise_id, coaching)) is not None:
                return refusal
            row = _parsed(text)
            if isinstance(row, Response):
                return row
            if row.id != exercise_id:
                return problem(422, "exercise_renamed", f"the row is called {row.id}", line=0)
            return await write(text, replace=True, status=200)

    @router.delete(
        "/{exercise_id}",
        operation_id="delete_exercise",
        status_code=204,
        response_class=Response,
        responses=answers(None, 404, 409, 422, 503, status=204),
    )
    async def delete(exercise_id: ExerciseId) -> Response:
        """Take an added exercise away. What was recorded of it stays, under its id."""
        async with one_at_a_time:
            if (refusal := _fixed(exercise_id, coaching)) is not None:
                return refusal
            try:
                found = await asyncio.to_thread(coaching.remove, exercise_id)
            except ConfigError as error:
                return problem(503, "store_failing", str(error))
            coaching.take(found, exercise_id)
        return Response(status_code=204)

    return router


def _parsed(text: bytes) -> Exercise | Response:
    """The row that `text` spells, or what is wrong with it."""
    try:
        return parse(text, "")
    except BadRowError as error:
        return _refusal(error)


def _refusal(error: BadRowError) -> Response:
    refused = error.refused
    return problem(422, "exercise_invalid", refused.reason, line=refused.line, fault=refused.fault)


def _fixed(exercise_id: str, coaching: CoachSetup) -> Response | None:
    """Why the exercise cannot be changed here; None where it can."""
    if exercise_id not in coaching.library.rows:
        return problem(404, "exercise_unknown")
    return None if coaching.origin(exercise_id) == "added" else problem(409, "exercise_fixed")


def _info(row: Exercise, coaching: CoachSetup) -> ExerciseInfo:
    return ExerciseInfo(
        id=row.id,
        name=row.name,
        view=row.view,
        kind=row.kind,
        out=row.out,
        species=row.species,
        camera=row.camera,
        sides=row.sides,
        auto=row.auto,
        muscles=row.muscles,
        origin=coaching.origin(row.id),
    )
