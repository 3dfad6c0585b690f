"""The hub between vision, store and browsers: records in, sessions kept, events told once."""

from __future__ import annotations

import asyncio
import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from edge.calibration import CameraSettings
from edge.coach.observer import Observer
from edge.coach.records import CoachEvent, Cue, SetSummary
from edge.hub.follow import follow
from edge.hub.hub import Hub, _Total
from edge.link import CameraState, Hello, Watch
from edge.link_socket import Publisher
from edge.recorder import Recorder
from edge.store import Store
from edge.store.records import KeptSummary
from tests.coach.test_observer import RATE, frame, squatting, standing
from tests.figure import Figure
from tests.running import REPS, record_squats
from tests.several import in_turns, recorded, side_by_side
from tests.store.samples import repetition as counted
from tests.test_calibration import seen
from tests.truth.camera import Camera
from tests.truth.walking import walk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge.link import PoseFrame
    from edge.web.messages import Event, Frame

HELLO = Hello(camera="cam0", source="test", model="blazepose", precision="int8")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "kinebox.db") as store:
        yield store


class Desk:
    """A hub whose events are listened to."""

    def __init__(self, store: Store, exercise: str) -> None:
        self.store = store
        self.hub = Hub(store, exercise)
        self.events: list[Event] = []
        publish = self.hub.live.publish_event

        def listen(event: Event) -> None:
            self.events.append(event)
            publish(event)

        self.hub.live.publish_event = listen  # type: ignore[method-assign]
        self.hub.take(HELLO)

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]


def plank(number: int) -> PoseFrame:
    return frame(number, Figure(lean=80, hip=(5, 5), elbow=(90, 90), yaw=90).subject())


def test_a_stay_becomes_a_session_and_everything_is_told_once(store: Store) -> None:
    desk = Desk(store, "squat")
    for number in range(1, 330):
        desk.hub.take(frame(number, squatting(number, 1)))
    desk.hub.take(CameraState(camera="cam0", state="ended", monotonic_ns=11 * 10**9))
    kinds = desk.kinds()
    assert [kind for kind in kinds if kind != "rep_measured"] == [
        *("set_start", "rep", "session_start", "rep", "rep", "rep", "rep"),
        *("set_end", "set_summary", "session_end"),
    ]
    assert kinds.count("rep_measured") == 5
    store.flush()
    (session,) = store.sessions(10)
    assert (session.end_reason, session.camera, session.model) == ("source_ended", "cam0", "blazepose-int8")
    samples = store.samples(session.id, ["knee_flexion_left"])
    assert samples.t[0] == pytest.approx(0, abs=0.01)  # also from before the stay became a session
    assert max(b - a for a, b in pairwise(samples.t)) < 0.3
    (done,) = store.session(session.id).sets
    assert [repetition.t for repetition in done.repetitions] == pytest.approx([1, 3, 5, 7, 9], abs=0.1)
    assert done.summary is not None
    assert (done.summary.exercise, done.summary.reps, done.rejected_reps) == ("squat", 5, 0)
    for repetition in done.repetitions:
        assert repetition.measures["rep_range"].value == pytest.approx(100, abs=6)


def test_those_who_walk_by_leave_no_session_but_their_set_ends(store: Store) -> None:
    desk = Desk(store, "squat")
    for number in range(1, 80):
        desk.hub.take(frame(number, squatting(number, 1)))
    desk.hub.end("stopped")
    assert desk.kinds() == ["set_start", "rep", "rep_measured", "set_end", "set_summary"]
    store.flush()
    assert store.sessions(10) == []


def test_each_hold_is_kept_for_itself_even_when_the_power_goes(store: Store) -> None:
    desk = Desk(store, "plank")
    for number in range(1, round(8 * RATE)):
        desk.hub.take(plank(number))
    for number in range(round(8 * RATE), round(40 * RATE)):
        desk.hub.take(frame(number, Figure(yaw=90).subject()))
    for number in range(round(40 * RATE), round(45 * RATE)):
        desk.hub.take(plank(number))
    store.flush()
    (session,) = store.sessions(10)
    held = [done.hold_s for done in store.session(session.id).sets]
    assert held == pytest.approx([8, 5], abs=0.3)  # as it stands on the disk, with the second hold going on


def test_another_exercise_is_chosen_in_the_dashboard(store: Store) -> None:
    desk = Desk(store, "squat")
    for number in range(1, 150):
        desk.hub.take(frame(number, squatting(number, 1)))
    before = len(desk.events)
    desk.hub.live.choose("squat")
    assert len(desk.events) == before
    desk.hub.live.choose("lunge")
    desk.hub.take(frame(150, squatting(150, 1)))
    assert desk.kinds()[before:] == ["set_end", "set_summary"]


CUE = Cue(t=6.0, exercise="squat", rule="depth", text={"en": "Lower.", "ko": "더 내려가세요."})


def test_a_set_is_kept_under_the_name_that_was_found_and_with_what_was_said(store: Store) -> None:
    observer, recorder = Observer("squat"), Recorder(store)

    def happened(kind: str, t: float, exercise: str = "squat", **more: Any) -> CoachEvent:
        return CoachEvent(t=t, kind=kind, exercise=exercise, **more)  # type: ignore[arg-type]

    told = {
        130: [happened("set_start", 4), happened("rep", 4.2, repetition=counted(4.2))],
        160: [happened("cue", 5.2, cue=CUE), happened("rejected_rep", 5.3, reason="trunk_lean")],
        170: [happened("set_renamed", 5.6, "jump_squat"), happened("cue", 6, "jump_squat", cue=CUE)],
        180: [happened("rejected_rep", 6.0, reason="hip_split"), happened("cue", 6, cue=CUE)],
        200: [
            happened("set_end", 6.5, "jump_squat"),
            happened("set_summary", 6.5, summary=SetSummary(exercise="jump_squat", reps=1, rejected_reps=2)),
        ],
    }
    events = []
    for number in range(1, 240):
        (seen,) = observer.update(frame(number, standing(1)))
        events += recorder.take(seen._replace(events=told.get(number, [])), number / RATE, None)
        if number == 190:
            store.flush()
            (running,) = store.session(recorder.session(seen.person) or "").sets
            assert (running.exercise, running.rejected_reps, running.summary) == ("jump_squat", 2, None)
    store.flush()
    (session,) = store.sessions(1)
    assert [(one.exercise, one.reps) for one in session.exercises] == [("jump_squat", 1)]
    (done,) = store.session(session.id).sets
    assert done.summary == KeptSummary(exercise="jump_squat", reps=1, rejected_reps=2, cues={"depth": 2})
    reasons = [event.reason for event in events if event.kind == "rejected_rep"]
    assert reasons == ["trunk_lean", "hip_split"]
    assert [event.cue for event in events if event.kind == "cue"] == [CUE] * 3


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> list[PoseFrame]:
    """Four recordings of one person each, as one: three squat, and the second comes later and stands."""
    trace = tmp_path_factory.mktemp("trace") / "squats.trace"
    record_squats(trace)
    squats = recorded(trace)
    still = [
        frame(number, standing(1)) if number > 3 * RATE else frame(number)
        for number in range(1, len(squats) + 1)
    ]
    return side_by_side([squats, still, squats, squats])


def test_four_at_once_have_a_session_each_and_what_is_said_is_theirs(
    store: Store, crowd: list[PoseFrame]
) -> None:
    desk = Desk(store, "squat")
    said: dict[int, list[str]] = {}
    for taken in in_turns(crowd, most=3):
        desk.hub.take(taken)
    desk.hub.end("source_ended")
    for event in desk.events:
        said.setdefault(event.subject, []).append(event.kind)
    assert {who: kinds.count("rep") for who, kinds in said.items()} == {1: REPS, 2: 0, 3: REPS, 4: REPS}
    store.flush()
    sessions = {one.subject: one for one in store.sessions(10)}
    assert {who: sum(done.reps for done in one.exercises) for who, one in sessions.items()} == dict(
        zip((1, 2, 3, 4), (REPS, 0, REPS, REPS), strict=True)
    )
    assert sessions[2].duration_s == pytest.approx(sessions[1].duration_s - 3, abs=0.2)


def test_who_is_back_within_ten_seconds_goes_on_with_the_session(
    store: Store, crowd: list[PoseFrame]
) -> None:
    desk = Desk(store, "squat")
    for number, taken in enumerate(crowd):
        hidden = {1, 3} if 6 * RATE < number < 11 * RATE else set()
        if number > 3.5 * RATE:
            hidden |= {4}
        stay = tuple(one for one in taken.subjects if one.id not in hidden)
        desk.hub.take(msgspec.structs.replace(taken, subjects=stay))
    assert desk.kinds().count("session_start") == 4
    ended = [event.subject for event in desk.events if event.kind == "session_end"]
    assert ended == [4]  # who has been away for longer
    desk.hub.end("stopped")
    store.flush()
    assert len(store.sessions(10)) == 4


def test_the_station_decides_who_is_kept(store: Store, crowd: list[PoseFrame]) -> None:
    desk = Desk(store, "squat")
    third = ((0.5, 0.0), (0.75, 0.0), (0.75, 1.0), (0.5, 1.0))
    desk.hub.live.setup.choose(CameraSettings(station=third))
    browser = desk.hub.live.publish_frame
    shown: list[Frame] = []

    def watch(message: Frame) -> None:
        shown.append(message)
        browser(message)

    desk.hub.live.publish_frame = watch  # type: ignore[method-assign, assignment]
    for taken in crowd:
        desk.hub.take(taken)
    assert {event.subject for event in desk.events} == {3}
    assert {one.main for one in shown} == {3}
    assert {one.id for one in shown[-1].subjects if one.coach is None} == {1, 2, 4}
    desk.hub.live.setup.choose(
        CameraSettings(station=third, zones=(third,))
    )  # of the same station nothing changes
    desk.hub.end("stopped")
    store.flush()
    (session,) = store.sessions(10)
    assert (session.subject, session.exercises[0].reps) == (3, REPS)


MIRROR = ((0.0, 0.0), (0.2, 0.0), (0.2, 1.0), (0.0, 1.0))


def heard(publisher: Publisher) -> list[Watch]:
    """What vision has been told since the last time."""
    publisher.flush()
    return list(publisher.wishes())


def test_vision_is_told_what_to_leave_out_whenever_it_is_there_and_when_that_changes(
    store: Store, tmp_path: Path
) -> None:
    """The real loop of the hub, with a vision that goes and comes back."""

    async def main() -> None:
        hub = Hub(store, "auto")
        hub.live.setup.choose(CameraSettings(zones=(MIRROR,)))
        following = asyncio.create_task(follow(tmp_path / "vision.sock", hub))
        for _ in range(2):
            vision = Publisher(tmp_path / "vision.sock", HELLO)
            told: list[Watch] = []
            while not told:
                await asyncio.sleep(0.02)
                told = heard(vision)
            assert told == [Watch(zones=(MIRROR,))]
            hub.live.setup.choose(CameraSettings(zones=(MIRROR, MIRROR)))
            assert heard(vision) == [Watch(zones=(MIRROR, MIRROR))]
            hub.live.setup.choose(CameraSettings(zones=(MIRROR,)))
            heard(vision)
            vision.close()
        await asyncio.sleep(0.05)
        hub.live.setup.choose(CameraSettings())  # nobody hears it, and nothing breaks
        following.cancel()

    asyncio.run(asyncio.wait_for(main(), 20))


def test_sessions_from_before_the_clock_was_set_get_their_time(store: Store) -> None:
    desk = Desk(store, "squat")
    for number in range(1, 150):
        desk.hub.take(frame(number, squatting(number, 1)))
    now = 1_800_000_000 * 10**9
    desk.hub.take(msgspec.structs.replace(frame(150, squatting(150, 1)), utc_ns=now))
    desk.hub.end("stopped")
    store.flush()
    (session,) = store.sessions(10)
    assert session.started is not None
    assert session.started.timestamp() == pytest.approx(1_800_000_000 - 149 / RATE, abs=0.01)


def test_a_count_that_starts_again_is_added_up() -> None:
    total = _Total()
    assert [total.add(count) for count in (0, 3, 3, 5, 1, 2)] == [0, 3, 3, 5, 6, 7]


def test_frames_reach_the_browser_as_numbers_json_can_say(store: Store) -> None:
    desk = Desk(store, "auto")
    broken = Figure().subject()
    desk.hub.take(frame(1, msgspec.structs.replace(broken, keypoints=b"\x00\x00\xc0\x7f" * 99)))
    status = desk.hub.live.status()
    assert status.link.frames == 1
    assert not math.isnan(status.camera.fps)


def test_what_the_owner_says_holds_for_who_comes_next(store: Store) -> None:
    hub = Hub(store, "auto", CameraSettings(height_m=1.6, field=60))
    assert (hub.observer.height_m, hub.observer.lens(1280, 720).field) == (1.6, 60)
    hub.live.setup.choose(CameraSettings(height_m=1.82, field=75))
    assert (hub.observer.height_m, hub.observer.lens(1280, 720).field) == (1.82, 75)
    again = Hub(store, "auto", CameraSettings(height_m=1.6, field=60))
    assert (again.observer.height_m, again.observer.lens(1280, 720).field) == (1.82, 75)


def test_a_session_keeps_what_it_was_measured_with(store: Store) -> None:
    desk = Desk(store, "squat")
    desk.hub.live.setup.choose(CameraSettings(height_m=1.82, field=66))
    desk.hub.take(seen(camera="cam0", tilt=15.0))
    for number in range(1, 150):
        taken = frame(number, squatting(number, 1))
        desk.hub.take(msgspec.structs.replace(taken, width=1280, height=720))
    desk.hub.live.setup.choose(CameraSettings(height_m=1.6, field=66))  # of who comes next
    desk.hub.end("stopped")
    store.flush()
    (session,) = store.sessions(10)
    kept = store.session(session.id).calibration
    assert kept is not None
    assert (kept.source, kept.height_m, kept.field) == ("marker", 1.82, 66)
    assert (kept.tilt, kept.above) == pytest.approx((15, 1.2), abs=0.01)


def test_a_session_keeps_the_tilt_that_its_own_walk_showed(store: Store) -> None:
    desk = Desk(store, "auto")
    for taken in Camera(yaw=50.0, tilt=12, distance=6).see(walk(duration_s=5), 30):
        desk.hub.take(taken)
    desk.hub.end("stopped")
    store.flush()
    (session,) = store.sessions(10)
    kept = store.session(session.id).calibration
    assert kept is not None
    assert (kept.source, kept.tilt) == ("walks", pytest.approx(12, abs=1))
    assert (kept.height_m, kept.above) == (None, None)


def test_the_marker_calibrates_the_lens_of_who_comes_next(store: Store) -> None:
    hub = Hub(store, "auto")
    hub.take(Hello(camera="c", source="s", model="m", precision="int8"))
    assert hub.observer.lens(1280, 720).above is None
    hub.take(seen(camera="c", tilt=15.0))
    assert hub.observer.lens(1280, 720).tilt == pytest.approx(15, abs=0.01)
    assert hub.observer.lens(1280, 720).above == pytest.approx(1.2, abs=0.001)
