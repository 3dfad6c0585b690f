"""The page of exercises in a real browser: one's own is written, corrected where it is wrong, counted and deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect

from edge.coach.library import adopt, box_exercises, library
from tests.conftest import ROOT
from tests.web.conftest import PHONE, faults, picture
from tests.web.workout import workout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXAMPLE = (ROOT / "edge/web/ui/src/assets/example.toml.txt").read_text(encoding="utf-8")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-GB", color_scheme="light")
    page.set_default_timeout(20_000)
    yield page
    page.close()
    adopt(library([]))


def test_an_exercise_of_ones_own(page: Page, tmp_path: Path) -> None:
    with workout(tmp_path) as person:
        page.goto(f"{person.box.url}/#/exercises")
        cards = page.get_by_test_id("exercise")
        expect(cards).to_have_count(len(box_exercises()))
        squat = page.locator("[data-testid='exercise'][data-id='squat']")
        expect(squat).to_contain_text("from the side")
        expect(squat).to_contain_text("Quadriceps, Gluteus maximus")
        assert faults(page) == []

        page.get_by_test_id("add").click()
        text = page.get_by_test_id("toml")
        expect(text).to_have_value(EXAMPLE)
        text.fill(EXAMPLE.replace("ankle_dorsiflexion", "nose_length"))
        page.get_by_test_id("save").click()
        expect(page.get_by_test_id("refused")).to_have_text(
            "Line 8: parts 1 signal: There is no signal nose_length."
        )
        page.get_by_test_id("language").select_option("ko")
        expect(page.get_by_test_id("refused")).to_have_text(
            "8번째 줄: parts 1 signal: nose_length 신호는 없습니다."
        )
        page.get_by_test_id("language").select_option("en")
        assert faults(page) == []
        picture(page, "exercises-refused")
        text.fill(EXAMPLE)
        expect(page.get_by_test_id("refused")).to_be_empty()
        page.get_by_test_id("save").click()
        expect(page.get_by_test_id("saved")).to_contain_text("My heel raise is counted from now on")
        own = cards.first
        expect(own).to_contain_text("Your own")
        picture(page, "exercises")

        own.get_by_test_id("edit").click()
        text.fill(EXAMPLE.replace('"my_heel_raise"', '"your_heel_raise"'))
        page.get_by_test_id("save").click()
        expect(page.get_by_test_id("refused")).to_have_text("The id must stay as it is.")
        text.fill(EXAMPLE.replace("My heel raise", "Slow heel raise"))
        page.get_by_test_id("save").click()
        expect(own).to_contain_text("Slow heel raise")

        own.get_by_test_id("count").click()
        expect(page.get_by_test_id("exercise-picker")).to_have_value("my_heel_raise")
        person.stand(0.5)
        expect(page.get_by_test_id("exercise-name")).to_have_text("Slow heel raise")
        page.goto(f"{person.box.url}/#/exercises")
        own.get_by_test_id("delete").click()
        own.get_by_test_id("delete").click()
        expect(cards).to_have_count(len(box_exercises()))
        assert person.hub.observer.choice == "auto"


def test_on_a_phone_in_korean(page: Page, tmp_path: Path) -> None:
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="dark")
    (tmp_path / "exercises").mkdir()
    (tmp_path / "exercises/broken.toml").write_text('id = "broken"\nname = 3\n')
    with workout(tmp_path) as person:
        page.goto(f"{person.box.url}/#/exercises")
        page.get_by_test_id("language").select_option("ko")
        squat = page.locator("[data-testid='exercise'][data-id='squat']")
        expect(squat).to_contain_text("스쿼트")
        expect(squat).to_contain_text("옆에서")
        squat.get_by_test_id("edit").click()
        expect(page.get_by_test_id("toml")).to_have_value(
            (ROOT / "edge/coach/exercises/squat.toml").read_text(encoding="utf-8")
        )
        page.get_by_test_id("save").click()
        expect(page.get_by_test_id("refused")).to_have_text("이 id의 운동이 이미 있습니다. 다른 id를 쓰세요.")
        expect(page.get_by_test_id("refused-files")).to_contain_text(
            "broken.toml, 2번째 줄: name: 표 자리인데 숫자입니다."
        )
        assert faults(page) == []
        picture(page, "exercises-ko-phone")
