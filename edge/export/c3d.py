"""C3D files (https://www.c3d.org), by the library ezc3d, which is an optional extra.

The format knows one rate and no times. A picture goes to the nearest moment of that rate, and a moment without
a picture has no markers: no position is made up where the frame rate varies.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from edge.export.motion import Motion

_MM = 1000.0


def check_c3d() -> None:
    """ConfigError where ezc3d is not installed."""
    if importlib.util.find_spec("ezc3d") is None:
        raise ConfigError(
            "writing .c3d needs the library ezc3d, which is not installed",
            "Install it: pip install 'kinebox[c3d]' (it has wheels for x86-64; on ARM pip needs a C++ compiler"
            " and CMake). Or leave c3d out: .trc holds the same markers.",
        )


def write_c3d(motion: Motion, path: Path) -> None:
    """Markers in millimetres on the axes of the .trc; a marker that was not seen has the residual -1."""
    check_c3d()
    ezc3d = importlib.import_module("ezc3d")
    rate = motion.rate or 1.0
    at = np.rint((motion.times - motion.times[0]) * rate).astype(int)
    points = np.full((4, len(motion.markers), at[-1] + 1), np.nan)
    points[3] = 1.0
    points[:3, :, at] = motion.world.transpose(2, 1, 0) * _MM
    missing = np.isnan(points[:3]).any(axis=0)
    file = ezc3d.c3d()
    point = file["parameters"]["POINT"]
    point["UNITS"]["value"] = ["mm"]
    point["RATE"]["value"] = [rate]
    point["LABELS"]["value"] = list(motion.markers)
    # Axes as they stand towards the reader: x to the right, y up.
    file.add_parameter("POINT", "X_SCREEN", "+X")
    file.add_parameter("POINT", "Y_SCREEN", "+Y")
    file["data"]["points"] = points
    file["data"]["meta_points"] = {
        "residuals": np.where(missing, -1.0, 0.0)[None],
        "camera_masks": np.zeros((7, *missing.shape), bool),
    }
    file.write(str(path))
