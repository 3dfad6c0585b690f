"""Consent, what one gets of one's own, and the end of both."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from cloud.api import consents
from cloud.api.access import subject_of
from cloud.api.kinds import KINDS, Consent, ConsentGiven, Kind
from cloud.api.profile import Purpose, catalogue
from cloud.api.texts import LanguageTexts
from cloud.api.who import SECURITY, AnyUser, Keeper, StateOf

terms = APIRouter(prefix="/api/consent", tags=["consent"], dependencies=SECURITY)


class TermsPurpose(BaseModel):
    """What one may agree to."""

    key: Purpose
    meaning: str = Field(description="in the language asked for")
    required: bool = Field(description="without it there is no consent")


class Terms(BaseModel):
    """What consent is asked for at present."""

    version: str
    purposes: list[TermsPurpose]


class ConsentState(BaseModel):
    """What holds, what is asked for by now, and all that was agreed to."""

    current_version: str
    present: Consent | None
    history: list[Consent] = Field(description="latest first")


class Erased(BaseModel):
    """What went."""

    windows: int = Field(description="ten-second windows that were erased, beside all else")


@terms.get("", summary="What consent is asked for")
async def asked_for(_: AnyUser, words: LanguageTexts) -> Terms:
    """Show it to whoever is to agree, and send back the version with what they chose."""
    row = catalogue().consent
    purposes = [
        TermsPurpose(key=one.key, meaning=words.gettext(f"purpose.{one.key}"), required=one.required)
        for one in row.purpose
    ]
    return Terms(version=row.version, purposes=purposes)


def make_router(kind: Kind) -> APIRouter:
    """The routes of a kind."""
    router = APIRouter(prefix=kind.prefix + "/{subject}/consent", tags=["consent"], dependencies=SECURITY)

    @router.get("", summary=f"What was agreed to for a {kind.one}")
    async def state_of_consent(state: StateOf, who: Keeper, subject: UUID) -> ConsentState:
        """With times, versions and who recorded it."""
        async with state.database.tenant(who.tenant_id) as db:
            found = await subject_of(db, who, kind.species, subject)
            past = await consents.history(db, found.id)
        return _state(past)

    @router.put("", summary=f"Agree to other purposes, or to the present version, for a {kind.one}")
    async def agree(state: StateOf, who: Keeper, subject: UUID, given: ConsentGiven) -> ConsentState:
        """Who can sign in agrees themselves; for others whoever enrolled them records what they said."""
        async with state.database.tenant(who.tenant_id) as db:
            found = await subject_of(db, who, kind.species, subject)
            consents.speaks_for(who, found, "agree")
            await consents.agree(db, who, found.id, given)
            past = await consents.history(db, found.id)
        return _state(past)

    @router.delete("", summary=f"Withdraw consent: erase everything of a {kind.one}")
    async def withdraw(state: StateOf, who: Keeper, subject: UUID) -> Erased:
        """For good, at once. What boxes still send of them is not kept. Backups forget by their own retention."""
        async with state.database.tenant(who.tenant_id) as db:
            found = await subject_of(db, who, kind.species, subject)
            consents.speaks_for(who, found, "erase")
            windows = await consents.erase(db, found)
        return Erased(windows=windows)

    return router


def _state(past: list[Consent]) -> ConsentState:
    present = next((consent for consent in past if consent.withdrawn is None), None)
    return ConsentState(current_version=catalogue().consent.version, present=present, history=past)


ROUTERS = (terms, *(make_router(kind) for kind in KINDS))
