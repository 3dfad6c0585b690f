"""A real server on a free port of the loopback interface, with a store beneath it, and what to put into them."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
from websockets.sync.client import ClientConnection, connect

from edge.calibration import CameraSettings
from edge.camera_setup import CameraSetup
from edge.coach.records import Remark, Repetition
from edge.coach_setup import CoachSetup
from edge.store import Store
from edge.store.records import KeptSummary
from edge.web.app import create_app
from edge.web.live import LiveState
from edge.web.messages import Frame
from edge.web.records import ModelInfo, Skeleton
from edge.web.server import listen, serve
from edge.web.settings import WebSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

STICK = Skeleton(names=["head", "left_foot", "right_foot"], edges=[(0, 1), (0, 2)], pairs=[(1, 2)])

SUMMARY = KeptSummary(
    exercise="squat",
    reps=2,
    partial_reps=1,
    rejected_reps=3,
    praise=(Remark(rule="depth", text={"en": "Good depth.", "ko": "깊이가 좋았어요."}, share=1.0),),
    improve=(Remark(rule="tempo", text={"en": "Slower.", "ko": "천천히."}, share=0.5),),
    cues={"tempo": 2},
)


def frame(number: int = 1, **changes: Any) -> Frame:
    fields: dict[str, Any] = {
        "camera": "cam0",
        "frame": number,
        "capture_ms": 1000.0,
        "width": 640,
        "height": 360,
        "fps": 30.0,
        "dropped": 0,
        "timings": {"detect": 5.0, "total": 12.0},
        "subjects": [],
    }
    return Frame(**fields | changes)


@dataclass
class Box:
    """A running server, and what is behind it."""

    state: LiveState
    store: Store
    port: int
    loop: asyncio.AbstractEventLoop
    chosen: list[str | None] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, **options: Any) -> httpx.Client:
        # Plain HTTP: without this, each client would spend its time on loading certificates.
        return httpx.Client(base_url=self.url, verify=False, **options)  # noqa: S501

    def watch(self, **options: Any) -> ClientConnection:
        return connect(f"ws://127.0.0.1:{self.port}/api/v1/live", **options)

    def do(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function in the server's own thread, as the hub does."""

        async def call() -> Any:
            return function(*arguments)

        return asyncio.run_coroutine_threadsafe(call(), self.loop).result(10)


@contextmanager
def running(folder: Path, live: Callable[[Store], LiveState] | None = None, **settings: Any) -> Iterator[Box]:
    """A server in `folder`; `live` makes its state, where that is a hub's."""
    chosen: list[str | None] = []
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    loop = asyncio.new_event_loop()
    options = WebSettings(**{"port": port, "static": folder / "static"} | settings)
    with Store(folder / "kinebox.db") as store:
        state = live(store) if live is not None else _alone(folder, chosen)
        app = create_app(state, store, options)

        async def main() -> None:
            with suppress(asyncio.CancelledError):
                await serve(app, listener)

        task = loop.create_task(main())
        thread = threading.Thread(target=loop.run_until_complete, args=(task,))
        thread.start()
        try:
            yield Box(state, store, port, loop, chosen)
        finally:
            loop.call_soon_threadsafe(task.cancel)
            thread.join(20)
            assert not thread.is_alive(), "the server did not stop"
            loop.close()


def _alone(folder: Path, chosen: list[str | None]) -> LiveState:
    """A state behind which there is no hub."""
    return LiveState(
        camera="cam0",
        model=ModelInfo(name="blazepose", precision="int8"),
        skeletons={"stick3": STICK},
        setup=CameraSetup(folder, CameraSettings()),
        coaching=CoachSetup(folder),
        on_exercise=chosen.append,
    )


def handshake(box: Box, host: str = "localhost") -> socket.socket:
    """A browser that asks for the WebSocket and then reads nothing, with little room in its own buffer."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(5)
    connection.connect(("127.0.0.1", box.port))
    connection.sendall(
        f"GET /api/v1/live HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    return connection


def record(
    store: Store, *, utc: float | None = 1_800_000_000.0, exercise: str = "squat", end: bool = True
) -> str:
    """One session: two full squats and a partial one, a sample a second."""
    session = store.begin_session(
        subject=1, species="human", camera="cam0", model="blazepose-int8", monotonic_ns=0, utc=utc
    )
    squats = store.begin_set(session, exercise=exercise, t=1.0)
    for t, kind in ((3.0, "rep"), (6.0, "rep"), (9.0, "partial")):
        store.add_repetition(
            squats,
            Repetition(
                t=t,
                kind=kind,
                side="both",
                duration_s=2.0,
                eccentric_s=1.2,
                concentric_s=0.8,
                range_deg=90.0 if kind == "rep" else 40.0,
                peak_deg=None,
            ),
        )
    for t in range(5):
        store.add_sample(session, float(t), {"knee_flexion_left": 10.0 * t, "trunk_lean": None})
    if end:
        store.end_set(squats, t=10.0)
        store.summarise_set(squats, SUMMARY)
        store.add_measurement(session, "knee_rom_left", 90.0, "B", ["oblique_view"])
        store.end_session(session, t=12.0, reason="left")
    store.flush()
    return session
