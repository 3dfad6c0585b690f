"""What the page says of the network, as vision says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from playwright.sync_api import expect

from edge.link import CameraState, Hello, NetworkUse
from edge.web.records import Health
from tests.web.workout import workout

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser


@pytest.mark.parametrize(
    ("network", "said"),
    [("none", None), ("camera", "reached over the network"), ("open", "cannot be shut off from the network")],
)
def test_the_page_and_healthz_say_what_vision_has_of_the_network(
    browser: Browser, tmp_path: Path, network: NetworkUse, said: str | None
) -> None:
    with workout(tmp_path) as person:
        hello = Hello(camera="cam0", source="test", model="generated", precision="fp32", network=network)
        person.box.do(person.hub.take, hello)
        person.box.do(person.hub.take, CameraState(camera="cam0", state="live", monotonic_ns=0))
        with person.box.client() as http:
            assert msgspec.json.decode(http.get("/healthz").content, type=Health).network == network
        page = browser.new_page(locale="en-GB")
        page.goto(person.box.url)
        expect(page.get_by_test_id("camera-state")).to_have_attribute("data-state", "live")
        note = page.get_by_test_id("camera-network")
        if said is None:
            expect(note).to_have_count(0)
        else:
            expect(note).to_contain_text(said)
        page.close()
