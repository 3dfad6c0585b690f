"""Two sets of squats as a real observer and recorder see them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edge.coach.observer import Observer
from edge.link import PoseFrame
from edge.recorder import Recorder
from edge.store.records import SessionCalibration
from tests.figure import Figure

if TYPE_CHECKING:
    from edge.store import Store

FPS, REST_S, REP_S, REPS = 30, 26.0, 2.0, 4


CALIBRATION = SessionCalibration(source="marker", tilt=15.0, roll=2.0, above=1.2, height_m=1.82, field=66.0)


def record_two_sets(store: Store, depths: tuple[float, float] = (100, 90), day: int = 0) -> str:
    """Two sets of squats before a real observer and recorder; the right knee bends less than the left."""
    observer, recorder = Observer("squat"), Recorder(store)
    recorder.camera, recorder.model = "cam0", "generated"
    recorder.calibration = lambda: CALIBRATION
    first_end = 1 + REPS * REP_S
    starts = (1.0, first_end + REST_S)
    session = None
    for number in range(round((starts[1] + REPS * REP_S + 2) * FPS)):
        t = number / FPS
        into = next((t - start for start in starts if 0 <= t - start < REPS * REP_S), 0.0)
        deepest = depths[t >= first_end] + 4 * (into // REP_S % 2)
        depth = deepest * (1 - math.cos(2 * math.pi * into / REP_S)) / 2
        figure = Figure(knee=(depth, 0.85 * depth), hip=(depth, 0.9 * depth), lean=0.3 * depth, yaw=30)
        frame = PoseFrame(
            camera="cam0",
            number=number,
            monotonic_ns=round(t * 1e9),
            utc_ns=round((1_800_000_000 + 86400 * day + t) * 1e9),
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
