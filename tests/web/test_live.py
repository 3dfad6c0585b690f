"""The box's state as time passes, with a clock that stands still until told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from edge.calibration import CameraSettings
from edge.camera_setup import CameraSetup
from edge.coach_setup import CoachSetup
from edge.errors import ConfigError
from edge.web.live import SAID_MOST, SAID_S, STALE_S, LiveState
from edge.web.messages import Camera, Event, SubjectFrame
from edge.web.records import ModelInfo
from tests.web.box import frame

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(clock: Clock, tmp_path: Path) -> LiveState:
    return LiveState(
        camera="cam0",
        model=ModelInfo(name="blazepose", precision="int8"),
        skeletons={},
        setup=CameraSetup(tmp_path, CameraSettings()),
        coaching=CoachSetup(tmp_path),
        on_exercise=lambda _: None,
        clock=clock,
        utc=lambda: 1_800_000_000.0,
    )


def test_a_live_camera_whose_frames_stop_is_not_live(state: LiveState, clock: Clock) -> None:
    state.publish_camera(Camera(camera="cam0", state="live"))
    state.publish_frame(frame(fps=30.0))
    clock.now += STALE_S - 0.1
    assert state.health(store_ok=True).status == "ok"
    assert state.status().camera.fps == 30.0
    clock.now += 0.1
    health = state.health(store_ok=True)
    assert (health.status, health.camera, health.frame_age_s) == ("degraded", "live", pytest.approx(STALE_S))
    assert state.status().camera.fps == 0.0
    state.publish_frame(frame())
    assert state.health(store_ok=True).status == "ok"
    assert state.health(store_ok=False).status == "degraded"


def test_uptime(state: LiveState, clock: Clock) -> None:
    clock.now += 12.5
    assert state.status().uptime_s == 12.5


def test_losses_are_added_up_over_restarts_of_vision(state: LiveState) -> None:
    for dropped in (2, 2, 5, 0, 1, 4):
        state.publish_frame(frame(dropped=dropped))
    assert (state.status().link.frames, state.status().link.dropped) == (6, 9)


def test_nobody_is_in_front_of_a_lost_camera(state: LiveState) -> None:
    person = SubjectFrame(id=1, species="human", skeleton="stick3", score=1.0, keypoints=[])
    state.publish_frame(frame(subjects=[person]))
    assert state.metrics.registry.get_sample_value("kinebox_subjects") == 1
    state.publish_camera(Camera(camera="cam0", state="lost", detail="unplugged"))
    assert state.metrics.registry.get_sample_value("kinebox_subjects") == 0


def test_a_refused_exercise_changes_nothing(state: LiveState) -> None:
    state.choose("plank")
    with pytest.raises(ConfigError, match="flying"):
        state.choose("flying")
    assert state.exercise == "plank"


def test_an_unwatched_frame_is_not_encoded(state: LiveState) -> None:
    unwatched = frame()
    state.publish_frame(unwatched)
    assert unwatched.sent_ms == 0.0
    with state.clients.client():
        state.publish_frame(unwatched)
    assert unwatched.sent_ms == 1_800_000_000_000.0


def test_a_browser_that_comes_later_is_told_how_the_last_set_was(state: LiveState, clock: Clock) -> None:
    def told() -> list[str]:
        return [kind for text in state.greeting() if (kind := json.loads(text).get("kind"))]

    for kind in ("set_start", "rep", "rep_measured", "set_end", "set_summary"):
        state.publish_event(Event(subject=1, kind=kind, t=1.0, exercise="squat"))
    assert sorted(told()) == ["rep_measured", "set_summary"]
    clock.now += SAID_S
    assert told() == []
    clock.now -= SAID_S
    state.choose("squat")
    assert told() == []
    state.publish_event(Event(subject=1, kind="set_summary", t=2.0, exercise="squat"))
    assert told() == ["set_summary"]
    state.publish_event(Event(subject=1, kind="set_start", t=3.0, exercise="squat"))
    assert told() == []


def test_what_was_said_of_one_is_not_taken_back_by_another(state: LiveState) -> None:
    def told() -> list[tuple[int, str]]:
        events = [json.loads(text) for text in state.greeting()[2:]]
        return [(event["subject"], event["kind"]) for event in events]

    for subject in (1, 2):
        state.publish_event(Event(subject=subject, kind="set_summary", t=1.0, exercise="squat"))
    state.publish_event(Event(subject=2, kind="set_start", t=2.0, exercise="squat"))
    assert told() == [(1, "set_summary")]
    for subject in range(3, 100):
        state.publish_event(Event(subject=subject, kind="set_summary", t=1.0, exercise="squat"))
    assert told() == [(subject, "set_summary") for subject in range(100 - SAID_MOST, 100)]
