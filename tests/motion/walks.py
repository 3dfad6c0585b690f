"""Generated walks as a camera sees them, read by motion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.motion.body import Body
from edge.motion.gait import gait
from edge.motion.lens import Lens
from edge.motion.progress import progress
from edge.motion.track import Track
from edge.motion.walk import Walk
from tests.truth.camera import Camera

if TYPE_CHECKING:
    from edge.link import PoseFrame
    from tests.truth.motion import Motion

HEIGHT = 1.75


def lens_of(tilt: float | None) -> Lens:
    """The lens of generated cameras."""
    return Lens(1280, 720, tilt=tilt)


def track_of(frames: list[PoseFrame]) -> Track:
    """The one subject of these frames."""
    seen = [(frame.monotonic_ns / 1e9, subject) for frame in frames for subject in frame.subjects]
    bodies = [Body.of(one.skeleton, one.points(), one.world_points()) for _, one in seen]
    return Track.of([t for t, _ in seen], bodies)


def read(
    motion: Motion,
    *,
    fps: float = 30.0,
    end: float | None = None,
    height_m: float | None = HEIGHT,
    tilt_known: bool = True,
    **camera: Any,
) -> Walk:
    """What motion makes of a generated walk."""
    view = Camera(**({"yaw": 80.0, "tilt": 10.0, "distance": 5.0} | camera))
    lens = lens_of(view.tilt if tilt_known else None)
    track = track_of(view.see(motion, fps, jitter=0.05, end=end)).cleaned()
    way = progress(track, motion.species, lens)
    assert way is not None
    return Walk(gait(way, motion.species), way, motion.species, height_m, track.rate, tilt_known)
