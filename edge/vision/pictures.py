"""What every camera delivers: pictures with the time they were taken."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple, Protocol

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from edge.link import CameraState

cv2.setNumThreads(
    1
)  # crops are small: worker threads cost more than they save, and the model needs the cores
log = logging.getLogger(__name__)


class Picture(NamedTuple):
    """One picture of a camera."""

    bgr: npt.NDArray[np.uint8]
    """uint8[H, W, 3]."""
    monotonic_ns: int
    utc_ns: int | None
    skipped: int = 0
    """Pictures thrown away so far because nobody had time for them."""


def as_bgr(picture: cv2.typing.MatLike) -> npt.NDArray[np.uint8]:
    """A decoded picture as uint8[H, W, 3]; grey cameras give one channel, some files four."""
    if picture.ndim == 2:
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    elif picture.shape[2] == 4:
        picture = cv2.cvtColor(picture, cv2.COLOR_BGRA2BGR)
    return np.asarray(picture, np.uint8)


class Camera(Protocol):
    """Anything that yields pictures and says when it cannot."""

    id: str
    source: str

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is out of the ordinary about a recording, as codes."""
        ...

    def stream(self) -> Iterator[Picture | CameraState]:
        """Pictures as they come; a CameraState whenever the camera's condition changes."""
        ...

    def close(self) -> None:
        """Let go of the device or file."""
        ...
