"""How the pictures are, in numbers: light, sharpness, noise. Once a second, on a small copy of one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

WIDTH = 640
"""Pixels across that are looked at: every picture is brought to about this, so that figures can be compared."""
_MAD = 1.4826
"""From the median of absolute deviations to the standard deviation of normal noise."""
_STILL = 3.0
"""Deviations (and a step of the values) beyond which a pixel has not only noise: something moved there."""
_LAPLACIAN_GAIN = 20.0
"""By how much the Laplacian (1, 1, -4, 1, 1) raises the variance of noise."""
_MIXED = 4.0
"""Variance that is always there: of an even wall nothing can be said."""


class Look(NamedTuple):
    """One picture in numbers; units as in `edge.box_records.CameraView`."""

    brightness: float
    contrast: float
    sharpness: float
    noise: float


def small(bgr: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A grey copy of about WIDTH pixels; every n-th pixel, since a mean would hide noise and blur."""
    step = max(bgr.shape[1] // WIDTH, 1)
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(bgr[::step, ::step]), cv2.COLOR_BGR2GRAY), np.uint8)


def look(first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8]) -> Look:
    """Two pictures that follow each other, grey; what does not move in them tells of the noise."""
    grey = second.astype(np.float32)
    variance = float(grey.var())
    if first.shape == second.shape:
        change = grey - first.astype(np.float32)
        change -= np.median(change)
        size = np.abs(change)
        still = change[size <= _STILL * (_MAD * float(np.median(size)) + 1)]
        noise = float(np.sqrt(np.mean(still**2) / 2))
    else:
        noise = 0.0
    edges = float(cv2.Laplacian(grey, cv2.CV_32F).var()) - _LAPLACIAN_GAIN * noise**2
    seen = max(variance - noise**2, 0.0) + _MIXED
    return Look(float(grey.mean()), variance**0.5, max(edges, 0.0) / seen, noise)
