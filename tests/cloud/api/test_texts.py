"""Texts: both languages say the same things, and every key that something names has words."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from string import Formatter
from typing import TYPE_CHECKING, get_args

import pytest

from cloud.api.fleet import State
from cloud.api.measures import measures
from cloud.api.profile import catalogue
from cloud.api.recommend_rules import rules
from cloud.api.recommend_text import DISCLAIMERS
from cloud.api.texts import LANGUAGES, Texts, _by_weight, po_file, texts
from cloud.api.trends import Direction
from cloud.api.who import UserRole
from cloud.fleet import decide
from cloud.fleet.alerts import alerts
from cloud.fleet.measures import measures as rollout_measures
from tests.conftest import ROOT
from wire.messages import CameraCondition

if TYPE_CHECKING:
    from pathlib import Path

API = ROOT / "cloud" / "api"
# A key that is put together (`"goal." ~ key`) is one of GROUPS, or asked for by the tests of pages.
NAMED = re.compile(r"""(?:gettext|\bt)\(\s*["']([a-z0-9_]+\.[a-z0-9_.]+)["'](?!\s*~)""")
GROUPS = {
    "condition": {row.key for row in catalogue().condition},
    "goal": {row.key for row in catalogue().goal},
    "purpose": {row.key for row in catalogue().consent.purpose},
    "disclaimer": set(DISCLAIMERS),
    "exercise": {rule.exercise for rule in rules().rule},
    "why": {rule.key for rule in rules().rule},
    "region": {f"{species}.{region.key}" for region in rules().region for species in ("human", "dog")},
    "measure": {"reps", *(name for region in rules().region for name in region.measures)},
    "obstacle": {"condition", "unknown_condition", "too_young", "too_old", "age_unknown", "region"},
    "reason": {"guideline", "general", "goal", "falling"},
    "role": set(get_args(UserRole)),
    "direction": set(get_args(Direction)),
    "unit": {measure.unit for measure in measures().values()},
    "box": set(get_args(State)),
    "camera": set(get_args(CameraCondition)),
    "warning": set(alerts()),
    "rollout": set(get_args(decide.State)),
    "finding": {*get_args(decide.Finding), "cancelled"},
    "health": set(rollout_measures()),
}


def sources() -> list[Path]:
    return [path for kind in ("*.py", "*.html") for path in API.rglob(kind)]


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_languages_have_the_same_keys() -> None:
    english, korean = (texts(language).keys for language in LANGUAGES)
    assert english == korean


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_or_twice(language: str) -> None:
    words = texts(language)
    assert [key for key in words.keys if not words.gettext(key).strip()] == []
    named = re.findall(r'^msgid "(.+)"$', po_file(language).read_text(encoding="utf-8"), re.MULTILINE)
    assert len(named) == len(set(named)) == len(words.keys)


def test_texts_have_the_same_gaps_to_fill() -> None:
    english, korean = map(texts, LANGUAGES)
    differing = {key for key in english.keys if gaps(english.gettext(key)) != gaps(korean.gettext(key))}
    assert differing == set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("group", GROUPS)
def test_every_code_has_a_text(language: str, group: str) -> None:
    assert {f"{group}.{code}" for code in GROUPS[group]} <= texts(language).keys


def test_every_key_that_is_named_has_a_text() -> None:
    named = {key for path in sources() for key in NAMED.findall(path.read_text(encoding="utf-8"))}
    assert named
    assert named <= texts("en").keys


class Words(HTMLParser):
    """What a template says by itself: text, and attributes that people see or hear."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        spoken = ("alt", "aria-label", "content", "placeholder", "title")
        technical = dict(attrs).get("name") in ("viewport", "color-scheme")
        self.said += [value or "" for name, value in attrs if name in spoken and not technical]

    def handle_data(self, data: str) -> None:
        self.said.append(data)


@pytest.mark.parametrize("template", sorted(API.rglob("*.html")), ids=lambda path: path.stem)
def test_templates_have_no_words_of_their_own(template: Path) -> None:
    html = template.read_text(encoding="utf-8")
    parser = Words()
    parser.feed(re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", "", html, flags=re.DOTALL))
    assert [text for text in parser.said if re.search(r"[^\W\d_]", text)] == []
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=|\|\s*safe", html), (
        "the policy would refuse it"
    )


def test_a_key_without_text_is_an_error_and_a_new_code_is_shown_as_it_is() -> None:
    words = texts("en")
    with pytest.raises(KeyError):
        words.gettext("no.such_key")
    assert words.name("exercise", "handstand") == "handstand"


def test_korean_is_korean() -> None:
    korean = texts("ko")
    plain = {key: re.sub(r"{\w+}", "", korean.gettext(key)) for key in korean.keys}
    latin = {
        key for key, text in plain.items() if re.search("[A-Za-z]", text) and not re.search("[가-힣]", text)
    }
    assert latin == {"app.name", "language.en", "unit.m", "unit.kg", "unit.celsius"}


@pytest.mark.parametrize(
    ("header", "order"),
    [
        ("", []),
        ("ko", ["ko"]),
        ("en;q=0.5, ko-KR", ["ko-KR", "en"]),
        ("de, en;q=0.7,ko;q=0.8", ["de", "ko", "en"]),
        ("ko;q=0, en;q=x, de", ["de"]),
    ],
)
def test_accept_language(header: str, order: list[str]) -> None:
    assert [tag for tag in _by_weight(header) if tag] == order


def test_texts_are_read_from_the_package() -> None:
    assert isinstance(texts("ko"), Texts)
    assert texts("ko") is texts("ko")
