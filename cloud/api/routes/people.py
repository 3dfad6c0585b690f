"""/api/people and /api/dogs: enrolling, profiles. One set of handlers, made for each kind."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Query
from psycopg import sql
from pydantic import BaseModel

from cloud.api import consents
from cloud.api.access import Subject, subject_of, visible
from cloud.api.database import Db
from cloud.api.invitations import invite, link, normal_email
from cloud.api.kinds import KINDS, Consent, Email, Kind, Profile, typed
from cloud.api.problems import ApiError
from cloud.api.who import SECURITY, Coach, Keeper, StateOf, Who

Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]


class Address(BaseModel):
    """Whom to invite."""

    email: Email


class Invited(BaseModel):
    """The link for who was invited; none where they are a user already, who sees it from now on."""

    invitation: str | None


def make_router(kind: Kind) -> APIRouter:
    """The routes of a kind."""
    router = APIRouter(prefix=kind.prefix, tags=[kind.table], dependencies=SECURITY)

    @router.get("", response_model=list[kind.record], summary=f"All {kind.table} whom one may see")  # type: ignore[name-defined]
    async def everyone(state: StateOf, who: Keeper, limit: Limit = 200, offset: Offset = 0) -> Any:
        """By alias. Owners also see those whom boxes tell of and nobody has enrolled."""
        async with state.database.tenant(who.tenant_id) as db:
            found = await visible(db, who, kind.species, limit, offset)
            agreed = await consents.present(db, [subject.id for subject in found])
        return [_record(kind, subject, agreed) for subject in found]

    @router.post("", status_code=201, response_model=kind.enrolled, summary=f"Enrol a {kind.one}")
    @typed(new=kind.new)
    async def enrol(state: StateOf, who: Coach, new: Any) -> Any:
        """Nobody is enrolled without consent. Who is invited will see the record as their own."""
        consents.check_terms(new.consent)
        async with state.database.tenant(who.tenant_id) as db:
            number, name = await _claim(db, who, kind, new.subject)
            await consents.agree(db, who, number, new.consent)
            columns = _columns(new, kind)
            await db.execute(_insert(kind, list(columns)), [number, who.tenant_id, *columns.values()])
            token = await _connect(db, who, kind, number, new.email) if new.email else None
            # As an owner sees it: a trainer may have enrolled somebody who wants no trainer to see more.
            subject = await subject_of(db, who.model_copy(update={"role": "owner"}), kind.species, name)
            record = _record(kind, subject, await consents.present(db, [number]))
        return record | {"invitation": _link(state, token)}

    @router.get("/{subject}", response_model=kind.record, summary=f"One {kind.one}")
    async def one(state: StateOf, who: Keeper, subject: UUID) -> Any:
        """Whom one may not see is not there."""
        async with state.database.tenant(who.tenant_id) as db:
            return await _show(db, who, kind, subject)

    @router.patch("/{subject}", response_model=kind.record, summary=f"Change what is known of a {kind.one}")
    @typed(changes=kind.changes)
    async def change(state: StateOf, who: Keeper, subject: UUID, changes: Any) -> Any:
        """What is not named stays; null forgets."""
        async with state.database.tenant(who.tenant_id) as db:
            found = await _enrolled(db, who, kind, subject)
            columns = _columns(changes, kind, only_named=True)
            if columns:
                cursor = await db.execute(_update(kind, list(columns)), [*columns.values(), found.id])
                if cursor.rowcount != 1:  # erased meanwhile
                    raise ApiError(404, "not_found")
            return await _show(db, who, kind, subject)

    @router.post("/{subject}/invitation", status_code=201, summary=f"Invite whose {kind.one} it is")
    async def invite_again(state: StateOf, who: Coach, subject: UUID, address: Address) -> Invited:
        """For who lost their link or is to see the record only now."""
        async with state.database.tenant(who.tenant_id) as db:
            found = await _enrolled(db, who, kind, subject)
            if found.user_id is not None:
                raise ApiError(409, "has_user", "somebody sees it as their own already")
            await consents.hold(db, found.id)
            await db.execute("delete from invitations where subject_id = %s", (found.id,))
            token = await _connect(db, who, kind, found.id, address.email)
        return Invited(invitation=_link(state, token))

    return router


async def _enrolled(db: Db, who: Who, kind: Kind, name: UUID) -> Subject:
    found = await subject_of(db, who, kind.species, name)
    if not found.enrolled:
        raise ApiError(409, "not_enrolled", "enrol them first, with consent")
    return found


async def _claim(db: Db, who: Who, kind: Kind, name: UUID | None) -> tuple[int, UUID]:
    """The number and name of a new subject, or of one whom boxes know and nobody has enrolled."""
    name = name or uuid4()
    await db.execute(
        """insert into subjects (tenant_id, subject, species) values (%s, %s, %s)
           on conflict (tenant_id, subject) do nothing""",
        (who.tenant_id, name, kind.species),
    )
    cursor = await db.execute(
        """select id, species, erased, exists (select from people where subject_id = s.id)
               or exists (select from dogs where subject_id = s.id) as enrolled
           from subjects s where subject = %s for no key update""",
        (name,),
    )
    row = await cursor.fetchone()
    assert row is not None
    if row["erased"] is not None:
        raise ApiError(409, "erased", "consent was withdrawn: enrol them anew, under another id")
    if row["enrolled"] or row["species"] != kind.species:
        raise ApiError(409, "already_enrolled", "this id is taken")
    return row["id"], name


async def _connect(db: Db, who: Who, kind: Kind, subject_id: int, address: str) -> str | None:
    """Let a user see a subject as their own. Who is none yet is invited: returns the token."""
    email = normal_email(address)
    cursor = await db.execute("select id from users where email = %s", (email,))
    user = await cursor.fetchone()
    if user is None:
        return await invite(db, who.tenant_id, email, "member", subject_id)
    await db.execute(_update(kind, ["user_id"]), (user["id"], subject_id))
    return None


def _link(state: StateOf, token: str | None) -> str | None:
    return link(str(state.settings.public_url), token) if token else None


def _columns(profile: Profile, kind: Kind, *, only_named: bool = False) -> dict[str, Any]:
    values = profile.model_dump(include=set(kind.changes.model_fields), exclude_unset=only_named)
    if "conditions" in values:
        values["conditions"] = sorted(set(values["conditions"]))
    return values


def _insert(kind: Kind, columns: list[str]) -> sql.Composed:
    names = ["subject_id", "tenant_id", *columns]
    return sql.SQL("insert into {} ({}) values ({})").format(
        sql.Identifier(kind.table),
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join([sql.Placeholder()] * len(names)),
    )


def _update(kind: Kind, columns: list[str]) -> sql.Composed:
    return sql.SQL("update {} set {} where subject_id = %s").format(
        sql.Identifier(kind.table),
        sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(column)) for column in columns),
    )


async def _show(db: Db, who: Who, kind: Kind, name: UUID) -> dict[str, Any]:
    subject = await subject_of(db, who, kind.species, name)
    return _record(kind, subject, await consents.present(db, [subject.id]))


def _record(kind: Kind, subject: Subject, agreed: dict[int, Consent]) -> dict[str, Any]:
    fields = subject.model_dump(include=set(kind.record.model_fields))
    return fields | {"consent": agreed.get(subject.id)}


ROUTERS = tuple(make_router(kind) for kind in KINDS)
