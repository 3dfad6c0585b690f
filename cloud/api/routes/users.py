"""/api/users and /api/me: who may sign in to a tenant."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from cloud.api.database import Db
from cloud.api.invitations import GOOD_FOR, invite, link
from cloud.api.problems import ApiError
from cloud.api.secrets import PASSWORD_LENGTH, hash_password, is_password
from cloud.api.who import SECURITY, AnyUser, Owner, StateOf, UserRole

router = APIRouter(prefix="/api", tags=["users"], dependencies=SECURITY)
UserNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]


class User(BaseModel):
    """Somebody who may sign in."""

    id: int
    email: str
    role: UserRole
    created: datetime


class NewUser(BaseModel):
    """Whom to invite, and as what."""

    email: str = Field(max_length=320)
    role: UserRole


class Invitation(BaseModel):
    """What whoever is invited needs."""

    link: str
    good_for_hours: float


class PasswordChange(BaseModel):
    """The old password and the new one."""

    old: str = Field(max_length=200)
    new: str = Field(min_length=PASSWORD_LENGTH, max_length=200)


@router.get("/me")
async def me(state: StateOf, who: AnyUser) -> User:
    """Who is signed in."""
    async with state.database.tenant(who.tenant_id) as db:
        row = await (
            await db.execute("select id, email, role, created from users where id = %s", (who.user_id,))
        ).fetchone()
    if row is None:
        raise ApiError(401, "sign_in_needed", "this user was removed")
    return User(**row)


@router.put("/me/password", status_code=204)
async def change_password(state: StateOf, who: AnyUser, change: PasswordChange) -> None:
    """Choose another password; everyone who is signed in as this user has to sign in again."""
    async with state.database.tenant(who.tenant_id) as db:
        row = await (
            await db.execute("select password_hash from users where id = %s", (who.user_id,))
        ).fetchone()
    if not await is_password(change.old, row["password_hash"] if row else None):
        raise ApiError(403, "wrong_credentials", "the old password is wrong")
    hashed = await hash_password(change.new)
    async with state.database.tenant(who.tenant_id) as db:
        await db.execute("update users set password_hash = %s where id = %s", (hashed, who.user_id))
        await db.execute("delete from refresh_tokens where user_id = %s", (who.user_id,))


@router.delete("/me", status_code=204)
async def leave(state: StateOf, who: AnyUser) -> None:
    """Remove one's own sign-in. People and dogs stay until consent is withdrawn."""
    async with state.database.tenant(who.tenant_id) as db:
        await _remove(db, who.user_id)


@router.get("/users")
async def users(state: StateOf, who: Owner) -> list[User]:
    """Everyone who may sign in."""
    async with state.database.tenant(who.tenant_id) as db:
        rows = await db.execute("select id, email, role, created from users order by email")
        return [User(**row) async for row in rows]


@router.post("/users", status_code=201)
async def invite_user(state: StateOf, who: Owner, new: NewUser) -> Invitation:
    """Invite somebody. The link is shown once: send it to them."""
    async with state.database.tenant(who.tenant_id) as db:
        token = await invite(db, who.tenant_id, new.email, new.role)
    return Invitation(
        link=link(str(state.settings.public_url), token), good_for_hours=GOOD_FOR.total_seconds() / 3600
    )


@router.delete("/users/{user_id}", status_code=204)
async def remove(state: StateOf, who: Owner, user_id: UserNumber) -> None:
    """Remove somebody's sign-in: within minutes their tokens end, too."""
    async with state.database.tenant(who.tenant_id) as db:
        await _remove(db, user_id)


async def _remove(db: Db, user_id: int | None) -> None:
    """A tenant keeps one owner at least: nobody else could invite the next."""
    await db.execute("select id from users where role = 'owner' order by id for update")
    row = await (
        await db.execute(
            """select role = 'owner' and (select count(*) from users where role = 'owner') = 1 as last
               from users where id = %s""",
            (user_id,),
        )
    ).fetchone()
    if row is None:
        raise ApiError(404, "not_found", "no such user")
    if row["last"]:
        raise ApiError(409, "last_owner", "invite another owner first")
    await db.execute("delete from users where id = %s", (user_id,))
