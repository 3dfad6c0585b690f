"""/fleet: boxes with what somebody should look at first, the drift of sites, and rollouts."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated

from fastapi import Query, Request, Response

from cloud.api.fleet import fleet_overview
from cloud.api.pages.cookies import PageFleet
from cloud.api.pages.render import page
from cloud.api.pages.route import page_router
from cloud.api.routes.rollouts import every_rollout
from cloud.api.who import StateOf

if TYPE_CHECKING:
    from datetime import date

    from cloud.api.database import Db
    from cloud.api.fleet import FleetSite

router = page_router()
BOXES = 100
ROLLOUTS = 10
CURVES = 8
"""Sites in the chart: more curves nobody can tell apart."""
_DAYS = """
    select s.slug as site, c.day, c.confidence from site_confidence_1d c join sites s on s.id = c.site_id
    where s.slug = any(%s) and c.day >= (now() at time zone 'UTC')::date - 35 order by c.day"""


@router.get("/fleet")
async def fleet(
    request: Request,
    state: StateOf,
    who: PageFleet,
    after: Annotated[str | None, Query(max_length=80)] = None,
) -> Response:
    """All of it; the first page begins with what is wrong anywhere."""
    async with state.database.tenant(who.tenant_id) as db:
        found = await fleet_overview(db, after=after, limit=BOXES)
        warned = [] if after else (await fleet_overview(db, only_warned=True, limit=BOXES)).boxes
        charted = sorted(
            (site for site in found.sites if site.drift),
            key=lambda site: -abs(site.drift.change if site.drift else 0),
        )[:CURVES]
        days = await _confidence(db, charted)
    first = {box.device for box in warned}
    rollouts = await every_rollout(state, who, limit=ROLLOUTS)
    return page(
        request, "fleet.html", sites=found.sites, charted=charted, days=days, rollouts=rollouts, more=found.next,
        looked=None if after else found.warned_as_of,
        boxes=[*warned, *(box for box in found.boxes if box.device not in first)],
    )  # fmt: skip


async def _confidence(db: Db, sites: list[FleetSite]) -> list[tuple[date, list[float | None]]]:
    """Days, and on each the keypoint confidence of each site."""
    means: defaultdict[date, dict[str, float]] = defaultdict(dict)
    async for row in await db.execute(_DAYS, ([site.site for site in sites],)):
        means[row["day"]][row["site"]] = row["confidence"]
    return [(day, [values.get(site.site) for site in sites]) for day, values in sorted(means.items())]
