"""Consent: what was agreed to stays on record with time and version, until everything is erased."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from cloud.api.kinds import Consent, ConsentGiven
from cloud.api.problems import ApiError
from cloud.api.profile import catalogue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud.api.access import Subject
    from cloud.api.database import Db
    from cloud.api.who import Who

_COLUMNS = "subject_id, version, purposes, given, given_by, withdrawn"
ERASE_MS = 600_000
"""Erasing may take longer than other statements: years of windows, and it waits for ingest and rollups."""


def check_terms(given: ConsentGiven) -> None:
    """Raises ApiError 409 where other terms are asked for by now, 422 where a purpose is missing."""
    terms = catalogue().consent
    if given.version != terms.version:
        raise ApiError(409, "consent_outdated", f"consent is asked for in version {terms.version}")
    missing = {row.key for row in terms.purpose if row.required} - set(given.purposes)
    if missing:
        raise ApiError(422, "consent_incomplete", f"not without {', '.join(sorted(missing))}")


async def present(db: Db, subject_ids: Sequence[int]) -> dict[int, Consent]:
    """The consent that holds, by number of the subject."""
    rows = await db.execute(
        f"select {_COLUMNS} from consents where subject_id = any(%s) and withdrawn is null",  # noqa: S608
        (list(subject_ids),),
    )
    return {row.pop("subject_id"): Consent.of(row) async for row in rows}


async def history(db: Db, subject_id: int) -> list[Consent]:
    """All that was agreed to, latest first."""
    rows = await db.execute(
        f"select {_COLUMNS} from consents where subject_id = %s order by id desc",  # noqa: S608
        (subject_id,),
    )
    return [Consent.of({name: row[name] for name in row if name != "subject_id"}) async for row in rows]


async def hold(db: Db, subject_id: int) -> None:
    """Keep the subject from being erased or agreeing to something else until the commit. Raises ApiError 404."""
    cursor = await db.execute(
        "select from subjects where id = %s and erased is null for no key update", (subject_id,)
    )
    if cursor.rowcount != 1:
        raise ApiError(404, "not_found", "there is nobody with this id whom you may see")


async def agree(db: Db, who: Who, subject_id: int, given: ConsentGiven) -> None:
    """Put a consent in the place of the one before; the same again changes nothing. Raises as check_terms, hold."""
    check_terms(given)
    await hold(db, subject_id)
    purposes = sorted(set(given.purposes))
    before = (await present(db, [subject_id])).get(subject_id)
    if before is not None and (before.version, before.purposes) == (given.version, purposes):
        return
    await db.execute(
        "update consents set withdrawn = now() where subject_id = %s and withdrawn is null", (subject_id,)
    )
    await db.execute(
        """insert into consents (tenant_id, subject_id, version, purposes, given_by)
           values (%s, %s, %s, %s, %s)""",
        (who.tenant_id, subject_id, given.version, purposes, who.user_id),
    )


def speaks_for(who: Who, subject: Subject, what: Literal["agree", "erase"]) -> None:
    """Who can sign in decides alone; for others their trainers do. An owner may erase. Raises ApiError 403."""
    allowed = subject.user_id in (None, who.user_id) or (what == "erase" and who.role == "owner")
    if not allowed:
        raise ApiError(403, "theirs_to_decide", "they decide that themselves: they can sign in")


async def erase(db: Db, subject: Subject) -> int:
    """Withdraw consent: all that is kept of a subject goes. Returns how many windows that were."""
    await db.execute(f"set local statement_timeout = {ERASE_MS}")
    row = await (await db.execute("select erase_subject(%s) as windows", (subject.id,))).fetchone()
    assert row is not None
    return int(row["windows"])
