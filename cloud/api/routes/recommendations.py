"""/api/people/…/recommendations and /api/dogs/…/recommendations."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from cloud.api.access import subject_of
from cloud.api.recommend_for import advice_for, trends_for
from cloud.api.recommend_text import Recommendations, in_words
from cloud.api.state import State
from cloud.api.texts import LanguageTexts, Texts
from cloud.api.who import SECURITY, Keeper, StateOf, Who
from wire.metrics import Species

router = APIRouter(prefix="/api", tags=["recommendations"], dependencies=SECURITY)


async def recommendations(
    state: State, who: Who, species: Species, subject: UUID, words: Texts
) -> Recommendations:
    """Recommendations for somebody whom `who` may see, in words. Raises ApiError 404."""
    async with state.database.tenant(who.tenant_id) as db:
        found = await subject_of(db, who, species, subject)
        trends = await trends_for(db, found)
    return in_words(advice_for(found, trends), found.subject, species, words)


@router.get("/people/{subject}/recommendations")
async def for_person(state: StateOf, who: Keeper, subject: UUID, words: LanguageTexts) -> Recommendations:
    """Exercises for a person: a safety filter by profile, trends of their own sessions, and their goal."""
    return await recommendations(state, who, "human", subject, words)


@router.get("/dogs/{subject}/recommendations")
async def for_dog(state: StateOf, who: Keeper, subject: UUID, words: LanguageTexts) -> Recommendations:
    """Exercises for a dog: a safety filter by profile, trends of its own sessions, and the goal."""
    return await recommendations(state, who, "dog", subject, words)
