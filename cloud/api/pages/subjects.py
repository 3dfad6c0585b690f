"""/people and /dogs: who is there; /people/… and /dogs/…: one of them, with export and revocation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import Form, Query, Request, Response

from cloud.api import consents, history
from cloud.api.access import subject_of, visible
from cloud.api.kinds import KINDS, Kind
from cloud.api.pages.cookies import PageKeeper
from cloud.api.pages.render import page, page_texts
from cloud.api.pages.route import page_router, see
from cloud.api.problems import ApiError
from cloud.api.profile import catalogue
from cloud.api.recommend_for import advice_for, trends_for
from cloud.api.recommend_text import in_words
from cloud.api.who import StateOf, Who

if TYPE_CHECKING:
    from fastapi import APIRouter

    from cloud.api.access import Subject
    from cloud.api.database import Db
    from cloud.api.texts import Texts
    from cloud.api.trends import Trend

PAGE = 100
SESSIONS = 10
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def make_router(kind: Kind) -> APIRouter:
    """The pages of a kind."""
    router = page_router()
    root = f"/{kind.table}"

    @router.get(root)
    async def everyone(
        request: Request,
        state: StateOf,
        who: PageKeeper,
        after: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> Response:
        """Those whom one may see."""
        async with state.database.tenant(who.tenant_id) as db:
            found = await visible(db, who, kind.species, PAGE + 1, after)
            agreed = await consents.present(db, [subject.id for subject in found])
        return page(
            request, "subjects.html", table=kind.table, species=kind.species,
            rows=[(subject, agreed.get(subject.id)) for subject in found[:PAGE]],
            more=after + PAGE if len(found) > PAGE else None,
        )  # fmt: skip

    @router.get(root + "/{subject}")
    async def one(request: Request, state: StateOf, who: PageKeeper, subject: UUID) -> Response:
        """Recommendations, trends, sessions, profile and consent."""
        words = page_texts(request)
        async with state.database.tenant(who.tenant_id) as db:
            found = await subject_of(db, who, kind.species, subject)
            trends = await trends_for(db, found)
            agreed = await consents.present(db, [found.id])
            stretch = history.Stretch(who.tenant_id, found.id, _BEGINNING, datetime.now(UTC))
            latest = await history.page(db, stretch, SESSIONS, None)
        return page(
            request, "subject.html", table=kind.table, species=kind.species, row=found, sessions=latest.sessions,
            advice=in_words(advice_for(found, trends), found.subject, kind.species, words),
            trends=_by_exercise(trends, words), consent=agreed.get(found.id),
            current_version=catalogue().consent.version,
            purposes=[row.key for row in catalogue().consent.purpose], may_erase=_may_erase(who, found),
        )  # fmt: skip

    @router.get(root + "/{subject}/export")
    async def take_away(who: PageKeeper, subject: UUID) -> Response:
        """To the API's file, signed in anew where the access token had ended."""
        del who
        return see(f"{kind.prefix}/{subject}/export")

    @router.get(root + "/{subject}/revoke")
    async def ask(request: Request, state: StateOf, who: PageKeeper, subject: UUID) -> Response:
        """Say what would go, and ask whether that is meant."""
        async with state.database.tenant(who.tenant_id) as db:
            found = await _theirs(db, who, kind, subject)
        return page(request, "revoke.html", table=kind.table, row=found, refused=False)

    @router.post(root + "/{subject}/revoke")
    async def revoke(
        request: Request,
        state: StateOf,
        who: PageKeeper,
        subject: UUID,
        sure: Annotated[str, Form(max_length=10)] = "",
    ) -> Response:
        """Withdraw consent: everything goes."""
        async with state.database.tenant(who.tenant_id) as db:
            found = await _theirs(db, who, kind, subject)
            if sure != "yes":
                return page(request, "revoke.html", status=422, table=kind.table, row=found, refused=True)
            await consents.erase(db, found)
        return see(root)

    return router


async def _theirs(db: Db, who: Who, kind: Kind, subject: UUID) -> Subject:
    found = await subject_of(db, who, kind.species, subject)
    consents.speaks_for(who, found, "erase")
    return found


def _may_erase(who: Who, subject: Subject) -> bool:
    try:
        consents.speaks_for(who, subject, "erase")
    except ApiError:
        return False
    return True


def _by_exercise(trends: list[Trend], words: Texts) -> list[dict[str, Any]]:
    """A chart for each exercise and unit: its weeks, and in each the value of each trend."""
    groups: dict[tuple[str, str], list[Trend]] = {}
    for trend in sorted(
        trends, key=lambda trend: (trend.exercise or "", trend.unit == "count", trend.metric)
    ):
        groups.setdefault((trend.exercise or "", trend.unit), []).append(trend)
    return [
        {
            "name": _chart_name(words.name("exercise", exercise), members, words),
            "axis": words.gettext(f"unit.{unit}", value="#"),
            "trends": members,
            "weeks": [
                (
                    week,
                    [next((row.mean for row in trend.weeks if row.week == week), None) for trend in members],
                )
                for week in sorted({row.week for trend in members for row in trend.weeks})
            ],
        }
        for (exercise, unit), members in groups.items()
    ]


def _chart_name(exercise: str, members: list[Trend], words: Texts) -> str:
    if len(members) > 1:
        return exercise
    return words.gettext(
        "trend.name", exercise=exercise, measure=words.gettext(f"measure.{members[0].metric}")
    )


ROUTERS = tuple(make_router(kind) for kind in KINDS)
