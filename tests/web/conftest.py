"""Boxes to talk to."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.conftest import ROOT, missing
from tests.web.box import Box, running
from tests.web.two_sets import record_two_sets

if TYPE_CHECKING:
    from collections.abc import Iterator

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
STATIC = ROOT / "edge" / "web" / "static"
PHONE: ViewportSize = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, and the dashboard built."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        missing("chromium (Debian package chromium)")
    if not (STATIC / "index.html").is_file():
        missing("the built dashboard (make setup)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


class Recorded(NamedTuple):
    """A box with two sessions; in the second the squats are deeper."""

    box: Box
    before: str
    now: str


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    with running(tmp_path_factory.mktemp("recorded"), static=STATIC) as box:
        yield Recorded(box, record_two_sets(box.store, (80, 75)), record_two_sets(box.store, day=1))


def picture(page: Page, name: str, **options: bool) -> None:
    """Keep a picture where KINEBOX_PICTURES=FOLDER asks for one."""
    if folder := os.environ.get("KINEBOX_PICTURES"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", **options)  # type: ignore[arg-type]


def faults(page: Page) -> list[str]:
    """What axe finds wrong with the page as it is now, and whether it is wider than its window."""
    found = Axe().run(page).response["violations"]
    told = [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return told + ([f"{overflow} pixels too wide"] if overflow > 0 else [])


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with running(tmp_path) as box:
        yield box


@pytest.fixture(scope="module")
def shared_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """For tests that leave no trace."""
    with running(tmp_path_factory.mktemp("box")) as box:
        yield box
