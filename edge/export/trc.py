"""OpenSim's marker files (.trc): positions of markers over time, tab separated.

https://opensimconfluence.atlassian.net/wiki/spaces/OpenSim/pages/53089953/Marker+(.trc)+Files

A marker that was not seen is `nan`: OpenSim, Sports2D and pandas read it as missing. Left blank, it makes
OpenSim refuse the file where the last marker of a row is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from edge.export.motion import Motion


def trc_metres(motion: Motion, name: str) -> str:
    """Markers in metres from the middle of the hips: x right in the picture, y up, z to the camera.

    These are OpenSim's own axes (forwards, up, to the right) for somebody who faces right in the picture.
    `name` is the file's own, which the format repeats.
    """
    return _trc(motion, motion.world, name, "m", 5)


def trc_pixels(motion: Motion, name: str) -> str:
    """Markers in pixels of the picture, as Sports2D writes and reads them: x right, y down, z 0.

    The unit says `px`, where Sports2D says `m` of pixels as well; no reader minds.
    """
    depth = np.where(np.isnan(motion.pixels[:, :, :1]), np.nan, 0.0)
    return _trc(motion, np.concatenate([motion.pixels, depth], axis=2), name, "px", 3)


def _trc(motion: Motion, points: npt.NDArray[np.float64], name: str, unit: str, digits: int) -> str:
    count, markers = points.shape[:2]
    rate = f"{motion.rate:.3f}"
    lines = [
        f"PathFileType\t4\t(X/Y/Z)\t{name}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate}\t{rate}\t{count}\t{markers}\t{unit}\t{rate}\t1\t{count}",
        "Frame#\tTime\t" + "\t\t\t".join(motion.markers) + "\t\t",
        "\t\t" + "\t".join(f"{axis}{number}" for number in range(1, markers + 1) for axis in "XYZ"),
        "",
    ]
    for row, (time, point) in enumerate(zip(motion.times, points.reshape(count, -1), strict=True), 1):
        lines.append("\t".join([str(row), f"{time:.6f}", *(f"{value:.{digits}f}" for value in point)]))
    return "\n".join(lines) + "\n"
