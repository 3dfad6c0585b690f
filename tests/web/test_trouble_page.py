"""What is wrong with the box, and how it works, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, expect

from edge.box_records import CameraView, Tuning
from edge.caretaker import Caretaker
from edge.link import CameraState, PoseFrame
from edge.thermal import Thermometer
from edge.web.messages import Camera
from tests.web.box import Box, running
from tests.web.conftest import STATIC, faults

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TUNING = Tuning(
    basis="measured", precision="int8", threads=2, width=1280, height=720, fps=15.0, most=1, target=30.0,
    reasons={"precision": "faster", "threads": "more_threads", "size": "full", "fps": "too_slow", "most": "time"},
)  # fmt: skip
EMPTY = PoseFrame(
    camera="cam0", number=1, monotonic_ns=0, utc_ns=None, width=1280, height=720, timings={"total": 9.0}
)


class Dark:
    """A box in a dark room."""

    def __init__(self, box: Box, folder: Path) -> None:
        self.box, self.now = box, 0.0
        self.caretaker = Caretaker(
            folder, box.state.publish_trouble, Thermometer(folder / "none"), lambda: self.now
        )
        box.state.caretaker = self.caretaker
        box.state.publish_camera(Camera(camera="cam0", state="live"))
        self.caretaker.take(CameraState(camera="cam0", state="live", monotonic_ns=0))
        self.caretaker.take(TUNING)

    def look(self, brightness: float, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1
            self.caretaker.take(
                CameraView(
                    camera="cam0", monotonic_ns=0, brightness=brightness, contrast=20.0, sharpness=0.4,
                    noise=1.0, fps=30.0,
                )
            )  # fmt: skip
            self.caretaker.take(EMPTY)
            self.caretaker.tick()


@pytest.fixture
def dark(tmp_path: Path) -> Iterator[Dark]:
    with running(tmp_path, static=STATIC) as box:
        yield box.do(Dark, box, tmp_path)


def test_the_dashboard_says_what_is_wrong_and_how_the_box_works(browser: Browser, dark: Dark) -> None:
    dark.box.do(dark.look, 20.0, 15)
    page = browser.new_page(viewport={"width": 390, "height": 800}, locale="ko-KR")
    page.set_default_timeout(20_000)
    page.goto(f"{dark.box.url}/#/camera")
    expect(page.get_by_test_id("troubles")).to_contain_text("카메라 앞이 어둡습니다")
    tuning = page.get_by_test_id("tuning")
    for said in ("기기가 일하는 방식", "1280", "지금은 이보다 더 할 수 없습니다."):
        expect(tuning).to_contain_text(said)
    assert faults(page) == []
    dark.box.do(dark.look, 120.0, 15)
    page.reload()
    expect(page.get_by_test_id("tuning")).to_be_visible()
    expect(page.get_by_test_id("troubles")).to_be_empty()
    page.close()
