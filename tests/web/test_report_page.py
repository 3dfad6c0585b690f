"""The report of a session in a real browser, on the screen and on paper; KINEBOX_PICTURES=FOLDER keeps both."""

from __future__ import annotations

import math
import os
import re
import shutil
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect

from edge.coach.coach import REST_S as SET_REST_S
from edge.coach.observer import Observer
from edge.link import PoseFrame
from edge.recorder import SAMPLE_EVERY_S, SAMPLE_IN_SET_S, Recorder
from tests.figure import Figure
from tests.web.box import Box, running
from tests.web.conftest import STATIC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.store import Store

FPS, REST_S, REP_S, REPS = 30, 26.0, 2.0, 4
MM_PER_POINT = 25.4 / 72


def record_two_sets(store: Store) -> str:
    """Two sets of squats before a real observer and recorder; the right knee bends less than the left."""
    observer, recorder = Observer("squat"), Recorder(store)
    recorder.camera, recorder.model = "cam0", "generated"
    first_end = 1 + REPS * REP_S
    starts = (1.0, first_end + REST_S)
    session = None
    for number in range(round((starts[1] + REPS * REP_S + 2) * FPS)):
        t = number / FPS
        into = next((t - start for start in starts if 0 <= t - start < REPS * REP_S), 0.0)
        deepest = (100 if t < first_end else 90) + 4 * (into // REP_S % 2)
        depth = deepest * (1 - math.cos(2 * math.pi * into / REP_S)) / 2
        figure = Figure(knee=(depth, 0.85 * depth), hip=(depth, 0.9 * depth), lean=0.3 * depth, yaw=30)
        frame = PoseFrame(
            camera="cam0",
            number=number,
            monotonic_ns=round(t * 1e9),
            utc_ns=round((1_800_000_000 + t) * 1e9),
            width=640,
            height=480,
            timings={"total": 1.0},
            subjects=(figure.subject(),),
        )
        for seen in observer.update(frame):
            recorder.take(seen, t, frame.utc_ns)
            session = recorder.session(seen.person) or session
    for person in observer.finish():
        recorder.leave(person, "left")
    store.flush()
    assert session is not None
    return session


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("box"), static=STATIC) as box:
        yield box


@pytest.fixture(scope="module")
def session(box: Box) -> str:
    return record_two_sets(box.store)


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
    expect(report).to_contain_text(session)
    rows = report.locator("tr[data-metric]")
    assert rows.count() > 3
    for row in rows.all():
        assert re.search(r"\d", row.locator(".value").inner_text())
        assert row.locator("[data-grade]").get_attribute("data-grade") in {"A", "B", "C"}
        assert row.locator("td").last.inner_text()
    assert page.locator("html").get_attribute("data-theme") == "light"  # though the browser prefers dark


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
