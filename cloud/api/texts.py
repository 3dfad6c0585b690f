"""Texts for people, in their language: keys in Python, words in `locales/*/LC_MESSAGES/messages.po`."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Annotated

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from fastapi import Depends, Query, Request

LANGUAGES = ("en", "ko")
"""The first is for whoever wants none of them."""
LANGUAGE_COOKIE = "kinebox_language"
_FOLDER = Path(__file__).parent / "locales"


class Texts:
    """The texts of one language, by key."""

    def __init__(self, language: str) -> None:
        self.language = language
        with po_file(language).open("rb") as file:
            catalogue = read_po(file, locale=language)
        compiled = BytesIO()
        write_mo(compiled, catalogue)
        compiled.seek(0)
        self._translations = Translations(compiled)
        self.keys = frozenset(
            message.id for message in catalogue if isinstance(message.id, str) and message.id
        )

    def gettext(self, key: str, **values: object) -> str:
        """The text of a key, with its gaps filled. Raises KeyError for a key that has none."""
        if key not in self.keys:
            raise KeyError(key)
        text: str = self._translations.gettext(key)
        return text.format_map(values) if values else text

    def name(self, group: str, code: str) -> str:
        """The text of a code from the database; the code itself where it is newer than the texts."""
        key = f"{group}.{code}"
        return self.gettext(key) if key in self.keys else code


def po_file(language: str) -> Path:
    """Where the texts of a language are."""
    return _FOLDER / language / "LC_MESSAGES" / "messages.po"


@cache
def texts(language: str) -> Texts:
    """The texts of one of LANGUAGES."""
    return Texts(language)


def language_of(
    request: Request,
    lang: Annotated[str | None, Query(description=f"one of {', '.join(LANGUAGES)}", max_length=35)] = None,
) -> str:
    """The language that the address asks for, else the one chosen before, else the browser's."""
    accepted = [lang or "", request.cookies.get(LANGUAGE_COOKIE, "")]
    accepted += _by_weight(request.headers.get("accept-language", ""))
    for tag in accepted:
        language = tag.lower().partition("-")[0]
        if language in LANGUAGES:
            return language
    return LANGUAGES[0]


def _by_weight(header: str) -> list[str]:
    """The languages of an Accept-Language header (RFC 9110, 12.5.4), the dearest first."""
    weighed = []
    for item in header[:1000].split(","):
        tag, _, parameter = item.partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            weight = 0.0
        if weight > 0:
            weighed.append((-weight, tag.strip()))
    return [tag for _, tag in sorted(weighed, key=lambda pair: pair[0])]


def texts_for(language: Annotated[str, Depends(language_of)]) -> Texts:
    """The texts in the language of a request."""
    return texts(language)


LanguageTexts = Annotated[Texts, Depends(texts_for)]
