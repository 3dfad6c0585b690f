"""The dashboard in a real browser beside a real box; with KINEBOX_PICTURES=FOLDER it keeps pictures for the docs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from edge.errors import CameraError
from edge.footage import demo_video
from tests.conftest import missing
from tests.running import REPS, Box, record_squats
from tests.web.conftest import PHONE, faults, picture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLIP_S, LOOPS = 7.7, 8
SCREEN: ViewportSize = {"width": 1280, "height": 800}


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of its own for each test."""
    page = browser.new_page(viewport=SCREEN, locale="en-GB", color_scheme="dark")
    page.set_default_timeout(20_000)
    yield page
    page.close()


def test_counting_is_seen_as_it_happens(page: Page, tmp_path: Path) -> None:
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    record_squats(tmp_path / "squats.trace")
    box = Box(tmp_path / "squats.trace", tmp_path / "state")
    try:
        box.wait("/api/v1/status", bool)
        page.goto(f"http://127.0.0.1:{box.port}/")
        expect(page.locator("html[data-ready='1']")).to_be_attached()
        count = page.get_by_test_id("rep-count")
        seen = set()
        expect(page.get_by_test_id("exercise-name")).to_contain_text("Squat")
        for _ in range(150):
            seen.add(int(count.inner_text()))
            if REPS in seen:
                break
            page.wait_for_timeout(100)
        assert seen >= set(range(2, REPS + 1))  # every number appeared, one after the other
        assert float(page.get_by_test_id("latency").inner_text().split()[-2].replace(",", "")) < 2000
        assert int(page.get_by_test_id("skeleton-canvas").get_attribute("data-frame") or 0) > 30
        expect(page.get_by_test_id("angle-list")).to_contain_text("Knee flexion")
        last = page.get_by_test_id("last-repetition")
        expect(last).to_contain_text(re.compile(r"Range of a repetition\s*1[01]\d°"))
        assert last.locator("[data-grade]").count() == 6
        expect(page.get_by_test_id("improve")).to_have_text(
            "Step back until head and feet are in the picture."
        )
        assert faults(page) == []
        picture(page, "live-squats", full_page=True)
        page.get_by_test_id("language").select_option("ko")
        expect(page.get_by_test_id("exercise-name")).to_contain_text("스쿼트")
        expect(page.get_by_test_id("improve")).to_contain_text("뒤로 물러서세요.")
        page.set_viewport_size(PHONE)
        page.emulate_media(color_scheme="light")
        assert faults(page) == []
        picture(page, "live-ko-phone", full_page=True)
        page.set_viewport_size(SCREEN)
        page.emulate_media(color_scheme="dark")
        page.get_by_test_id("language").select_option("en")
        box.wait("/api/v1/sessions", lambda a: a["sessions"] and a["sessions"][0]["ended"])
        page.goto(f"http://127.0.0.1:{box.port}/#/sessions")
        page.get_by_test_id("session-row").first.get_by_role("link").first.click()
        expect(page.get_by_test_id("angle-chart")).to_be_visible()
        expect(page.get_by_test_id("session-page")).to_contain_text(f"{REPS}")
        page.wait_for_timeout(500)
        picture(page, "session")
    finally:
        output = box.stop()
    assert errors == []
    assert "Traceback" not in output


def test_real_footage(page: Page, tmp_path: Path, models: Path) -> None:
    """The demo: a man does two jumping jacks; the page says so."""
    try:
        clip = demo_video()
    except CameraError as error:
        missing(f"demo footage ({error})")
    box = Box(clip, tmp_path / "state", "--loop", exercise="jumping_jack")
    try:
        box.wait("/api/v1/status", bool)
        page.goto(f"http://127.0.0.1:{box.port}/")
        count = page.get_by_test_id("rep-count")
        # The clip loops; a busy machine misses pictures of it, and may need more than one turn.
        highest = 0
        for _ in range(round(LOOPS * CLIP_S * 10)):
            highest = max(highest, int(count.inner_text()))
            if highest >= 2:
                picture(page, "live-footage")
                break
            page.wait_for_timeout(100)
        assert highest in {2, 3}  # after two jacks he jumps off the wall with his arms up, which counts
    finally:
        box.stop()
