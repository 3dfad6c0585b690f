"""The page of the camera in a real browser: how it stands is seen as it is told, and what is set is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect

from edge.calibration import CameraSettings
from edge.marker_page import pdf
from tests.test_calibration import seen
from tests.web.box import Box, running
from tests.web.conftest import PHONE, STATIC, faults, picture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with running(tmp_path, static=STATIC) as box:
        yield box


def open_page(browser: Browser, box: Box, language: str, appearance: str, **size: int) -> Page:
    page = browser.new_page(
        viewport=size or {"width": 1280, "height": 800},  # type: ignore[arg-type]
        locale=language,
        color_scheme=appearance,  # type: ignore[arg-type]
    )
    page.set_default_timeout(20_000)
    page.goto(f"{box.url}/#/camera")
    expect(page.get_by_test_id("calibration")).to_be_visible()
    return page


def test_what_is_set_and_what_the_marker_tells(browser: Browser, box: Box) -> None:
    page = open_page(browser, box, "en-GB", "dark")
    expect(page.get_by_test_id("calibration")).to_contain_text("Not calibrated")
    assert faults(page) == []
    page.get_by_test_id("height").fill("182")
    page.get_by_test_id("field").fill("70")
    page.get_by_test_id("save-camera").click()
    expect(page.get_by_test_id("saved")).to_contain_text("Saved")
    assert box.state.setup.settings == CameraSettings(height_m=1.82, field=70)
    page.get_by_test_id("height").fill("270")
    page.get_by_test_id("save-camera").click()  # the browser says what is wrong with it
    assert box.state.setup.settings == CameraSettings(height_m=1.82, field=70)
    page.reload()
    expect(page.get_by_test_id("height")).to_have_value("182")
    page.get_by_test_id("height").fill("")
    page.get_by_test_id("field").fill("66")
    page.get_by_test_id("save-camera").click()
    expect(page.get_by_test_id("saved")).to_contain_text("Saved")
    assert box.state.setup.settings == CameraSettings()
    box.do(box.state.setup.keeper.take, seen(camera="cam0", tilt=15.0, roll=2.0))
    expect(page.get_by_test_id("calibration")).to_contain_text("Calibrated with the marker")
    for known in ("15°", "2°", "1.20 m"):
        expect(page.get_by_text(known, exact=True)).to_be_visible()
    picture(page, "camera-en")
    for _ in range(2):
        box.do(box.state.setup.keeper.walked, 31.0)
    expect(page.get_by_test_id("dropped")).to_contain_text("the camera was moved")
    page.close()


def test_on_a_phone_in_korean(browser: Browser, box: Box) -> None:
    page = open_page(browser, box, "ko-KR", "light", **PHONE)
    expect(page.get_by_test_id("calibration")).to_contain_text("보정되지 않았습니다")
    assert faults(page) == []
    picture(page, "camera-ko-phone", full_page=True)
    page.close()


def test_the_marker_is_the_one_that_is_printed(browser: Browser, box: Box) -> None:
    page = open_page(browser, box, "en-GB", "light")
    where = page.get_by_test_id("marker").get_attribute("href")
    assert where is not None
    with box.client() as http:
        answer = http.get(where.removeprefix("."))
    assert (answer.headers["content-type"], answer.content) == ("application/pdf", pdf())
    page.close()
