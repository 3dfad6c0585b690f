"""How old a picture is when a real browser has its joints, and when the dashboard has drawn them.

Chromium, driven by playwright, shows the dashboard of a running box; a script beside the page's own notes the times.
The page's clock is mapped to the box's as the page does it itself: by pings over the same WebSocket, of which the
quickest counts. A client in Python reads the same frames at the same time.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import threading
import time
from importlib import resources
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from edge.bench.processes import next_frame, running_box
from edge.bench.report import processor
from edge.errors import ConfigError, KineboxError
from edge.footage import demo_video
from edge.web.settings import WebSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from playwright.sync_api import Browser
    from websockets.sync.client import ClientConnection

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_SCREEN_S = 30.0
_SETTLE_S = 2.0
"""After the page has loaded: the pings that compare the clocks, and what a page does once."""


class Ages(msgspec.Struct, frozen=True):
    """Milliseconds since the picture was taken."""

    p50_ms: float
    p95_ms: float
    most_ms: float
    frames: int


class BrowserDelay(msgspec.Struct, frozen=True, kw_only=True):
    """What a running box's dashboard lags behind the camera."""

    clip: str
    machine: str
    browser: str
    """Name and version."""
    seconds: float
    fps: float
    """Frames a second that the browser got."""
    clock_ms: float
    """The page's and the box's clock are compared to within this, either way."""
    python: Ages
    """When a client in Python has the frame."""
    received: Ages
    """When the page's WebSocket has it."""
    drawn: Ages
    """When the page's canvas holds it, and is handed on to the screen. Two frames may come between two refreshes."""


def run_browser(seconds: float, json: bool, video: Path | None) -> None:
    """Measure for `seconds` and print. Raises KineboxError: no browser, no dashboard, no footage, no frames."""
    clip = video or demo_video()
    if not (WebSettings().static / "index.html").is_file():
        raise ConfigError("the dashboard is not built", "In a checkout, run: make setup")
    with Console(stderr=True).status("Watching the dashboard in a browser"):
        delay = measure(clip, seconds)
    if json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(delay)).decode() + "\n")
    else:
        _print(delay)


def measure(clip: Path, seconds: float) -> BrowserDelay:
    """A box on `clip`, over and over, and its dashboard in Chromium, for `seconds`. KineboxError as `run_browser`."""
    with _chromium() as browser, running_box(clip) as box:
        page = browser.new_page()
        page.set_default_timeout(_SCREEN_S * 1e3)
        page.add_init_script((resources.files("edge.bench") / "browser.js").read_text(encoding="utf-8"))
        page.goto(f"http://127.0.0.1:{box.port}/")
        page.wait_for_selector("html[data-ready='1']", state="attached")
        with _Reader(box.browser) as reader:
            page.wait_for_timeout(_SETTLE_S * 1e3)
            page.evaluate("kineboxNotes(true)")
            reader.ages.clear()
            start = time.monotonic()
            page.wait_for_timeout(seconds * 1e3)
            notes = page.evaluate("kineboxNotes(false)")
            passed, python = time.monotonic() - start, list(reader.ages)
        if not (notes["drawn"] and notes["pings"] and python):
            raise KineboxError(
                "the box runs, but the browser shows nothing of it", "See whether `kinebox demo` does."
            )
        trip, offset = min(notes["pings"])
        return BrowserDelay(
            clip=clip.name,
            machine=processor(),
            browser=f"Chromium {browser.version}",
            seconds=round(passed, 1),
            fps=round(len(notes["received"]) / passed, 1),
            clock_ms=round(trip / 2, 2),
            python=_ages(python),
            received=_ages(np.add(notes["received"], offset)),
            drawn=_ages(np.add(notes["drawn"], offset)),
        )


@contextlib.contextmanager
def _chromium() -> Iterator[Browser]:
    """The system's Chromium, else the one that playwright has fetched."""
    try:
        from playwright.sync_api import Error, sync_playwright  # noqa: PLC0415 - for this measurement alone
    except ImportError as error:
        raise ConfigError(
            "playwright, which drives the browser, is not installed", "Install it: pip install playwright"
        ) from error
    path = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path)
        except Error as error:
            reason = error.message.strip().splitlines()[0]
            raise ConfigError(
                f"Chromium does not start: {reason}",
                "Install it: apt install chromium, or playwright install chromium",
            ) from error
        try:
            yield browser
        except Error as error:
            reason = error.message.strip().splitlines()[0]
            raise KineboxError(f"the browser does not show the dashboard: {reason}") from error
        finally:
            browser.close()


class _Reader:
    """A client in Python: how old frames are when it has them."""

    def __init__(self, client: ClientConnection) -> None:
        self.ages: list[float] = []
        self._client = client
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> _Reader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._stop.is_set():
            capture_ms = next_frame(self._client)
            self.ages.append(time.time() * 1e3 - capture_ms)


def _ages(milliseconds: Sequence[float] | np.typing.NDArray[np.float64]) -> Ages:
    p50, p95, most = (round(float(np.percentile(milliseconds, share)), 1) for share in (50, 95, 100))
    return Ages(p50, p95, most, len(milliseconds))


def _print(delay: BrowserDelay) -> None:
    table = Table(
        box=SIMPLE,
        title=f"{delay.clip}: from the picture to the dashboard, {delay.fps:.1f} frames/s for {delay.seconds:.0f} s",
        caption=f"Milliseconds. The browser's clock is compared with the box's to within {delay.clock_ms:.1f} ms.",
    )
    table.add_column("", no_wrap=True)
    for column in ("p50", "p95", "most", "frames"):
        table.add_column(column, justify="right")
    rows = {
        "client in Python": delay.python,
        "browser's WebSocket": delay.received,
        "drawn by the page": delay.drawn,
    }
    for name, ages in rows.items():
        numbers = (ages.p50_ms, ages.p95_ms, ages.most_ms)
        table.add_row(name, *(f"{number:.1f}" for number in numbers), str(ages.frames))
    Console().print(table)
    Console().print(f"{delay.browser}, headless, on the box itself; {delay.machine}", highlight=False)
