"""Errors as the API tells them: application/problem+json (RFC 9457) with a code for programs."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from fastapi.exceptions import RequestValidationError
from msgspec import UNSET, UnsetType
from starlette.exceptions import HTTPException
from starlette.responses import Response

from edge.errors import StoreError
from edge.store import SessionRunningError, UnknownMetricError, UnknownSessionError
from edge.web.records import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI
    from starlette.requests import Request

    from edge.coach.faults import Fault

MEDIA_TYPE = "application/problem+json"

_HTTP_CODES = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}
_STORE_ERRORS: dict[type[StoreError], tuple[int, str]] = {
    UnknownSessionError: (404, "session_unknown"),
    UnknownMetricError: (422, "metric_unknown"),
    SessionRunningError: (409, "session_running"),
    StoreError: (503, "store_failing"),
}


def problem(
    status: int,
    code: str,
    detail: str = "",
    headers: Mapping[str, str] | None = None,
    line: int | UnsetType = UNSET,
    fault: Fault | UnsetType = UNSET,
) -> Response:
    """The response that tells of an error; `line`: of the body that was sent, `fault`: what is wrong there."""
    title = HTTPStatus(status).phrase
    body = Problem(title=title, status=status, code=code, detail=detail, line=line, fault=fault)
    return Response(msgspec.json.encode(body), status, headers, media_type=MEDIA_TYPE)


def add_problem_handlers(app: FastAPI, headers: Mapping[str, str]) -> None:
    """Answer every error with a problem. `headers` are for the one that is sent outside all middleware."""

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> Response:
        code = _HTTP_CODES.get(error.status_code, "http_error")
        return problem(error.status_code, code, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def _request(_: Request, error: RequestValidationError) -> Response:
        faults = [f"{'.'.join(map(str, fault['loc'][1:]))}: {fault['msg']}" for fault in error.errors()]
        return problem(422, "request_invalid", "; ".join(faults))

    @app.exception_handler(StoreError)
    async def _store(_: Request, error: StoreError) -> Response:
        status, code = _STORE_ERRORS.get(type(error), _STORE_ERRORS[StoreError])
        return problem(status, code, str(error))

    @app.exception_handler(Exception)
    async def _fault(_: Request, __: Exception) -> Response:
        return problem(500, "internal_server_error", headers=headers)
