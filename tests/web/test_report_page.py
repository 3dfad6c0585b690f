"""The report of a session in a real browser, on the screen and on paper; KINEBOX_PICTURES=FOLDER keeps both."""

from __future__ import annotations

import os
import re
import shutil
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect

from edge.coach.coach import REST_S as SET_REST_S
from edge.recorder import SAMPLE_EVERY_S, SAMPLE_IN_SET_S
from tests.web.conftest import PHONE, faults
from tests.web.two_sets import REPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.web.box import Box
    from tests.web.conftest import Recorded

MM_PER_POINT = 25.4 / 72


@pytest.fixture
def box(recorded: Recorded) -> Box:
    return recorded.box


@pytest.fixture
def session(recorded: Recorded) -> str:
    return recorded.now


@pytest.fixture(params=["en-GB", "ko-KR"])
def page(browser: Browser, box: Box, session: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    page = browser.new_page(
        viewport={"width": 1000, "height": 1400}, locale=request.param, color_scheme="dark"
    )
    page.set_default_timeout(20_000)
    page.goto(f"{box.url}/#/sessions/{session}/report")
    expect(page.locator("[data-testid='report-page'][data-phase='ready']")).to_be_attached()
    yield page
    page.close()


def test_samples_are_dense_in_sets(box: Box, session: str) -> None:
    """Fifteen a second until a set is over, then five: enough for a curve of a repetition."""
    recorded, samples = box.store.session(session), box.store.samples(session, ["knee_flexion_left"])
    (first, second) = recorded.sets
    assert first.end_s is not None
    inside = [t for t in samples.t if second.start_s + 4 <= t <= second.start_s + 7]
    assert len(inside) == pytest.approx(3 / SAMPLE_IN_SET_S, abs=2)
    between = [t for t in samples.t if first.end_s + SET_REST_S + 1 <= t <= second.start_s - 0.5]
    steps = [b - a for a, b in pairwise(between)]
    assert steps
    assert min(steps) == pytest.approx(SAMPLE_EVERY_S, abs=0.02)


def test_it_says_who_what_and_how_well(page: Page, session: str) -> None:
    report = page.get_by_test_id("report-page")
    korean = page.locator("html").get_attribute("lang") == "ko"
    for text in (
        ("스쿼트", "의료 기기가 아닙니다", "사람 1")
        if korean
        else ("Squat", "Not a medical device", "Person 1")
    ):
        expect(report).to_contain_text(text)
    expect(report).to_contain_text("cam0")
    calibration = page.get_by_test_id("report-calibration")
    for known in ("15°", "2°", "1.20 m", "1.82 m", "66°"):
        expect(calibration).to_contain_text(known.replace(" ", "") if korean else known)
    expect(calibration).to_contain_text("키" if korean else "body height")
    expect(page.get_by_test_id("compared-with")).to_be_attached()
    assert report.locator("[data-change]").count() > 3
    graded = report.locator("td[data-metric='rep_smoothness'] [data-grade]")
    assert graded.count() == 2 * REPS
    room = report.evaluate("e => e.clientWidth")
    assert [t for t in report.locator("table").all() if t.evaluate("e => e.scrollWidth") > room] == []
    expect(report).to_contain_text(session)
    rows = report.locator("tr[data-metric]")
    assert rows.count() > 3
    for row in rows.all():
        assert re.search(r"\d", row.locator(".value").inner_text())
        assert row.locator("[data-grade]").get_attribute("data-grade") in {"A", "B", "C"}
        assert row.locator("td").last.inner_text()
    assert page.locator("html").get_attribute("data-theme") == "light"  # though the browser prefers dark
    assert faults(page) == []
    page.set_viewport_size(PHONE)
    assert faults(page) == []


def test_curves_show_the_weaker_side_and_the_earlier_set(page: Page) -> None:
    charts = page.get_by_test_id("cycle-chart")
    assert charts.count() == 4  # hip and knee: all sets, and the last against the first
    for chart, depth in zip(charts.all(), (97, 92, 97, 92), strict=True):
        left, right = (
            [int(n) for n in re.findall(r"-?\d+(?=°)", line.inner_text())]
            for line in chart.locator("li").all()
        )
        assert left[1] == pytest.approx(depth, abs=4)
        assert 0.8 * left[1] <= right[1] <= 0.93 * left[1]
        assert left[0] < 8
        assert chart.locator("canvas").evaluate("c => c.width") > 600


def test_on_paper(page: Page, tmp_path: Path) -> None:
    """A4, without the page's buttons and menus, and every section on it."""
    language = page.locator("html").get_attribute("lang")
    file = tmp_path / "report.pdf"
    page.pdf(path=file, prefer_css_page_size=True, print_background=True)
    page.emulate_media(media="print")
    for hidden in ("nav.screen", "body > div > header"):
        expect(page.locator(hidden).first).to_be_hidden()
    expect(page.locator("article footer")).to_be_visible()
    assert page.locator("html").evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 255, 255)"
    data = file.read_bytes()
    boxes = {tuple(map(float, found.split())) for found in re.findall(rb"/MediaBox \[([^\]]+)\]", data)}
    for left, top, right, bottom in boxes:
        assert ((right - left) * MM_PER_POINT, (bottom - top) * MM_PER_POINT) == pytest.approx(
            (210, 297), abs=1
        )
    assert boxes
    if folder := os.environ.get("KINEBOX_PICTURES"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.emulate_media(media="screen")
        page.screenshot(path=Path(folder) / f"report-{language}.png", full_page=True)
        shutil.copy(file, Path(folder) / f"report-{language}.pdf")
