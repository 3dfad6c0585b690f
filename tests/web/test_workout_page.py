"""A workout on the live page: what is counted, corrected, timed, named and said, in a real browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect

from edge.web.messages import Event
from tests.web.conftest import PHONE, faults, picture
from tests.web.workout import Workout, workout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LISTEN = """
window.said = [];
class Words extends EventTarget { constructor(text) { super(); this.text = text; } }
window.SpeechSynthesisUtterance = Words;
let speaking = null;
Object.defineProperty(window, "speechSynthesis", { value: {
  speak(words) {
    said.push({ text: words.text, lang: words.lang, by: words.voice?.name, over: speaking !== null });
    speaking = words;
    setTimeout(() => { if (speaking === words) { speaking = null; words.onend?.(); } }, 20);
  },
  cancel() { speaking = null; },
  getVoices: () => [
    { name: "far away", lang: "en-US", localService: false, default: true },
    { name: "here", lang: "en-GB", localService: true, default: false },
  ],
} });
"""
"""In place of the browser's voice: what was said, and whether something else was being said at that moment."""


def shown(page: Page, name: str, text: str | re.Pattern[str]) -> None:
    expect(page.get_by_test_id(name)).to_have_text(text)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(
        viewport={"width": 1920, "height": 1080}, locale="en-GB", color_scheme="dark", reduced_motion="reduce"
    )
    page.set_default_timeout(20_000)
    yield page
    page.close()


def ready(page: Page, person: Workout) -> None:
    page.goto(person.box.url)
    expect(page.get_by_test_id("camera-state")).to_have_attribute("data-connection", "open")


def test_without_depth_the_exercise_has_to_be_chosen(page: Page, tmp_path: Path) -> None:
    with workout(tmp_path) as person:
        person.flat = True
        ready(page, person)
        person.squats(3, 100)
        shown(page, "improve", re.compile("no depth.* Choose the exercise above"))
        page.get_by_test_id("exercise-picker").select_option("squat")
        person.squats(3, 100)
        shown(page, "exercise-name", "Squat")
        expect(page.get_by_test_id("improve")).not_to_contain_text("depth")


def test_a_set_is_seen_as_it_happens(page: Page, tmp_path: Path) -> None:
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    with workout(tmp_path) as person:
        ready(page, person)
        shown(page, "exercise-name", "Watching for an exercise")
        person.stand(1)
        shown(page, "exercise-name", "Recognising…")
        person.squats(3, 100)
        shown(page, "exercise-name", "Squat")
        shown(page, "rep-count", "3")
        person.squats(2, 72)
        person.stand(0.6)
        shown(page, "cue", "Go a little lower.")
        expect(page.get_by_test_id("cue")).to_have_attribute("data-tone", "weighty")
        shown(page, "rep-count", "5")
        shown(page, "set", "1")
        shown(page, "set-time", re.compile(r"0:1[0-5]"))
        shown(page, "rest", "\N{EN DASH}")
        assert faults(page) == []
        person.squats(0.5, 100)
        shown(page, "phase", "Turning point")
        page.wait_for_timeout(300)  # numbers change a few times a second
        person.squats(1 / 36, 100, begin=0.5)
        picture(page, "live")
        person.squats(0.5, 100, begin=0.5)
        person.squats(1, 50)
        person.stand(6)
        shown(page, "rep-count", "6")
        shown(page, "partial-reps", "1")
        expect(page.get_by_test_id("cue")).to_have_count(0)
    assert errors == []


def test_a_rest_is_timed_and_the_next_set_begins_anew(page: Page, tmp_path: Path) -> None:
    with workout(tmp_path) as person:
        ready(page, person)
        person.squats(3, 100)
        person.squats(3, 72)
        person.stand(10)
        shown(page, "rest", re.compile(r"0:(09|1\d)"))
        person.stand(12)
        summary = page.get_by_test_id("set-summary")
        expect(summary).to_contain_text("Set done: Squat")
        expect(summary).to_contain_text(re.compile(r"Good.*Next time\s*Go a little lower\.", re.DOTALL))
        shown(page, "rep-count", "6")
        shown(page, "rest", re.compile(r"0:2\d"))
        assert faults(page) == []
        picture(page, "live-rest")
        page.get_by_test_id("language").select_option("ko")
        expect(summary).to_contain_text("조금만 더 내려가세요.")
        page.set_viewport_size(PHONE)
        page.emulate_media(color_scheme="light")
        assert faults(page) == []
        picture(page, "live-rest-ko-phone", full_page=True)
        page.reload()
        expect(summary).to_contain_text("조금만 더 내려가세요.")
        shown(page, "rep-count", "6")
        expect(page.get_by_test_id("last-repetition")).to_be_visible()
        person.squats(2, 100)
        person.stand(0.5)
        expect(summary).to_have_count(0)
        shown(page, "rep-count", "2")
        shown(page, "set", "2")
        shown(page, "total-reps", "8")


def test_who_walks_away_after_a_set_is_told_how_it_was(page: Page, tmp_path: Path) -> None:
    with workout(tmp_path) as person:
        ready(page, person)
        person.squats(4, 100)
        shown(page, "rep-count", "4")
        person.leave()
        summary = page.get_by_test_id("set-summary")
        expect(summary).to_contain_text("Set done: Squat")
        page.reload()
        expect(summary).to_contain_text("Set done: Squat")
        shown(page, "exercise-name", "Squat")
        shown(page, "rep-count", "4")
        page.get_by_test_id("exercise-picker").select_option("lunge")
        expect(summary).to_have_count(0)
        page.reload()
        shown(page, "exercise-name", "Lunge")
        expect(summary).to_have_count(0)


def test_each_arm_has_its_count(page: Page, tmp_path: Path) -> None:
    with workout(tmp_path, "biceps_curl") as person:
        ready(page, person)
        for _ in range(2):
            person.curls()
        person.stand(0.5)
        shown(page, "rep-count", "4")
        shown(page, "sides", "2 | 2")


def test_another_name_is_said(page: Page, tmp_path: Path) -> None:
    with workout(tmp_path, "squat") as person:
        ready(page, person)
        person.stand(1)
        shown(page, "exercise-name", "Squat")
        event = Event(subject=1, kind="set_renamed", t=1.0, exercise="jump_squat")
        person.box.do(person.box.state.publish_event, event)
        shown(page, "renamed", "This set is counted as: Jump squat")
        page.get_by_test_id("language").select_option("ko")
        expect(page.get_by_test_id("renamed")).to_contain_text("점프 스쿼트")


def test_a_hold_is_counted_in_seconds_and_each_ten_are_said(page: Page, tmp_path: Path) -> None:
    page.add_init_script(LISTEN)
    with workout(tmp_path, "plank") as person:
        ready(page, person)
        page.get_by_test_id("voice").select_option("counts")
        person.stand(1)
        shown(page, "improve", "Put the camera low, to the side of you.")
        page.get_by_test_id("exercise-name").click()
        for seconds in ("[89]", "1[78]", "2[67]"):
            person.plank(9)
            shown(page, "hold", re.compile(f"^{seconds}$"))
        assert page.evaluate("said.map(({text}) => text)") == ["10 seconds", "20 seconds"]


def test_what_is_said(page: Page, tmp_path: Path) -> None:
    page.add_init_script(LISTEN)

    def said() -> list[str]:
        told = page.evaluate("said.splice(0)")
        tag = {"en": "en-US", "ko": "ko-KR"}[page.evaluate("document.documentElement.lang")]
        assert not any(one["over"] for one in told)
        assert {one["lang"] for one in told} <= {tag}
        assert {one.get("by") for one in told} <= {"here" if tag == "en-US" else None}
        return [one["text"] for one in told]

    with workout(tmp_path, "squat") as person:
        ready(page, person)
        page.evaluate("localStorage.setItem('kinebox.voice', 'counts')")
        page.reload()
        expect(page.get_by_test_id("camera-state")).to_have_attribute("data-connection", "open")
        person.squats(2, 100)
        shown(page, "rep-count", "2")
        assert said() == []  # nobody has touched the page
        expect(page.get_by_test_id("silent")).to_be_visible()
        page.get_by_test_id("exercise-name").click()
        expect(page.get_by_test_id("silent")).to_have_count(0)
        person.squats(1, 100)
        shown(page, "rep-count", "3")
        assert said() == ["3"]
        for count in (4, 5, 6):
            person.squats(1, 72)
            shown(page, "rep-count", str(count))
        words = said()
        assert "Go a little lower." in words
        assert set(words) <= {"Go a little lower.", "4", "5", "6"}
        page.get_by_test_id("language").select_option("ko")
        page.get_by_test_id("voice").select_option("cues")
        person.stand(16)
        person.squats(4, 72)
        shown(page, "rep-count", "10")
        assert said() == ["조금만 더 내려가세요."]
        page.get_by_test_id("strictness").select_option("off")
        expect(page.get_by_test_id("strictness")).to_have_value("off")
        with person.box.client() as http:
            assert http.get("/api/v1/coach").json() == {"strictness": "off"}
        person.stand(16)
        person.squats(4, 72)
        shown(page, "rep-count", "14")
        assert said() == []
