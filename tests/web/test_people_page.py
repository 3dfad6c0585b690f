"""Several people in a real browser: whom one looks at, who waits, the station, and drawing on the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Locator, Page, Position, expect

from edge.calibration import CameraSettings
from tests.running import RATE, record_squats
from tests.several import in_turns, moved, recorded, side_by_side
from tests.web.conftest import PHONE, faults, picture
from tests.web.workout import workout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge.link import PoseFrame, Subject
    from tests.web.workout import Workout


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> list[PoseFrame]:
    """Ten seconds of four people: the first and the largest squats, the others stand."""
    trace = tmp_path_factory.mktemp("trace") / "squats.trace"
    record_squats(trace)
    squats = recorded(trace)[: 10 * RATE]
    still = [replace(one, subjects=squats[0].subjects) for one in squats]
    frames = side_by_side([squats, still, still, still])
    return [replace(one, subjects=(_nearer(one), *one.subjects[1:])) for one in frames]


def _nearer(frame: PoseFrame) -> Subject:
    return moved(frame.subjects[0], who=1, x=-40.0, y=-120.0, size=1.3)


@pytest.fixture
def gym(tmp_path: Path) -> Iterator[Workout]:
    with workout(tmp_path, "squat") as gym:
        yield gym


def show(gym: Workout, frames: list[PoseFrame]) -> None:
    """Before the camera, as fast as the hub takes it."""
    for at in range(0, len(frames), 10):
        gym.box.do(lambda batch: [gym.hub.take(one) for one in batch], frames[at : at + 10])


def open_page(
    browser: Browser, gym: Workout, where: str, language: str, appearance: str, **size: int
) -> Page:
    page = browser.new_page(
        viewport=size or {"width": 1280, "height": 800},  # type: ignore[arg-type]
        locale=language,
        color_scheme=appearance,  # type: ignore[arg-type]
        has_touch=bool(size),
    )
    page.set_default_timeout(20_000)
    page.goto(f"{gym.box.url}/#/{where}")
    return page


def at(canvas: Locator, x: float, y: float) -> Position:
    """Where the picture of 640 x 480, as large as fits, has this share of its width and height."""
    box = canvas.bounding_box()
    assert box is not None
    scale = min(box["width"] / 640, box["height"] / 480)
    return {
        "x": box["width"] / 2 + (x - 0.5) * 640 * scale,
        "y": box["height"] / 2 + (y - 0.5) * 480 * scale,
    }


def test_one_looks_at_whom_one_chooses(browser: Browser, gym: Workout, crowd: list[PoseFrame]) -> None:
    page = open_page(browser, gym, "", "en-GB", "dark")
    expect(page.get_by_test_id("camera-state")).to_have_attribute("data-connection", "open")
    show(gym, in_turns(crowd, most=3))
    count, people = page.get_by_test_id("rep-count"), page.get_by_test_id("person")
    expect(count).to_have_text("4")  # of who is nearest
    expect(people).to_have_count(4)  # though one of them was not read in the newest picture
    expect(page.get_by_test_id("people")).to_have_text("4")
    expect(page.get_by_test_id("turns")).to_contain_text("4 people are followed, in turns.")
    expect(page.get_by_test_id("last-repetition")).to_contain_text("Range of a repetition")
    assert faults(page) == []
    people.nth(1).click()
    expect(count).to_have_text("0")
    expect(page.get_by_test_id("last-repetition")).not_to_be_visible()
    gym.box.do(gym.hub.end, "stopped")  # the set of the first one ends
    expect(page.get_by_test_id("set-summary")).not_to_be_visible()
    page.get_by_role("button", name="Automatic").click()
    expect(count).to_have_text("4")
    expect(page.get_by_test_id("set-summary")).to_be_visible()
    page.close()


def test_the_station_is_free_and_then_taken(browser: Browser, gym: Workout, crowd: list[PoseFrame]) -> None:
    place = ((0.8, 0.0), (1.0, 0.0), (1.0, 1.0), (0.8, 1.0))
    gym.box.do(gym.hub.live.setup.choose, CameraSettings(station=place))
    page = open_page(browser, gym, "", "ko-KR", "light", **PHONE)
    expect(page.get_by_test_id("camera-state")).to_have_attribute("data-connection", "open")
    show(gym, [replace(one, subjects=one.subjects[:3]) for one in crowd[:60]])
    expect(page.get_by_test_id("turns")).to_contain_text("스테이션에 아무도 없습니다.")
    assert faults(page) == []
    show(gym, crowd[60:90])
    expect(page.get_by_test_id("turns")).to_be_empty()
    expect(page.get_by_test_id("exercise-name")).to_contain_text("스쿼트")
    expect(page.get_by_test_id("person")).to_have_count(0)  # there is nobody else to look at
    page.close()


def test_zones_are_drawn_with_the_mouse_and_with_the_keyboard(
    browser: Browser, gym: Workout, crowd: list[PoseFrame]
) -> None:
    setup = gym.hub.live.setup
    page = open_page(browser, gym, "camera", "en-GB", "dark")
    canvas, save = page.get_by_test_id("zone-canvas"), page.get_by_test_id("save-zones")
    expect(canvas).to_be_visible()
    show(gym, crowd[:30])
    expect(canvas.locator(".place")).not_to_have_count(0)  # where they were seen
    page.get_by_test_id("add-zone").click()
    for x, y in ((0.1, 0.1), (0.3, 0.1), (0.3, 0.9), (0.11, 0.1)):  # the last closes it
        canvas.click(position=at(canvas, x, y))
    expect(page.get_by_test_id("zones-said")).to_have_text("Not saved yet.")
    assert setup.settings.zones == ()
    page.get_by_test_id("add-station").click()
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")  # the same place twice is no corner
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("zones-said")).to_have_text("4 corners")
    page.keyboard.press("Backspace")
    page.get_by_test_id("finish-zone").click()
    page.get_by_role("button", name="Change the corners: Station").click()
    page.get_by_role("button", name="Corner 1").focus()
    page.keyboard.press("ArrowLeft")
    picture(page, "zones-en")
    assert faults(page) == []
    save.click()
    expect(page.get_by_test_id("zones-said")).to_contain_text("Saved.")
    (zone,) = setup.settings.zones
    shares = [share for corner in zone for share in corner]
    assert shares == pytest.approx([0.1, 0.1, 0.3, 0.1, 0.3, 0.9], abs=0.005)
    page.get_by_test_id("delete-zone").first.click()
    save.click()
    expect(page.get_by_test_id("zones-said")).to_contain_text("Saved.")
    assert setup.settings.zones == ()
    assert setup.settings.station is not None
    page.reload()
    expect(page.get_by_test_id("delete-zone")).to_have_count(1)  # the station
    page.close()


def test_zones_are_tapped_on_a_phone_and_what_is_no_zone_is_refused(browser: Browser, gym: Workout) -> None:
    page = open_page(browser, gym, "camera", "ko-KR", "light", **PHONE)
    canvas = page.get_by_test_id("zone-canvas")
    page.get_by_test_id("add-zone").tap()
    for x in (0.2, 0.5, 0.8):
        canvas.tap(position=at(canvas, x, 0.5))
    page.get_by_test_id("finish-zone").tap()
    page.get_by_test_id("save-zones").tap()
    expect(page.get_by_test_id("zones-said")).to_contain_text("꼭짓점이 한 줄에 있습니다.")
    assert faults(page) == []
    picture(page, "zones-ko-phone", full_page=True)
    assert gym.hub.live.setup.settings.zones == ()
    page.close()
