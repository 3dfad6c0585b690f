"""The live WebSocket, with real browsers' manners and without."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import ConnectionClosed

from edge.web import broadcast
from edge.web.broadcast import Broadcaster, HopelessClientError
from edge.web.messages import Camera, Coaching, Event, Measure, SubjectFrame
from tests.web.box import Box, frame, handshake, running

if TYPE_CHECKING:
    from pathlib import Path

    from websockets.sync.client import ClientConnection


def receive(connection: ClientConnection, kind: str) -> dict[str, Any]:
    while (message := json.loads(connection.recv(10)))["type"] != kind:
        pass
    return message


def close_code(connection: ClientConnection) -> int | None:
    try:
        while True:
            connection.recv(10)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


def wait_for(condition: Any) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_hello_and_the_camera_come_first(box: Box) -> None:
    box.do(box.state.publish_camera, Camera(camera="cam0", state="black", detail="lens_covered"))
    before = time.time() * 1000
    with box.watch() as browser:
        hello, camera = json.loads(browser.recv(5)), json.loads(browser.recv(5))
    assert hello["type"] == "hello"
    assert before - 1 <= hello["clock_ms"] <= time.time() * 1000
    told = {"type": "camera", "camera": "cam0", "state": "black", "detail": "lens_covered", "network": "none"}
    assert camera == told


def test_a_frame_in_full(box: Box) -> None:
    person = SubjectFrame(
        id=1,
        species="human",
        skeleton="stick3",
        score=0.98,
        keypoints=[[320.0, 40.5, 1.0], [300.0, 340.0, 0.9], [float("nan"), float("nan"), 0.0]],
        coach=Coaching(
            exercise="squat",
            given=True,
            phase="peak",
            reps=3,
            partial_reps=0,
            hold_s=0.0,
            tempo_s=None,
            progress=1.0,
            set=1,
            set_reps=3,
            set_s=3.2,
            measures={
                "knee_flexion_left": Measure(value=87.2, grade="B", reasons=("oblique_view",)),
                "trunk_lean": Measure(value=None, grade="none", reasons=("joint_hidden",)),
            },
        ),
    )
    with box.watch() as browser:
        receive(browser, "camera")
        box.do(box.state.publish_frame, frame(7, subjects=[person]))
        message = receive(browser, "frame")
    assert abs(message.pop("sent_ms") - time.time() * 1000) < 10_000
    assert message == {
        "type": "frame",
        "camera": "cam0",
        "frame": 7,
        "capture_ms": 1000.0,
        "width": 640,
        "height": 360,
        "fps": 30.0,
        "dropped": 0,
        "timings": {"detect": 5.0, "total": 12.0},
        "main": None,
        "waiting": 0,
        "subjects": [
            {
                "id": 1,
                "species": "human",
                "skeleton": "stick3",
                "score": 0.98,
                "keypoints": [[320.0, 40.5, 1.0], [300.0, 340.0, 0.9], [None, None, 0.0]],
                "depth": True,
                "coach": {
                    "exercise": "squat",
                    "given": True,
                    "phase": "peak",
                    "reps": 3,
                    "partial_reps": 0,
                    "hold_s": 0.0,
                    "tempo_s": None,
                    "progress": 1.0,
                    "set": 1,
                    "set_reps": 3,
                    "measures": {
                        "knee_flexion_left": {"value": 87.2, "grade": "B", "reasons": ["oblique_view"]},
                        "trunk_lean": {"value": None, "grade": "none", "reasons": ["joint_hidden"]},
                    },
                    "turn": None,
                    "cut_off": False,
                    "set_partial_reps": 0,
                    "set_hold_s": 0.0,
                    "rejected_reps": 0,
                    "left": 0,
                    "right": 0,
                    "set_s": 3.2,
                    "rest_s": None,
                    "cue": None,
                    "cue_weight": None,
                },
            }
        ],
    }


def test_events_reach_every_browser(box: Box) -> None:
    with box.watch() as one, box.watch() as two:
        receive(one, "camera")
        receive(two, "camera")
        box.do(box.state.publish_event, Event(subject=1, kind="rep", t=12.3, exercise="squat"))
        for browser in (one, two):
            assert receive(browser, "event") == {
                "type": "event",
                "subject": 1,
                "kind": "rep",
                "t": 12.3,
                "exercise": "squat",
                "side": None,
                "reason": None,
                "cue": None,
                "summary": None,
                "measures": {},
            }


def test_ping(box: Box) -> None:
    with box.watch() as browser:
        browser.send('{"type": "ping", "t": 123.25}')
        pong = receive(browser, "pong")
    assert pong["t"] == 123.25
    assert abs(pong["server_ms"] - time.time() * 1000) < 10_000


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "null",
        "[]",
        '{"type": "ping"}',
        '{"type": "ping", "t": "x"}',
        '{"type": "ping", "t": NaN}',
        '{"type": "ping", "t": 1e999}',
        '{"type": "shutdown"}',
        b'{"type": "ping", "t": 1}',
        b"\xff",
        "[" * 1000,
    ],
)
def test_a_browser_that_talks_nonsense_is_sent_away(shared_box: Box, message: str | bytes) -> None:
    with shared_box.watch() as browser:
        browser.send(message)
        assert close_code(browser) == 1008
    wait_for(lambda: len(shared_box.state.clients) == 0)


def test_a_message_that_is_too_long(shared_box: Box) -> None:
    with shared_box.watch() as browser:
        browser.send("x" * 2000)
        assert close_code(browser) == 1009


def test_no_place_for_another_browser(tmp_path: Path) -> None:
    with running(tmp_path, max_clients=1) as box, box.watch() as first:
        receive(first, "camera")
        with box.watch() as second:
            assert close_code(second) == 1013
        box.do(box.state.publish_frame, frame(1))
        assert receive(first, "frame")["frame"] == 1
        first.close()
        wait_for(lambda: len(box.state.clients) == 0)
        with box.watch() as third:
            assert receive(third, "hello")


def test_a_stalled_browser_delays_nobody_and_loses_only_old_frames(box: Box) -> None:
    person = [
        SubjectFrame(id=1, species="human", skeleton="stick3", score=1.0, keypoints=[[0.5, 0.5, 1.0]] * 300)
    ]
    with handshake(box) as slow, box.watch(max_queue=None) as fast:
        wait_for(lambda: len(box.state.clients) == 2)
        receive(fast, "camera")
        for number in range(300):
            box.do(box.state.publish_frame, frame(number, subjects=person))
            if number % 100 == 50:
                box.do(box.state.publish_event, Event(subject=1, kind="rep", t=float(number)))
            if number % 100 == 99:
                begin = time.monotonic()
                while receive(fast, "frame")["frame"] != number:
                    pass
                assert time.monotonic() - begin < 2
        assert box.state.clients.dropped > 100
        # Read on at last: the events are all there, and the newest frame, but not the frames between.
        slow.settimeout(1)
        text = b""
        try:
            while b'"frame":299' not in text:
                text += slow.recv(1 << 20)
        except TimeoutError:
            pass
    assert text.count(b'"kind":"rep"') == 3
    assert b'"frame":299' in text
    assert text.count(b'"type":"frame"') < 200


def test_a_browser_that_takes_nothing_is_given_up(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    from edge.web import socket as live

    monkeypatch.setattr(live, "SEND_TIMEOUT_S", 0.2)
    person = [
        SubjectFrame(id=1, species="human", skeleton="stick3", score=1.0, keypoints=[[0.5, 0.5, 1.0]] * 3000)
    ]
    with handshake(box):
        wait_for(lambda: len(box.state.clients) == 1)

        def gone() -> bool:
            box.do(box.state.publish_frame, frame(subjects=person))
            return len(box.state.clients) == 0

        wait_for(gone)


def test_the_server_says_goodbye(tmp_path: Path) -> None:
    with ExitStack() as stack:
        with running(tmp_path) as box:
            browser = stack.enter_context(box.watch())
            receive(browser, "camera")
        assert close_code(browser) == 1012


# The outbox itself


def drain(client: broadcast.Client) -> list[str]:
    async def read() -> list[str]:
        texts = []
        while client._queue or client._hopeless:
            texts.append(await client.get())
        return texts

    return asyncio.run(read())


def test_old_frames_make_room_and_events_keep_their_place() -> None:
    broadcaster = Broadcaster()
    with broadcaster.client() as client:
        broadcaster.send_frame("f1")
        broadcaster.send("e1")
        for number in range(2, 6):
            broadcaster.send_frame(f"f{number}")
        broadcaster.send("e2")
        assert drain(client) == ["e1", "f4", "f5", "e2"]
        assert broadcaster.dropped == 3
    assert broadcaster.dropped == 3
    assert len(broadcaster) == 0


def test_too_many_unread_events_end_it() -> None:
    broadcaster = Broadcaster()
    with broadcaster.client() as client:
        for number in range(broadcast.EVENTS_KEPT):
            broadcaster.send(str(number))
        assert len(drain(client)) == broadcast.EVENTS_KEPT
        for number in range(10 * broadcast.EVENTS_KEPT):
            broadcaster.send(str(number))
            broadcaster.send_frame(str(number))
        assert len(client._queue) == 0
        with pytest.raises(HopelessClientError):
            drain(client)
