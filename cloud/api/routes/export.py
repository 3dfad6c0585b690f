"""…/export: what is kept of somebody, to take away."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from cloud.api.access import subject_of
from cloud.api.export import export
from cloud.api.kinds import KINDS, Kind
from cloud.api.problems import ApiError
from cloud.api.who import SECURITY, Keeper, StateOf, Who

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.types import Receive, Scope, Send

LONGEST_S = 900.0
"""Whoever reads slower than this is cut off: a database connection waits for them."""


class Download(StreamingResponse):
    """Ends its generator, and with it the transaction, also where the reader goes away."""

    def __init__(self, pieces: AsyncGenerator[bytes, None], name: str) -> None:
        disposition = {"content-disposition": f'attachment; filename="{name}"'}
        super().__init__(pieces, media_type="application/json", headers=disposition)
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        async with aclosing(self._pieces), asyncio.timeout(LONGEST_S):
            await super().__call__(scope, receive, send)


def make_router(kind: Kind) -> APIRouter:
    """The route of a kind."""
    router = APIRouter(prefix=kind.prefix, tags=["consent"], dependencies=SECURITY)

    @router.get(
        "/{subject}/export",
        status_code=200,
        response_class=Download,
        responses={200: {"content": {"application/json": {}}, "description": "the document, as a file"}},
        summary=f"Everything that is kept of a {kind.one}",
    )
    async def take_away(state: StateOf, who: Keeper, subject: UUID) -> Download:
        """Profile, consents, sessions, windows, hourly and daily sums, as of one moment; units by metric."""
        if state.exports.locked():
            raise ApiError(
                429, "too_many_exports", "others are being written; try again", {"retry-after": "30"}
            )
        pieces = _pieces(state, who, kind, subject)
        await anext(pieces)  # finds the subject, or refuses while there is still a status to send
        return Download(pieces, f"kinebox-{kind.one}-{subject}.json")

    return router


async def _pieces(state: StateOf, who: Who, kind: Kind, subject: UUID) -> AsyncGenerator[bytes, None]:
    async with state.exports, state.database.moment(who.tenant_id) as db:
        found = await subject_of(db, who, kind.species, subject)
        yield b""
        async for piece in export(db, found):
            yield piece


ROUTERS = tuple(make_router(kind) for kind in KINDS)
