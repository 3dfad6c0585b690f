"""Who looks at a page: an access token and a refresh token, both in cookies that no script can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from cloud.api import sign_in
from cloud.api.problems import ApiError
from cloud.api.routes.auth import caller
from cloud.api.who import ACCESS_COOKIE, Role, StateOf, Who, who_asks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.responses import Response

    from cloud.api.settings import Settings
    from cloud.api.sign_in import Tokens

REFRESH_COOKIE = "kinebox_refresh"
_DAY_S = 86_400


async def _visitor(request: Request, state: StateOf) -> Who | None:
    """Who is signed in. An access token that has ended is exchanged for the next, unseen."""
    who = who_asks(request)
    token = request.cookies.get(REFRESH_COOKIE)
    if who is None and token:
        try:
            who, tokens = await sign_in.refresh(state, token, caller(request))
            keep(request, tokens)
        except ApiError as error:
            if error.status != 401:
                raise
            keep(request, None)
    request.state.who = who
    return who


Visitor = Annotated[Who | None, Depends(_visitor)]


def _only(*roles: Role) -> Callable[[Who | None], Awaitable[Who]]:
    async def check(who: Visitor) -> Who:
        if who is None:
            raise ApiError(401, "sign_in_needed")
        if who.role not in roles:
            raise ApiError(403, "role_may_not")
        return who

    return check


PageUser = Annotated[Who, Depends(_only("owner", "trainer", "member", "fleet_operator"))]
PageKeeper = Annotated[Who, Depends(_only("owner", "trainer", "member"))]
PageFleet = Annotated[Who, Depends(_only("owner", "fleet_operator"))]


def keep(request: Request, tokens: Tokens | None) -> None:
    """Give the browser these tokens with the answer; None takes those from it that it has."""
    request.state.tokens = tokens


def write(request: Request, response: Response, settings: Settings) -> None:
    """Write into an answer what was to be kept, if anything was."""
    if not hasattr(request.state, "tokens"):
        return
    tokens: Tokens | None = request.state.tokens
    cookies = {ACCESS_COOKIE: ("", 0), REFRESH_COOKIE: ("", 0)}
    if tokens is not None:
        cookies[ACCESS_COOKIE] = (tokens.access_token, tokens.expires_in)
        cookies[REFRESH_COOKIE] = (tokens.refresh_token or "", round(settings.refresh_days * _DAY_S))
    for name, (value, seconds) in cookies.items():
        response.set_cookie(
            name, value, max_age=seconds, secure=settings.secure, httponly=True, samesite="strict"
        )
