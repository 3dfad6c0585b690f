"""/sign-in, /accept, /sign-out, and / which leads to what a role looks at first."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Form, Query, Request, Response

from cloud.api import sign_in
from cloud.api.pages.cookies import REFRESH_COOKIE, PageUser, Visitor, keep
from cloud.api.pages.render import page
from cloud.api.pages.route import page_router, see
from cloud.api.problems import ApiError
from cloud.api.routes.auth import caller
from cloud.api.secrets import PASSWORD_LENGTH
from cloud.api.who import Role, StateOf

router = page_router()
HOME: dict[Role, str] = {
    "owner": "/people", "trainer": "/people", "member": "/dogs", "fleet_operator": "/fleet"
}  # fmt: skip
_OWN_PATH = re.compile(r"/[a-z0-9-]+(/[a-z0-9-]+)*")
_Text = Annotated[str, Form(max_length=400)]


def _own_path(path: str) -> str:
    """A path of ours: whoever made the link may not send people elsewhere."""
    return path if _OWN_PATH.fullmatch(path) else "/"


@router.get("/")
async def home(who: PageUser) -> Response:
    """What one's role looks at first."""
    return see(HOME[who.role])


@router.get("/sign-in")
async def ask(
    request: Request, who: Visitor, back: Annotated[str, Query(alias="next", max_length=200)] = "/"
) -> Response:
    """Ask for address and password."""
    if who is not None:
        return see(_own_path(back))
    return page(request, "sign_in.html", back=_own_path(back), email="", refused=None)


@router.post("/sign-in")
async def enter(
    request: Request,
    state: StateOf,
    email: _Text,
    password: _Text,
    back: Annotated[str, Form(alias="next", max_length=200)] = "/",
) -> Response:
    """Sign in."""
    try:
        tokens = await sign_in.sign_in(state, email, password, caller(request))
    except ApiError as error:
        if error.status not in (401, 429):
            raise
        return page(
            request, "sign_in.html", status=error.status, headers=error.headers,
            back=_own_path(back), email=email, refused=error.code,
        )  # fmt: skip
    keep(request, tokens)
    return see(_own_path(back))


@router.get("/accept")
async def invited(request: Request) -> Response:
    """Ask for a password. The link's token stands behind its #, so only the browser knows it."""
    return page(request, "accept.html", refused=None, token="", shortest=PASSWORD_LENGTH)


@router.post("/accept")
async def accept(request: Request, state: StateOf, token: _Text, password: _Text) -> Response:
    """Accept an invitation."""

    def again(status: int, code: str) -> Response:
        return page(
            request, "accept.html", status=status, refused=code, token=token, shortest=PASSWORD_LENGTH
        )

    if len(password) < PASSWORD_LENGTH:
        return again(422, "password_short")
    try:
        tokens = await sign_in.accept_invitation(state, token.strip(), password, caller(request))
    except ApiError as error:
        return again(error.status, error.code)
    keep(request, tokens)
    return see("/")


@router.post("/sign-out")
async def leave(request: Request, state: StateOf) -> Response:
    """Sign out here; the refresh token ends everywhere."""
    token = request.cookies.get(REFRESH_COOKIE)
    if token:
        try:
            await sign_in.sign_out(state, token)
        except ApiError as error:
            if error.status != 401:
                raise
    keep(request, None)
    return see("/sign-in")
