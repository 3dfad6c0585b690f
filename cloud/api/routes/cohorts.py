"""/api/cohorts: questions about many."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from cloud.api import cohorts
from cloud.api.cohorts import Answer, Question
from cloud.api.who import SECURITY, Coach, StateOf

router = APIRouter(prefix="/api", tags=["cohorts"], dependencies=SECURITY)


@router.get("/cohorts")
async def ask(state: StateOf, who: Coach, question: Annotated[Question, Query()]) -> Answer:
    """A measure over the sessions of everyone who agreed to research, or whom nobody has enrolled.

    Groups of fewer than five subjects are not told. Sessions count alike, whosever they are.
    """
    async with state.database.tenant(who.tenant_id) as db:
        return await cohorts.answer(db, who.tenant_id, question)
