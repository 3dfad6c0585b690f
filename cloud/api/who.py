"""Who asks, and what their role lets them do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, get_args

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer
from pydantic import BaseModel

from cloud.api.problems import ApiError
from cloud.api.state import State

if TYPE_CHECKING:
    from collections.abc import Callable

Role = Literal["owner", "trainer", "member", "fleet_operator", "device"]
UserRole = Literal["owner", "trainer", "member", "fleet_operator"]
ACCESS_COOKIE = "kinebox_access"
_bearer = HTTPBearer(auto_error=False, description="an access token")
_cookie = APIKeyCookie(name=ACCESS_COOKIE, auto_error=False, description="set by the pages")


class Who(BaseModel, frozen=True):
    """A user or a box, of one tenant."""

    tenant_id: int
    role: Role
    name: str
    """The user's number, or the box's UUID."""

    @property
    def user_id(self) -> int | None:
        """The user's number; None for a box."""
        return None if self.role == "device" else int(self.name)


def state_of(request: Request) -> State:
    """What all requests share."""
    state = request.app.state.kinebox
    assert isinstance(state, State)
    return state


def who_asks(request: Request) -> Who | None:
    """Who is signed in, by header or cookie; None for nobody, or a token that is no longer good."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        token = request.cookies.get(ACCESS_COOKIE, "")
    claims = state_of(request).signer.read(token) if token else None
    if claims is None or claims["rol"] not in get_args(Role):
        return None
    return Who(tenant_id=claims["ten"], role=claims["rol"], name=claims["sub"])


def _somebody(request: Request) -> Who:
    who = who_asks(request)
    if who is None:
        raise ApiError(401, "sign_in_needed", "sign in first", {"www-authenticate": "Bearer"})
    return who


def _only(*roles: Role) -> Callable[[Who], Who]:
    def check(who: Annotated[Who, Depends(_somebody)]) -> Who:
        if who.role not in roles:
            raise ApiError(403, "role_may_not", f"this is for {', '.join(roles)}")
        return who

    return check


SECURITY = [Security(_bearer), Security(_cookie)]
"""Dependencies of every router behind the sign-in: they describe it in OpenAPI."""
AnyRole = Annotated[Who, Depends(_somebody)]
AnyUser = Annotated[Who, Depends(_only("owner", "trainer", "member", "fleet_operator"))]
Owner = Annotated[Who, Depends(_only("owner"))]
Keeper = Annotated[Who, Depends(_only("owner", "trainer", "member"))]
"""Who may see people and dogs: which ones, access.py says."""
Coach = Annotated[Who, Depends(_only("owner", "trainer"))]
Fleet = Annotated[Who, Depends(_only("owner", "fleet_operator"))]
Recorder = Annotated[Who, Depends(_only("device", "owner", "trainer"))]
Device = Annotated[Who, Depends(_only("device"))]
StateOf = Annotated[State, Depends(state_of)]
