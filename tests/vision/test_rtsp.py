"""A camera over the network, against a real RTSP server that is told to misbehave."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.testing import CliRunner

from edge.cli import app
from edge.cli_camera import resolve
from edge.errors import CameraError
from edge.footage import demo_video
from edge.link import CameraState, Hello, PoseFrame
from edge.vision import rtsp
from edge.vision.address import CREDENTIAL, LOGIN, PINNED, login, parse
from edge.vision.rtsp import StreamClock, rtsp_camera
from edge.vision.source import live_camera
from tests.conftest import missing
from tests.vision.serving import Vision, receive
from tests.vision.streaming import RtspServer, Watcher

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.link import Record
    from edge.link_socket import Subscriber

PASSWORD = "s3cr:t/@ü%"  # noqa: S105 - of the test's own server


@pytest.fixture(autouse=True)
def _no_login(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test has its own environment; the reader's standard output must be ours again in the end."""
    for name in (LOGIN, PINNED, "CREDENTIALS_DIRECTORY", "KINEBOX_CAMERA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(rtsp, "PAUSES", (0.2,))
    before = os.fstat(1)
    yield
    assert os.path.samestat(os.fstat(1), before)


def test_pictures_come_at_their_own_rate_and_in_their_colours() -> None:
    with RtspServer() as server, Watcher(rtsp_camera(server.address)) as camera:
        assert camera.state("live")
        pictures = camera.pictures(40)[10:]
        assert pictures[0].bgr.shape == (240, 320, 3)
        intervals = np.diff([picture.monotonic_ns for picture in pictures]) / 1e6
        assert np.median(intervals) == pytest.approx(1000 / 30, abs=1)
        assert all(picture.monotonic_ns <= time.monotonic_ns() for picture in pictures)
        blue, green, red = pictures[-1].bgr[20, 68]  # SMPTE's second bar is yellow
        assert blue < 60
        assert min(green, red) > 150


def test_the_server_dies_and_comes_back_with_another_size() -> None:
    with RtspServer() as server, Watcher(rtsp_camera(server.address)) as camera:
        camera.state("live")
        camera.pictures(3)
        server.kill()
        assert camera.state("lost")
        # "refused" are FFmpeg's own words: it keeps them to itself where this process opened a file before.
        assert camera.state("refused", "no_answer")
        with RtspServer(port=server.port, size=(640, 360)):
            camera.state("live")
            assert camera.pictures(1)[0].bgr.shape == (360, 640, 3)


def test_a_stream_that_falls_silent_is_told_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.vision.device.STALLED_AFTER", 0.5)
    with RtspServer() as server, Watcher(rtsp_camera(server.address)) as camera:
        camera.state("live")
        server.tell("stall")
        assert camera.state("stalled")
        server.tell("go")
        assert camera.state("live")


def test_the_size_changes_within_the_stream() -> None:
    """FFmpeg delivers the size of the beginning, scaled: nothing may break."""
    with RtspServer() as server, Watcher(rtsp_camera(server.address)) as camera:
        camera.state("live")
        camera.pictures(3)
        server.tell("size", 640, 480)
        pictures = camera.pictures(45)
        assert {picture.bgr.shape for picture in pictures} == {(240, 320, 3)}
        blue, green, red = pictures[-1].bgr[20, 68]
        assert blue < 60
        assert min(green, red) > 150


def test_only_the_newest_picture_is_delivered() -> None:
    with RtspServer() as server, Watcher(rtsp_camera(server.address)) as camera:
        camera.state("live")
        camera.pictures(5)
        time.sleep(1.5)
        picture = camera.pictures(2)[1]
        assert picture.skipped > 5
        assert time.monotonic_ns() - picture.monotonic_ns < 1e9


def test_a_wrong_password_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process of its own: FFmpeg's words are set when a process opens its first video."""
    with RtspServer(f"bob:{PASSWORD}") as server:
        for given, expected in (
            ("bob:wrong", "unauthorized"),
            ("", "unauthorized"),
            (f"bob:{PASSWORD}", "live"),
        ):
            assert told(server.address, given) == expected
        assert told(server.address.replace("camera", "cellar"), f"bob:{PASSWORD}") == "no_stream"


def test_why_no_connection_comes_about() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody, socket.create_server(("127.0.0.1", 0)) as mute:
        port = nobody.getsockname()[1]
        nobody.close()
        assert told(f"rtsp://127.0.0.1:{port}/", "") == "refused"
        assert told("rtsp://camera.invalid/", "") == "no_such_host"
        assert told(f"rtsp://127.0.0.1:{mute.getsockname()[1]}/", "", patience=1) == "no_answer"
        assert told(f"rtsp://camera.invalid:{port}/", "", KINEBOX_CAMERA_ADDRESS="127.0.0.1") == "refused"


def told(address: str, given: str, patience: float = 30, **environment: str) -> str:
    """What a vision process says of its camera at first."""
    code = """
import sys
from edge.link import CameraState
from edge.vision import device, rtsp
rtsp.OPEN_S, device.STALLED_AFTER = float(sys.argv[2]), 60
camera = rtsp.rtsp_camera(sys.argv[1])
for item in camera.stream():
    if isinstance(item, CameraState) and item.state != "starting":
        print(item.detail or item.state, file=sys.stderr)
        camera.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", code, address, str(patience)],
        env={**os.environ, LOGIN: given, "OPENCV_LOG_LEVEL": "VERBOSE", **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "s3cr" not in done.stdout + done.stderr
    assert "wrong" not in done.stdout + done.stderr
    return done.stderr.split()[-1]


def test_real_footage_over_the_network_and_no_secret_anywhere(models: Path, tmp_path: Path) -> None:
    try:
        clip = demo_video()
    except CameraError as error:
        missing(f"demo footage ({error})")
    with (
        RtspServer(f"bob:{PASSWORD}", clip=clip) as server,
        Vision(
            tmp_path / "link", "", KINEBOX_CAMERA=server.address, KINEBOX_CAMERA_LOGIN=f"bob:{PASSWORD}"
        ) as vision,
    ):
        subscriber = vision.connect()
        records = until_somebody_is_seen(subscriber)
        hello, frames = records[0], [record for record in records if isinstance(record, PoseFrame)]
        assert isinstance(hello, Hello)
        assert (hello.network, hello.source) == ("camera", f"rtsp://127.0.0.1:{server.port}")
        assert {(frame.width, frame.height) for frame in frames} == {(1280, 720)}
        shown = Path(f"/proc/{vision.process.pid}/cmdline").read_bytes().decode()
        server.kill()
        while not (
            isinstance(record := receive(subscriber, 1)[0], CameraState) and record.detail == "refused"
        ):
            pass
        shown += vision.stop(5)
    assert "refused" in shown
    for secret in ("s3cr", "s3cr%3A", "bob", "/camera"):
        assert secret not in shown


def until_somebody_is_seen(subscriber: Subscriber, seconds: float = 30) -> list[Record]:
    """All records up to the first picture with somebody: how many it takes is for the busy machine to say."""
    records: list[Record] = []
    deadline = time.monotonic() + seconds
    while not (records and isinstance(records[-1], PoseFrame) and records[-1].subjects):
        assert time.monotonic() < deadline, f"nobody was seen, last came {records[-1:]}"
        records += receive(subscriber, 1, seconds=1)
    return records


def test_no_secret_is_shown() -> None:
    address = parse("RTSP://Camera.local:8554/live?user=admin&password=123")
    assert (address.host, address.port) == ("camera.local", 8554)
    assert f"{address} {address!r}" == "rtsp://camera.local:8554 rtsp://camera.local:8554"
    assert str(parse("rtsp://[fe80::1]/a")) == "rtsp://[fe80::1]"
    assert address.url("bob:a:b/@ü", "10.0.0.7").startswith(
        "rtsp://bob:a%3Ab%2F%40%C3%BC@10.0.0.7:8554/live?user="
    )


@pytest.mark.parametrize(
    "what",
    [
        "rtsp://",
        "rtsp:// ",
        "rtsp://bob:hidden@host/",
        "rtsp://host:99999/hidden",
        "rtsp://host:0/",
        "rtsp://a b/hidden",
        "rtsp://host/hid den",
        "http://host/hidden",
        "rtmp://host/hidden",
        "file:///etc/hidden",
    ],
)
def test_an_address_that_makes_no_sense_is_refused_and_not_repeated(what: str) -> None:
    with pytest.raises(CameraError) as caught:
        live_camera(what)
    assert caught.value.remedy
    assert "hid" not in f"{caught.value} {caught.value.remedy}"


@pytest.mark.parametrize(
    ("camera", "printed"),
    [
        ("rtsp://192.0.2.7:8554/live", "192.0.2.7"),
        ("rtsp://[2001:db8::7]/", "2001:db8::7"),
        ("csi", ""),
        ("0", ""),
    ],
)
def test_the_one_address_to_allow(camera: str, printed: str) -> None:
    result = CliRunner().invoke(app, ["camera", "address"], env={"KINEBOX_CAMERA": camera})
    assert (result.exit_code, result.output.strip()) == (0, printed)


def test_an_address_that_nobody_knows_is_told_without_its_path() -> None:
    with pytest.raises(CameraError, match=r"no address is known for the camera camera\.invalid") as caught:
        resolve(parse("rtsp://camera.invalid/live?password=hidden"))
    assert "hidden" not in f"{caught.value}"


def test_the_login_comes_from_the_credential_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert login() == ""
    monkeypatch.setenv(LOGIN, "bob:one")
    assert login() == "bob:one"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert login() == "bob:one"
    (tmp_path / CREDENTIAL).write_text("bob:two \n", encoding="utf-8")
    assert login() == "bob:two "
    for damaged in (b"bob", b":two", b"\xff\xfe:"):
        (tmp_path / CREDENTIAL).write_bytes(damaged)
        with pytest.raises(CameraError) as caught:
            login()
        assert "two" not in str(caught.value)


def test_times_are_the_streams_own_where_the_network_delays() -> None:
    rng = np.random.default_rng(1)
    clock = StreamClock()
    sent = np.arange(600) / 30
    delay = 0.02 + rng.exponential(0.015, sent.size)
    delay[:20] += np.linspace(0.8, 0, 20)  # what was waiting comes at once
    arrived = np.maximum.accumulate(sent + delay)
    taken = np.array([clock.taken(s * 1e3, round(a * 1e9)) for s, a in zip(sent, arrived, strict=True)]) / 1e9
    assert (np.diff(taken) > 0).all()
    assert (taken <= arrived + 1e-6).all()
    late = (taken - sent)[40:]
    assert late.std() < 0.2 * (arrived - sent)[40:].std()
    assert late.max() < 0.03


def test_times_survive_a_stream_without_any_and_a_jump() -> None:
    clock = StreamClock()
    still = [clock.taken(-1.0, now) for now in (5, 10, 20)]
    assert still == [5, 10, 20]
    assert clock.taken(1e6, 10**9) == 10**9
    assert clock.taken(0.0, 2 * 10**9) == 2 * 10**9


def test_ffmpegs_words_never_wait_for_a_reader() -> None:
    out = rtsp._Stdout()
    with out.overheard() as said, pytest.raises(BlockingIOError):
        _chatter()
    out.restore()
    assert len(said[0]) >= 65536 - 4096


def _chatter() -> None:
    while True:
        os.write(1, b"x" * 4096)
