"""Signing in: passwords against users, refresh tokens that are good once, secrets of boxes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from pydantic import BaseModel, Field

from cloud.api.limits import ONE_TIME, SIGN_IN
from cloud.api.problems import ApiError
from cloud.api.secrets import digest, hash_password, is_password, new_token
from cloud.api.who import Who

if TYPE_CHECKING:
    from cloud.api.database import Db
    from cloud.api.state import State

GRACE = timedelta(seconds=30)
"""Two requests of one page may refresh with the same token; later use of it is theft."""


class Tokens(BaseModel):
    """What a program sends along (`Authorization: Bearer …`), and what it gets the next with."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 (the name of the scheme)
    expires_in: int = Field(description="seconds")
    refresh_token: str | None = Field(default=None, description="good once; boxes have none")


async def sign_in(state: State, email: str, password: str, caller: str) -> Tokens:
    """Tokens for a user. Raises ApiError 401, 429."""
    email = email.strip().lower()
    await state.limiter.count(SIGN_IN, "sign-in", "from", caller)
    await state.limiter.count(SIGN_IN, "sign-in", "as", email[:320])
    async with state.database.nobody() as db:
        tenant_id = await _one(db, "select tenant_of_user(%s) as value", email)
    user = None
    if tenant_id is not None:
        async with state.database.tenant(tenant_id) as db:
            cursor = await db.execute("select id, role, password_hash from users where email = %s", (email,))
            user = await cursor.fetchone()
    good = await is_password(password, user["password_hash"] if user else None)
    if not good or user is None or tenant_id is None:
        raise ApiError(401, "wrong_credentials", "address or password is wrong")
    who = Who(tenant_id=tenant_id, role=user["role"], name=str(user["id"]))
    async with state.database.tenant(tenant_id) as db:
        return await _tokens(state, db, who, uuid4())


async def sign_in_device(state: State, device: UUID, secret: str, caller: str) -> Tokens:
    """An access token for a box. Raises ApiError 401, 429."""
    await state.limiter.count(ONE_TIME, "device", caller)
    async with state.database.nobody() as db:
        tenant_id = await _one(db, "select tenant_of_device(%s) as value", device)
    found = None
    if tenant_id is not None:
        async with state.database.tenant(tenant_id) as db:
            found = await _one(
                db,
                "select id as value from devices where device = %s and secret_digest = %s and retired is null",
                device,
                digest(secret),
            )
    if tenant_id is None or found is None:
        raise ApiError(401, "wrong_credentials", "device or secret is wrong")
    who = Who(tenant_id=tenant_id, role="device", name=str(device))
    return Tokens(access_token=state.signer.sign(who), expires_in=int(state.signer.lifetime_s))


async def refresh(state: State, token: str, caller: str) -> tuple[Who, Tokens]:
    """The next tokens for a refresh token, and whose they are. Raises ApiError 401, 429."""
    await state.limiter.count(ONE_TIME, "refresh", caller)
    refusal = ApiError(401, "token_not_good", "sign in again")
    async with state.database.tenant(_tenant_of(token, refusal)) as db:
        cursor = await db.execute(
            """select r.family, r.used < now() - %s as reused, u.id, u.role, u.tenant_id
               from refresh_tokens r join users u on u.id = r.user_id
               where r.digest = %s and r.expires > now() for update of r""",
            (GRACE, digest(token)),
        )
        row = await cursor.fetchone()
        if row is not None and not row["reused"]:
            await db.execute(
                "update refresh_tokens set used = coalesce(used, now()) where digest = %s", (digest(token),)
            )
            who = Who(tenant_id=row["tenant_id"], role=row["role"], name=str(row["id"]))
            return who, await _tokens(state, db, who, row["family"])
        if row is not None:
            await db.execute("delete from refresh_tokens where family = %s", (row["family"],))
    raise refusal


async def sign_out(state: State, token: str) -> None:
    """End the family of a refresh token; says nothing about whether there was one."""
    refusal = ApiError(401, "token_not_good", "sign in again")
    async with state.database.tenant(_tenant_of(token, refusal)) as db:
        await db.execute(
            """delete from refresh_tokens where family in
               (select family from refresh_tokens where digest = %s)""",
            (digest(token),),
        )


async def accept_invitation(state: State, token: str, password: str, caller: str) -> Tokens:
    """Make the user whom an invitation names. Raises ApiError 401, 409, 429."""
    await state.limiter.count(ONE_TIME, "accept", caller)
    refusal = ApiError(401, "invitation_not_good", "ask for another invitation")
    hashed = await hash_password(password)
    async with state.database.tenant(_tenant_of(token, refusal)) as db:
        cursor = await db.execute(
            """delete from invitations where digest = %s and expires > now()
               returning tenant_id, email, role, subject_id""",
            (digest(token),),
        )
        invited = await cursor.fetchone()
        if invited is None:
            raise refusal
        cursor = await db.execute(
            """insert into users (tenant_id, email, password_hash, role) values (%s, %s, %s, %s)
               on conflict (email) do nothing returning id""",
            (invited["tenant_id"], invited["email"], hashed, invited["role"]),
        )
        user = await cursor.fetchone()
        if user is None:
            raise ApiError(409, "address_taken", "there is a user with this address")
        # Who was invited for two dogs has two links and uses one.
        cursor = await db.execute(
            "delete from invitations where email = %s and expires > now() returning subject_id",
            (invited["email"],),
        )
        subjects = [invited["subject_id"], *[row["subject_id"] async for row in cursor]]
        for table in ("people", "dogs"):
            await db.execute(
                f"update {table} set user_id = %s where subject_id = any(%s)",  # noqa: S608 (one of two names)
                (user["id"], subjects),
            )
        who = Who(tenant_id=invited["tenant_id"], role=invited["role"], name=str(user["id"]))
        return await _tokens(state, db, who, uuid4())


def tenant_token(tenant_id: int) -> str:
    """A random token that also says which tenant's rows hold its digest."""
    return f"{tenant_id}.{new_token()}"


def _tenant_of(token: str, refusal: ApiError) -> int:
    number = token.partition(".")[0]
    if not (number.isascii() and number.isdecimal() and len(number) < 10):
        raise refusal
    return int(number)


async def _tokens(state: State, db: Db, who: Who, family: UUID) -> Tokens:
    token = tenant_token(who.tenant_id)
    await db.execute(
        """insert into refresh_tokens (digest, tenant_id, user_id, family, expires)
           values (%s, %s, %s, %s, now() + %s)""",
        (digest(token), who.tenant_id, who.user_id, family, timedelta(days=state.settings.refresh_days)),
    )
    return Tokens(
        access_token=state.signer.sign(who), expires_in=int(state.signer.lifetime_s), refresh_token=token
    )


async def _one(db: Db, query: str, *parameters: object) -> int | None:
    row = await (await db.execute(query.encode(), parameters)).fetchone()
    return row["value"] if row else None
