"""/api/auth: signing in and out."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from cloud.api import sign_in
from cloud.api.secrets import PASSWORD_LENGTH
from cloud.api.sign_in import Tokens
from cloud.api.who import StateOf

router = APIRouter(prefix="/api/auth", tags=["signing in"])
Email = Annotated[str, Field(max_length=320)]
Password = Annotated[str, Field(max_length=200)]
Token = Annotated[str, Field(max_length=200)]


class Credentials(BaseModel):
    """Who one is, and what only they know."""

    email: Email
    password: Password


class DeviceCredentials(BaseModel):
    """A box and its secret."""

    device: UUID
    secret: Token


class RefreshToken(BaseModel):
    """A refresh token."""

    refresh_token: Token


class Acceptance(BaseModel):
    """The token of an invitation's link, and a password."""

    token: Token
    password: str = Field(min_length=PASSWORD_LENGTH, max_length=200)


def caller(request: Request) -> str:
    """The address that asks, for limits."""
    return request.client.host if request.client else "unknown"


@router.post("/token")
async def sign_in_user(request: Request, state: StateOf, who: Credentials) -> Tokens:
    """Sign in with address and password."""
    return await sign_in.sign_in(state, who.email, who.password, caller(request))


@router.post("/device")
async def sign_in_device(request: Request, state: StateOf, who: DeviceCredentials) -> Tokens:
    """Sign a box in with its secret."""
    return await sign_in.sign_in_device(state, who.device, who.secret, caller(request))


@router.post("/refresh")
async def refresh(request: Request, state: StateOf, token: RefreshToken) -> Tokens:
    """Exchange a refresh token for the next tokens. One that was used before ends all that came from it."""
    _, tokens = await sign_in.refresh(state, token.refresh_token, caller(request))
    return tokens


@router.post("/sign-out", status_code=204)
async def sign_out(state: StateOf, token: RefreshToken) -> None:
    """End what a refresh token could still do. Access tokens end by themselves within minutes."""
    await sign_in.sign_out(state, token.refresh_token)


@router.post("/accept", status_code=201)
async def accept(request: Request, state: StateOf, acceptance: Acceptance) -> Tokens:
    """Accept an invitation by choosing a password."""
    return await sign_in.accept_invitation(state, acceptance.token, acceptance.password, caller(request))
