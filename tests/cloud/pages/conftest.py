"""A browser, and the running pages for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud.api.who import ACCESS_COOKIE
from tests.cloud.pages.site import Site
from tests.web.conftest import browser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    from tests.cloud.fleet import Database

__all__ = ["browser"]


@pytest.fixture(scope="module")
def running(migrated: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The pages, for several tests."""
    one = Site(migrated, tmp_path_factory.mktemp("site"))
    yield one
    one.stop()


@pytest.fixture
def site(running: Site, database: Database) -> Iterator[Site]:
    """The pages, over the database of the test."""
    yield running
    log = running.log.read_text()
    print(log[-4000:])
    assert "Traceback" not in log


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """Opens pages, each for a visitor of their own; what the console complains of fails the test."""
    opened: list[Page] = []
    complaints: list[str] = []

    def make(by: str | None = None, **options: object) -> Page:
        look = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB"} | options
        page = browser.new_page(base_url=site.url, **look)  # type: ignore[arg-type]
        page.set_default_timeout(20_000)
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        opened.append(page)
        if by:
            page.context.add_cookies([{"name": ACCESS_COOKIE, "value": site.token(by), "url": site.url}])
        return page

    yield make
    for page in opened:
        page.context.close()
        page.close()
    # A refused form is told by its status, too, which the console repeats.
    assert [said for said in complaints if "the server responded with a status of" not in said] == []
