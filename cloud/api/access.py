"""Which people and dogs somebody may see. What they may not see is not there: 404, never 403."""

from __future__ import annotations

from datetime import date  # noqa: TC003 (pydantic reads the annotations)
from typing import TYPE_CHECKING
from uuid import UUID  # noqa: TC003

from psycopg import sql
from pydantic import BaseModel

from cloud.api.problems import ApiError
from wire.metrics import Species  # noqa: TC001

if TYPE_CHECKING:
    from cloud.api.database import Db
    from cloud.api.who import Role, Who

_PROFILES: dict[Species, sql.SQL] = {
    "human": sql.SQL(
        "select subject_id, user_id, alias, birth_year, null as born, null as breed, height_m, weight_kg,"
        " conditions, goal from people"
    ),
    "dog": sql.SQL(
        "select subject_id, user_id, alias, null as birth_year, born, breed, null as height_m, weight_kg,"
        " conditions, goal from dogs"
    ),
}
_SEES: dict[Role, sql.SQL] = {
    "owner": sql.SQL("true"),
    "trainer": sql.SQL(
        "exists (select from consents c where c.subject_id = s.id and c.withdrawn is null"
        " and 'coach' = any(c.purposes))"
    ),
    "member": sql.SQL("p.user_id = %(user)s"),
    "fleet_operator": sql.SQL("false"),
    "device": sql.SQL("false"),
}
# Boxes also tell of subjects whom nobody has enrolled: owners see them, without a profile.
_SUBJECTS = sql.SQL(
    """select s.id, s.subject, s.species, p.subject_id is not null as enrolled, p.user_id, p.alias, p.birth_year,
              p.born, p.breed, p.height_m, p.weight_kg, coalesce(p.conditions, '{{}}') as conditions, p.goal
       from subjects s left join ({profile}) p on p.subject_id = s.id
       where s.species = %(species)s and s.erased is null and {sees}"""
)


class Subject(BaseModel, frozen=True):
    """A person or a dog: their number in the database, their name to the world, and what is known of them."""

    id: int
    subject: UUID
    species: Species
    enrolled: bool
    """False for whom boxes tell of and nobody has enrolled: there is no profile."""
    user_id: int | None = None
    """The user whose they are."""
    alias: str | None = None
    birth_year: int | None = None
    """Of people."""
    born: date | None = None
    """Of dogs."""
    breed: str | None = None
    height_m: float | None = None
    weight_kg: float | None = None
    conditions: list[str] = []
    goal: str | None = None


async def subject_of(db: Db, who: Who, species: Species, subject: UUID) -> Subject:
    """One whom `who` may see. Raises ApiError 404."""
    query = sql.SQL("{} and s.subject = %(subject)s").format(_query(who, species))
    cursor = await db.execute(query, {"species": species, "user": who.user_id, "subject": subject})
    row = await cursor.fetchone()
    if row is None:
        raise ApiError(404, "not_found", "there is nobody with this id whom you may see")
    return Subject(**row)


async def visible(
    db: Db, who: Who, species: Species, limit: int | None = None, offset: int = 0
) -> list[Subject]:
    """Those whom `who` may see, by alias."""
    query = sql.SQL("{} order by p.alias, s.id limit %(limit)s offset %(offset)s").format(
        _query(who, species)
    )
    parameters = {"species": species, "user": who.user_id, "limit": limit, "offset": offset}
    return [Subject(**row) async for row in await db.execute(query, parameters)]


def _query(who: Who, species: Species) -> sql.Composed:
    return _SUBJECTS.format(profile=_PROFILES[species], sees=_SEES[who.role])
