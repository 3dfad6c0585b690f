"""Templates with texts, dates and numbers in the reader's language."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from babel.dates import format_date, format_time, format_timedelta
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from cloud.api.texts import LANGUAGE_COOKIE, LANGUAGES, Texts, language_of, texts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from starlette.requests import Request

STATIC = Path(__file__).parent / "static"
_YEAR_S = 365 * 86_400
_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page_texts(request: Request) -> Texts:
    """The texts of the language that the page is in."""
    return texts(language_of(request, request.query_params.get("lang")))


def page(
    request: Request,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **content: object,
) -> HTMLResponse:
    """A page. Its template sees the texts, formats, the request's path and who is signed in."""
    words = page_texts(request)
    formats = Formats(words)
    html = _templates.get_template(template).render(
        t=words.gettext,
        name=words.name,
        formats=formats,
        language=words.language,
        languages=LANGUAGES,
        path=request.url.path,
        who=getattr(request.state, "who", None),
        static=_static,
        charts=(STATIC / "vendor").is_dir(),
        status=status,
        **content,
    )
    response = HTMLResponse(html, status, headers)
    response.headers["content-language"] = words.language
    if request.query_params.get("lang") == words.language:
        response.set_cookie(LANGUAGE_COOKIE, words.language, max_age=_YEAR_S, samesite="lax", httponly=True)
    return response


class Formats:
    """Numbers and times as a language writes them. Times are UTC."""

    def __init__(self, words: Texts) -> None:
        self._words = words
        self._language = words.language

    def number(self, value: float, digits: int = 1) -> str:
        """With at most so many digits behind the point."""
        return format_decimal(round(value, digits), locale=self._language)

    def quantity(self, value: float, unit: str, digits: int = 1) -> str:
        """A number with its unit."""
        return self._words.gettext(f"unit.{unit}", value=self.number(value, digits))

    def day(self, value: date) -> str:
        """A date."""
        return format_date(value, "medium", locale=self._language)

    def time(self, value: datetime) -> str:
        """A date and a time."""
        return f"{self.day(value.astimezone(UTC))} {format_time(value, 'HH:mm', tzinfo=UTC)} UTC"

    def ago(self, value: datetime) -> str:
        """How long ago."""
        return format_timedelta(
            value - datetime.now(UTC), add_direction=True, threshold=1.2, locale=self._language
        )


@cache
def _static(name: str) -> str:
    """The address of a file, which changes with its content: browsers may keep it for good."""
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"
