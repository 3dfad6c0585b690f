"""What the hub tells vision, over the same socket: real sockets, and a real vision process that is sent nonsense."""

from __future__ import annotations

import logging
import os
import socket
import time
from typing import TYPE_CHECKING

import msgspec
import pytest

from edge import link
from edge.errors import CameraError, LinkError
from edge.footage import demo_video
from edge.link import PoseFrame, Watch
from edge.link_socket import Publisher, Subscriber
from edge.vision.trace import TraceWriter, read_trace
from edge.zones import inside
from tests.conftest import missing
from tests.link.records import HELLO, frame
from tests.vision.serving import Vision, receive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIRROR = ((0.0, 0.0), (0.25, 0.0), (0.25, 1.0), (0.0, 1.0))
LARGEST = Watch(zones=(tuple((0.1 + 0.01 * corner, 1 / 3) for corner in range(32)),) * 16, most=8)


def spelt(**fields: object) -> bytes:
    """A record of the hub with these fields, however wrong."""
    return msgspec.msgpack.encode({"type": "watch", **fields})


NONSENSE: dict[str, bytes] = {
    "no msgpack": b"\xc1garbage",
    "a record of vision": link.encode(frame(1)),
    "cut short": link.encode(LARGEST)[:-10],
    "nested without end": b"\x82\xa4type\xa5watch\xa1x" + b"\x91" * 16_000,
    "says it is huge": b"\x82\xa4type\xa5watch\xa5zones\xdd\x7f\xff\xff\xff",
    "too long": spelt(mood=os.urandom(16 * 1024)),
    "too many zones": spelt(zones=[MIRROR] * 17),
    "a line": spelt(zones=[MIRROR[:2]]),
    "too many corners": spelt(zones=[[(0.5, 0.5)] * 33]),
    "half a corner": spelt(zones=[[*MIRROR, (0.5,)]]),
    "not a number": spelt(zones=[[*MIRROR, (0.5, float("nan"))]]),
    "infinite": spelt(zones=[[*MIRROR, (float("inf"), 0.5)]]),
    "outside the picture": spelt(zones=[[*MIRROR, (-0.01, 0.5)]]),
    "below the picture": spelt(zones=[[*MIRROR, (0.5, 1.01)]]),
    "no zones": spelt(zones="all"),
    "nobody": spelt(most=0),
    "a crowd": spelt(most=9),
    "half a person": spelt(most=2.5),
}


def flood(hub: Subscriber) -> None:
    """Wish without end."""
    while True:
        hub.wish(LARGEST)


@pytest.fixture
def publisher(path: Path) -> Iterator[Publisher]:
    publisher = Publisher(path, HELLO)
    yield publisher
    publisher.close()


def test_wishes_arrive_in_their_order_even_from_before_the_greeting(path: Path, publisher: Publisher) -> None:
    hub = Subscriber(path)
    hub.wish(LARGEST)
    assert list(publisher.wishes()) == []  # nobody was greeted yet, and nobody is waited for
    publisher.flush()
    hub.wish(Watch(zones=(MIRROR,)))
    assert list(publisher.wishes()) == [LARGEST, Watch(zones=(MIRROR,))]
    assert list(publisher.wishes()) == []
    hub.close()


@pytest.mark.parametrize("data", NONSENSE.values(), ids=NONSENSE)
def test_what_is_beyond_the_limits_is_refused(data: bytes) -> None:
    with pytest.raises(LinkError, match=r"the hub's record"):
        link.decode_wish(data)


def test_the_largest_wish_passes() -> None:
    assert link.decode_wish(link.encode(LARGEST)) == LARGEST
    assert link.decode_wish(spelt(most=None, mood="good")) == Watch()


def test_nonsense_is_told_once_and_left(
    path: Path, publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    hub = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    hub.connect(str(path))
    publisher.flush()
    with caplog.at_level(logging.WARNING):
        for data in NONSENSE.values():
            hub.send(data)
            assert list(publisher.wishes()) == []
    hub.send(link.encode(LARGEST))
    assert list(publisher.wishes()) == [LARGEST]
    assert len(caplog.records) == 1
    hub.close()


def test_a_flood_is_read_a_little_at_a_time(path: Path, publisher: Publisher) -> None:
    hub = Subscriber(path)
    publisher.flush()
    with pytest.raises(EOFError):
        flood(hub)  # nobody reads: the socket is full, and the sender is told instead of held up
    assert 0 < len(list(publisher.wishes())) <= 8
    hub.close()


def test_a_hub_that_hung_up_is_forgotten(path: Path, publisher: Publisher) -> None:
    first, second = Subscriber(path), Subscriber(path)
    publisher.flush()
    first.close()
    second.wish(LARGEST)
    assert list(publisher.wishes()) == [LARGEST]
    publisher.publish(frame(1))
    second.wish(Watch())
    assert list(publisher.wishes()) == [Watch()]
    second.close()


def test_vision_lives_on_with_a_hostile_hub(tmp_path: Path) -> None:
    """The whole process: it goes on sending frames to everybody, and says once what it did not take."""
    recording = tmp_path / "a.trace"
    writer = TraceWriter(recording, HELLO)
    for number in range(1, 10):
        writer.write(frame(number))
    writer.close()
    with Vision(tmp_path / "link", recording, "--loop") as vision:
        reader = vision.connect()
        assert len(receive(reader, 3)) == 3
        hostile = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        hostile.connect(str(vision.link))
        hostile.settimeout(5)
        for data in NONSENSE.values():
            hostile.send(data)
        hostile.send(link.encode(LARGEST))
        assert len(receive(reader, 20)) == 20
        hostile.close()
        output = vision.stop()
        assert vision.process.returncode == 0, output
        assert output.count("the hub's record") == 1
        assert "Traceback" not in output


def test_nobody_is_followed_where_the_hub_says_so(models: Path, tmp_path: Path) -> None:
    """Real pictures of a man: he is followed, then not, and then again."""
    try:
        clip = demo_video()
    except CameraError as error:
        missing(f"demo footage ({error})")
    everywhere = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    with Vision(tmp_path / "link", clip, "--loop") as vision:
        hub = vision.connect()
        for zones in ((), (everywhere,), ()):
            hub.wish(Watch(zones=zones))
            assert followed(hub, somebody=not zones)


def followed(hub: Subscriber, *, somebody: bool, seconds: float = 60) -> bool:
    """Whether five frames in a row come with somebody in them, or with nobody."""
    run, deadline = 0, time.monotonic() + seconds
    while run < 5 and time.monotonic() < deadline:
        for record in receive(hub, 1, seconds=1):
            if isinstance(record, PoseFrame):
                run = run + 1 if bool(record.subjects) == somebody else 0
    return run >= 5


def test_frames_of_before_nobody_waited_are_read(tmp_path: Path) -> None:
    """A trace of an earlier release."""
    raw = msgspec.msgpack.decode(link.encode(frame(1)))
    assert raw.pop("waiting") == 0
    assert link.decode(msgspec.msgpack.encode(raw)) == frame(1)
    recording = tmp_path / "a.trace"
    writer = TraceWriter(recording, HELLO)
    writer.write(frame(1))
    writer.close()
    assert list(read_trace(recording)) == [HELLO, frame(1)]


def test_inside_a_zone() -> None:
    corner = ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.5, 0.9), (0.5, 0.5), (0.1, 0.5))  # an L, upside down
    assert inside(corner, 0.2, 0.2)
    assert inside(corner, 0.7, 0.8)
    assert not inside(corner, 0.2, 0.8)
    assert not inside(corner, 0.95, 0.2)
    assert not inside(corner, float("nan"), 0.2)
    assert not inside(((0.2, 0.2), (0.2, 0.2), (0.2, 0.2)), 0.2, 0.2)
