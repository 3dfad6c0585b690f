"""Errors as the API tells them: application/problem+json (RFC 9457) with a code for programs."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

import psycopg
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg_pool import PoolClosed, PoolTimeout
from pydantic import BaseModel
from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
RETRY_S = 5
_HTTP_CODES = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}


class Problem(BaseModel):
    """What went wrong."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    """For programs; does not change with the wording."""
    detail: str = ""


class ApiError(Exception):
    """A refusal with a code; becomes a Problem."""

    def __init__(
        self, status: int, code: str, detail: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail or code)
        self.status, self.code, self.detail, self.headers = status, code, detail, headers


def problem(status: int, code: str, detail: str = "", headers: Mapping[str, str] | None = None) -> Response:
    """The response that tells of an error."""
    body = Problem(title=HTTPStatus(status).phrase, status=status, code=code, detail=detail)
    return JSONResponse(body.model_dump(), status, headers, MEDIA_TYPE)


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error with a problem."""

    @app.exception_handler(ApiError)
    async def _api(_: Request, error: ApiError) -> Response:
        return problem(error.status, error.code, error.detail, error.headers)

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> Response:
        code = _HTTP_CODES.get(error.status_code, "http_error")
        return problem(error.status_code, code, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def _request(_: Request, error: RequestValidationError) -> Response:
        faults = [f"{'.'.join(map(str, fault['loc'][1:]))}: {fault['msg']}" for fault in error.errors()]
        return problem(422, "request_invalid", "; ".join(faults)[:2000])

    @app.exception_handler(UnicodeEncodeError)
    @app.exception_handler(psycopg.DataError)
    async def _data(_: Request, __: Exception) -> Response:
        # Texts with NUL or half a surrogate: JSON allows them, the database does not.
        return problem(422, "request_invalid", "a value that cannot be stored")

    @app.exception_handler(psycopg.errors.ForeignKeyViolation)
    async def _removed(_: Request, error: psycopg.errors.ForeignKeyViolation) -> Response:
        # Access tokens are good for minutes after a user was removed; columns such as given_by name who asks.
        if (error.diag.constraint_name or "").endswith("_by_fkey"):
            return problem(401, "sign_in_needed", "this user was removed", {"www-authenticate": "Bearer"})
        return problem(409, "removed_meanwhile", "something that this names was removed meanwhile")

    @app.exception_handler(PoolTimeout)
    @app.exception_handler(PoolClosed)
    @app.exception_handler(psycopg.OperationalError)
    async def _database(_: Request, error: Exception) -> Response:
        log.warning("the database does not answer: %s", error)
        return problem(503, "database_unavailable", "try again", {"retry-after": str(RETRY_S)})

    @app.exception_handler(Exception)
    async def _fault(_: Request, error: Exception) -> Response:
        log.error("a fault of ours", exc_info=error)
        return problem(500, "internal_server_error")
