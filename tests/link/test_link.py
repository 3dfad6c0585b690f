"""The socket between vision and hub, with real sockets."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import socket
import stat
import time
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from edge import link
from edge.errors import LinkError
from edge.link import CameraState, Hello, PoseFrame, Record, Subject
from edge.link_socket import Publisher, Subscriber
from edge.motion.skeletons import SKELETONS
from tests.link.records import HELLO, frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def odd(**wrong: object) -> bytes:
    """A frame whose subject is not as it should be."""
    seen = frame(1)
    return link.encode(replace(seen, subjects=(replace(seen.subjects[0], **wrong),)))


def receive(subscriber: Subscriber, count: int, seconds: float = 2.0) -> list[Record]:
    """The next `count` records, or what came in time."""
    records: list[Record] = []
    deadline = time.monotonic() + seconds
    while len(records) < count and time.monotonic() < deadline:
        select.select([subscriber], [], [], 0.05)
        while (record := subscriber.read()) is not None:
            records.append(record)
    return records


def drain(publisher: Publisher, subscriber: Subscriber) -> list[Record]:
    """Everything that is on its way."""
    records: list[Record] = []
    idle = 0
    while idle < 3:
        publisher.flush()
        new = receive(subscriber, 1, seconds=0.02)
        idle = 0 if new else idle + 1
        records += new
    return records


@pytest.fixture
def connect(path: Path) -> Iterator[Callable[[], Subscriber]]:
    """Connects readers, and hangs up after the test."""
    with contextlib.ExitStack() as stack:

        def open_subscriber() -> Subscriber:
            subscriber = Subscriber(path)
            stack.callback(subscriber.close)
            return subscriber

        yield open_subscriber


def test_frames_arrive_as_they_were_sent(path: Path, connect: Callable[[], Subscriber]) -> None:
    publisher = Publisher(path, HELLO)
    subscriber = connect()
    publisher.publish(frame(1))
    publisher.publish(frame(2))
    assert receive(subscriber, 3) == [HELLO, frame(1), frame(2)]
    assert subscriber.read() is None
    assert subscriber.lost == 0
    publisher.close()
    with pytest.raises(EOFError):
        subscriber.read()
    assert not path.exists()


def test_points_are_tables() -> None:
    subject = frame(4).subjects[0]
    assert subject.points().shape == (33, 3)
    assert subject.world_points() is not None


def test_only_the_owner_and_group_may_connect(path: Path) -> None:
    publisher = Publisher(path, HELLO)
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    publisher.close()


def test_late_reader_is_told_the_camera_state(path: Path, connect: Callable[[], Subscriber]) -> None:
    publisher = Publisher(path, HELLO)
    lost = CameraState(camera="cam0", state="lost", detail="unplugged", monotonic_ns=5)
    publisher.publish(lost)
    subscriber = connect()
    publisher.flush()
    assert receive(subscriber, 2) == [HELLO, lost]
    publisher.close()


def test_slow_reader_loses_old_frames_and_never_new_ones(
    path: Path, connect: Callable[[], Subscriber]
) -> None:
    publisher = Publisher(path, HELLO, backlog=8)
    subscriber = connect()
    started = time.monotonic()
    for number in range(1, 1001):
        publisher.publish(frame(number, subjects=4))
    assert time.monotonic() - started < 2.0  # vision was not held up: nobody read a thing
    records = drain(publisher, subscriber)
    numbers = [record.number for record in records if isinstance(record, PoseFrame)]
    assert numbers == sorted(numbers)
    assert numbers[-8:] == list(range(993, 1001))
    assert len(numbers) < 1000
    assert subscriber.lost == publisher.dropped == 1000 - len(numbers)
    publisher.close()


def test_the_newest_camera_state_always_arrives(path: Path, connect: Callable[[], Subscriber]) -> None:
    publisher = Publisher(path, HELLO, backlog=4)
    subscriber = connect()
    for number in range(1, 401):
        publisher.publish(frame(number, subjects=8))
        if number % 50 == 0:
            publisher.publish(
                CameraState(camera="cam0", state="black", detail=str(number), monotonic_ns=number)
            )
    records = drain(publisher, subscriber)
    assert records[-1] == CameraState(camera="cam0", state="black", detail="400", monotonic_ns=400)
    publisher.close()


def test_a_reader_that_never_reads_costs_no_memory(path: Path, connect: Callable[[], Subscriber]) -> None:
    publisher = Publisher(path, HELLO)
    subscriber = connect()
    for number in range(20_000):
        publisher.publish(CameraState(camera="cam0", state="ended", monotonic_ns=number))
    records = drain(publisher, subscriber)
    assert len(records) < 1000  # what the kernel holds, and one
    newest = records[-1]
    assert isinstance(newest, CameraState)
    assert newest.monotonic_ns == 19_999
    publisher.close()


def test_a_state_said_again_greets_new_readers_and_tells_old_ones_nothing(
    path: Path, connect: Callable[[], Subscriber]
) -> None:
    publisher = Publisher(path, HELLO)
    lost = CameraState(camera="cam0", state="lost", detail="not_found", monotonic_ns=1)
    publisher.publish(lost)
    early = connect()
    publisher.publish(lost)
    publisher.publish(lost)
    assert receive(early, 3, seconds=0.2) == [HELLO, lost]
    publisher.close()


def test_callers_are_not_held_up_and_none_is_lost(path: Path, connect: Callable[[], Subscriber]) -> None:
    """The kernel holds only so many callers: a further one is told at once, not when vision has time."""
    publisher = Publisher(path, HELLO)
    began = time.monotonic()
    callers: list[Subscriber] = []
    with pytest.raises(BlockingIOError):
        callers.extend(connect() for _ in range(100))
    assert len(callers) > 5
    assert time.monotonic() - began < 1
    with pytest.raises(LinkError, match="another vision process"):
        Publisher(path, HELLO)
    publisher.publish(frame(1))
    assert all(receive(caller, 2) == [HELLO, frame(1)] for caller in callers)
    publisher.close()


def test_without_a_descriptor_left_callers_wait(path: Path, connect: Callable[[], Subscriber]) -> None:
    publisher = Publisher(path, HELLO)
    caller = connect()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (caller.fileno(), hard))  # every descriptor below is taken
    try:
        filler = fill_descriptors()
        publisher.publish(frame(1))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in filler:
            os.close(descriptor)
    publisher.publish(frame(2))
    assert receive(caller, 2) == [HELLO, frame(2)]
    publisher.close()


def fill_descriptors() -> list[int]:
    """Take every descriptor the limit leaves."""
    taken: list[int] = []
    while True:
        try:
            taken.append(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            return taken


def test_the_link_knows_the_skeletons_of_motion() -> None:
    assert {name: len(row.names) for name, row in SKELETONS.items()} == link.KEYPOINTS


def test_reader_that_vanishes_is_forgotten_and_may_return(
    path: Path, connect: Callable[[], Subscriber]
) -> None:
    publisher = Publisher(path, HELLO)
    first = connect()
    publisher.publish(frame(1))
    first.close()
    publisher.publish(frame(2))
    publisher.publish(frame(3))
    second = connect()
    publisher.publish(frame(4))
    assert receive(second, 2) == [HELLO, frame(4)]
    assert second.lost == 0
    publisher.close()


def test_stale_socket_is_replaced_and_a_live_one_is_not(path: Path) -> None:
    crashed = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    crashed.bind(str(path))
    crashed.close()
    publisher = Publisher(path, HELLO)
    with pytest.raises(LinkError, match="another vision process"):
        Publisher(path, HELLO)
    publisher.close()


def test_unusable_path_is_told(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match="cannot listen"):
        Publisher(tmp_path / ("x" * 120), HELLO)
    (tmp_path / "file").touch()
    with pytest.raises(LinkError, match="cannot listen"):
        Publisher(tmp_path / "file" / "vision.sock", HELLO)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "cannot be read"),
        (b"\xc1garbage", "cannot be read"),
        (os.urandom(2000), "cannot be read"),
        (link.encode(frame(1))[:-10], "cannot be read"),
        (link.encode(Hello(schema=99, camera="c", source="s", model="m", precision="int8")), "version 99"),
        (odd(keypoints=b"12345"), "impossible length"),
        (odd(keypoints=bytes(10 * 12)), "impossible length"),
        (odd(keypoints=b""), "impossible length"),
        (odd(world=bytes(34 * 12)), "impossible length"),
        (odd(skeleton="zebra"), "unknown skeleton, 'zebra'"),
    ],
)
def test_what_is_not_ours_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(LinkError, match=told):
        link.decode(data)


def test_unknown_fields_of_a_newer_minor_version_are_ignored() -> None:
    import msgspec

    raw = msgspec.msgpack.decode(link.encode(frame(3)))
    raw["mood"] = "good"
    assert link.decode(msgspec.msgpack.encode(raw)) == frame(3)


def test_no_record_can_hold_a_picture() -> None:
    """The only bytes that leave vision are keypoint tables: a person's are 396 bytes, and a record has an end."""
    assert len(link.encode(frame(1, subjects=8))) < 10_000
    byte_fields = [
        (kind.__name__, name)
        for kind in (Hello, CameraState, PoseFrame, Subject)
        for name, annotation in kind.__annotations__.items()
        if "bytes" in str(annotation)
    ]
    assert byte_fields == [("Subject", "keypoints"), ("Subject", "world")]
