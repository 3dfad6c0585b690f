"""The page of a session in a real browser: each repetition in numbers, and what changed since the one before."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect

from edge.errors import StoreError
from tests.web.box import record, running
from tests.web.conftest import PHONE, STATIC, faults, picture
from tests.web.two_sets import REPS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web.box import Box
    from tests.web.conftest import Recorded


def open_page(browser: Browser, box: Box, session: str, **options: object) -> Page:
    page = browser.new_page(**options)  # type: ignore[arg-type]
    page.set_default_timeout(20_000)
    page.goto(f"{box.url}/#/sessions/{session}")
    expect(page.get_by_role("table").first).to_be_visible()
    return page


def test_repetitions_in_graded_numbers_and_what_changed(browser: Browser, recorded: Recorded) -> None:
    box, before, now = recorded
    page = open_page(
        browser,
        box,
        now,
        viewport={"width": 1280, "height": 800},
        locale="en-GB",
        color_scheme="dark",
    )
    repetitions = [one for done in box.store.session(now).sets for one in done.repetitions]
    assert len(repetitions) == 2 * REPS
    for key in ("rep_range", "rep_pause_time", "rep_peak_velocity_concentric", "rep_smoothness"):
        cells = page.locator(f"td[data-metric='{key}']")
        assert cells.count() == 2 * REPS
        for cell, one in zip(cells.all(), repetitions, strict=True):
            shown = cell.locator("[data-grade]").get_attribute("data-grade")
            assert shown == one.measures[key].grade
            assert re.search(r"\d", cell.inner_text()) if one.measures[key].value is not None else True
    expect(page.get_by_test_id("compared-with").get_by_role("link")).to_have_attribute(
        "href", f"#/sessions/{before}"
    )
    deeper = page.locator("li[data-metric='knee_flexion_left_peak'] [data-change]")
    expect(deeper).to_have_attribute("data-change", "increased")
    expect(deeper).to_contain_text(re.compile(r"More: \+\d+° \(before: \d+°; detectable from "))
    expect(page.locator("[data-change='not_detectable']").first).to_contain_text("No detectable change")
    expect(page.get_by_test_id("set-remarks")).to_have_count(2)
    expect(page.get_by_test_id("set-remarks").first).to_contain_text("You kept control on the way down.")
    assert faults(page) == []
    picture(page, "session-measures", full_page=True)
    missing = page.get_by_test_id("unmeasured")
    expect(missing.locator("[data-metric]").first).to_be_hidden()
    missing.locator("summary").click()
    measurements = box.store.session(now).measurements
    unmeasured = {key for key, one in measurements.items() if one.value is None}
    assert {row.get_attribute("data-metric") for row in missing.locator("[data-metric]").all()} == unmeasured
    assert faults(page) == []
    page.close()


def test_what_was_refused_and_what_was_said_of_a_set(browser: Browser, tmp_path: Path) -> None:
    with running(tmp_path, static=STATIC) as box:
        page = open_page(browser, box, record(box.store), locale="en-GB")
        expect(page.get_by_test_id("session-page")).to_contain_text("3 not counted")
        said = page.get_by_test_id("set-remarks")
        expect(said).to_contain_text(re.compile(r"Good\s*Good depth\. 100%\s*Next time\s*Slower\. 50%"))
        page.get_by_test_id("language").select_option("ko")  # which draws the curves anew, once
        expect(said).to_contain_text("깊이가 좋았어요.")
        page.get_by_test_id("theme").select_option("dark")
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        page.close()


def test_on_a_phone_in_korean(browser: Browser, recorded: Recorded) -> None:
    page = open_page(
        browser, recorded.box, recorded.now, viewport=PHONE, locale="ko-KR", color_scheme="light"
    )
    expect(page.get_by_test_id("compared-with")).to_contain_text("다른 사람의 기록일 수 있습니다")
    assert faults(page) == []
    picture(page, "session-ko-phone", full_page=True)
    page.close()


def test_the_first_has_nothing_to_be_compared_with(recorded: Recorded) -> None:
    with recorded.box.client() as http:
        first = http.get(f"/api/v1/sessions/{recorded.before}").json()
    assert first["compared_with"] is None
    assert {one["change"] for one in first["measurements"].values()} == {None}


def test_every_page_says_that_nothing_can_be_written(browser: Browser, tmp_path: Path) -> None:
    with running(tmp_path, static=STATIC) as box:
        box.store._db.execute("PRAGMA query_only = ON")  # what SQLite says of a broken disk
        with pytest.raises(StoreError):
            record(box.store)
        page = browser.new_page(viewport=PHONE, locale="ko-KR")
        for place in ("", "#/sessions"):
            page.goto(f"{box.url}/{place}")
            expect(page.get_by_test_id("trouble")).to_contain_text("측정한 값을 저장하지 못하고 있습니다")
        assert faults(page) == []
        box.store._db.execute("PRAGMA query_only = OFF")
        box.store.flush()
        page.reload()
        expect(page.get_by_role("heading", name="운동 기록").first).to_be_visible()
        expect(page.get_by_test_id("session-row")).to_have_count(1)
        expect(page.get_by_test_id("trouble")).to_be_empty()
        page.close()
