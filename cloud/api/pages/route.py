"""Routes of pages: their errors are pages, too, and who is not signed in is asked to."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import psycopg
from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from psycopg_pool import PoolClosed, PoolTimeout
from starlette.responses import RedirectResponse

from cloud.api.pages.cookies import keep, write
from cloud.api.pages.render import page, page_texts
from cloud.api.problems import ApiError
from cloud.api.who import state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from starlette.requests import Request
    from starlette.responses import Response


class _PageRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Answer errors with pages."""
        answer = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                response = await answer(request)
            except ApiError as error:
                response = _refusal(request, error)
            except (RequestValidationError, UnicodeEncodeError, psycopg.DataError):
                response = _refusal(request, ApiError(404, "not_found"))
            except (PoolTimeout, PoolClosed, psycopg.OperationalError):
                response = _refusal(request, ApiError(503, "database_unavailable"))
            write(request, response, state_of(request).settings)
            return response

        return handler


def page_router() -> APIRouter:
    """A router of pages, which the API's description leaves out."""
    return APIRouter(route_class=_PageRoute, include_in_schema=False)


def see(path: str) -> RedirectResponse:
    """Go there with GET."""
    return RedirectResponse(path, 303)


def _refusal(request: Request, error: ApiError) -> Response:
    if error.status == 401:
        keep(request, None)  # a token of a user who is gone would lead back here
        back = request.url.path if request.method == "GET" else "/"
        return see("/sign-in?" + urlencode({"next": back}))
    words = page_texts(request)
    known = error.code if f"error.{error.code}" in words.keys else "other"
    return page(request, "error.html", status=error.status, code=known, headers=error.headers)
