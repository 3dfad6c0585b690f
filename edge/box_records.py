"""What vision says of itself and of its camera, as numbers: records of the link."""

from __future__ import annotations

from typing import Literal

import msgspec

Basis = Literal["safe", "kept", "measured"]
"""What a choice rests on: nothing yet; what was measured at an earlier start; what was measured now."""


class CameraView(msgspec.Struct, frozen=True, kw_only=True, tag="view"):
    """How the pictures are, once a second. Nothing can be seen in it."""

    camera: str
    monotonic_ns: int
    brightness: float
    """Mean, 0-255."""
    contrast: float
    """Standard deviation, 0-255."""
    sharpness: float
    """Variance of the Laplacian over that of the picture, noise taken out: the light does not change it."""
    noise: float
    """Standard deviation of a pixel from one picture to the next, 0-255."""
    fps: float
    """Pictures a second that the camera delivers, whether they are analysed or not."""
    mode: str = ""
    """What the device says it delivers, such as `MJPG 1280x720 30`; empty where it says nothing."""


class Tuning(msgspec.Struct, frozen=True, kw_only=True, tag="tuning"):
    """How vision works at present, and why."""

    basis: Basis
    precision: str
    threads: int
    width: int
    """Of the pictures that are asked of the camera; 0 where that cannot be chosen."""
    height: int
    fps: float
    """Pictures a second that are analysed, at most."""
    most: int
    """People read in one picture, at most."""
    target: float
    """Pictures a second that the owner wants."""
    person_ms: float = 0.0
    """What one person costs in one picture, as measured; 0 before that."""
    detect_ms: float = 0.0
    """What looking for people costs."""
    reasons: dict[str, str] = {}
    """Why, by what was chosen (`precision`, `threads`, `size`, `fps`, `most`): codes of `REASONS`."""


REASONS = {
    "given": "the settings say so",
    "not_measured": "nothing is measured yet",
    "faster": "it is the faster one here",
    "usual": "the other one is not clearly faster",
    "enough": "more threads are not needed for the frame rate",
    "no_gain": "more threads are hardly faster",
    "more_threads": "fewer threads are clearly slower",
    "wanted": "it is the frame rate that is wanted",
    "too_slow": "this machine cannot do more at present",
    "all": "the processor has time for all of them",
    "time": "the processor has no time for more",
    "full": "the processor keeps up with it",
    "small": "it cannot keep up with larger pictures",
    "fixed": "this camera's pictures cannot be chosen",
    "only_one": "the model was imported in no other",
    "imported": "it is chosen for Kinebox's own model alone",
}
"""What each reason means, for whoever operates the box; the dashboard has its own words."""
