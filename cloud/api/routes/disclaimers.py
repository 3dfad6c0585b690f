"""/api/disclaimers: what recommendations are not. Open to everybody."""

from __future__ import annotations

from fastapi import APIRouter

from cloud.api.recommend_text import Disclaimers, disclaimers
from cloud.api.texts import LanguageTexts

router = APIRouter(prefix="/api", tags=["recommendations"])


@router.get("/disclaimers")
async def four_disclaimers(words: LanguageTexts) -> Disclaimers:
    """The four disclaimers; they stand in every answer with recommendations, too."""
    return Disclaimers(language=words.language, disclaimers=disclaimers(words))
