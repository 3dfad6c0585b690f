"""The dashboard says what waits for the cloud."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

from tests.running import Box
from tests.uplink.broker import Cloud, Mosquitto, until
from tests.uplink.test_box import configure, sessions
from tests.web.conftest import browser
from tests.web.test_live_page import page

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

__all__ = ["browser", "page"]

ASKS_EVERY_MS = 10_000


def test_what_waits_is_said_and_that_nothing_does(
    tmp_path: Path, short: Path, broker: Mosquitto, cloud: Cloud, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(tmp_path, monkeypatch, broker.port)
    cloud.answering = False
    box = Box(short, tmp_path / "state")
    try:
        status = box.wait("/api/v1/status", lambda a: a["uplink"] and a["uplink"]["rows"])
        assert status["uplink"]["connected"] is True
        assert status["uplink"]["bytes"] > 100
        page.clock.install()
        page.goto(f"http://127.0.0.1:{box.port}/#/sessions")
        line = page.get_by_test_id("uplink")
        expect(line).to_contain_text(re.compile("waits? for the cloud"))
        expect(line).to_contain_text("There is room for")
        cloud.answering = True
        assert until(lambda: any(row.change == "end" for row in sessions(cloud)), 60)
        box.wait("/api/v1/status", lambda a: a["uplink"]["rows"] == 0)
        page.clock.fast_forward(ASKS_EVERY_MS)
        expect(line).to_contain_text("The cloud has everything")
        broker.kill()
        box.wait("/api/v1/status", lambda a: not a["uplink"]["connected"])
        page.clock.fast_forward(ASKS_EVERY_MS)
        expect(line).to_contain_text("No connection to the cloud")
    finally:
        box.stop()
