"""/account: address, language and password of who is signed in."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Request, Response

from cloud.api.pages.cookies import PageUser, keep
from cloud.api.pages.render import page
from cloud.api.pages.route import page_router, see
from cloud.api.problems import ApiError
from cloud.api.routes.users import PasswordChange, User, change_password, me
from cloud.api.secrets import PASSWORD_LENGTH
from cloud.api.who import StateOf

router = page_router()
_Text = Annotated[str, Form(max_length=200)]


@router.get("/account")
async def account(request: Request, state: StateOf, who: PageUser) -> Response:
    """Show it."""
    return _show(request, await me(state, who))


@router.post("/account/password")
async def password(request: Request, state: StateOf, who: PageUser, old: _Text, new: _Text) -> Response:
    """Choose another password; one signs in anew with it."""
    user = await me(state, who)
    if len(new) < PASSWORD_LENGTH:
        return _show(request, user, "password_short", 422)
    try:
        await change_password(state, who, PasswordChange(old=old, new=new))
    except ApiError as error:
        if error.code != "wrong_credentials":
            raise
        return _show(request, user, "old_password_wrong", 403)
    keep(request, None)
    return see("/sign-in")


def _show(request: Request, user: User, refused: str | None = None, status: int = 200) -> Response:
    return page(request, "account.html", status=status, user=user, refused=refused, shortest=PASSWORD_LENGTH)
