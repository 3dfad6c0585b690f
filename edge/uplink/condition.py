"""How the camera is, as the hub tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from wire.messages import CameraCondition


class Condition(NamedTuple):
    """The camera now."""

    camera: CameraCondition
    fps: float
    dropped: int
    """Frames that were not analysed, since the start."""
    troubles: tuple[str, ...] = ()
    """What is wrong, as codes (`edge.trouble`)."""
