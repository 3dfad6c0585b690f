"""Keypoints and angles as a tidy table (CSV) and as one document (JSON)."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from wire.metrics import metrics

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from edge.export.motion import Motion

_HEADER = ("t_s", "frame", "subject", "marker", "visibility", "x_px", "y_px", "x_m", "y_m", "z_m")


def keypoint_table(motions: Sequence[Motion]) -> str:
    """A row a picture, subject and keypoint; an empty cell is "not seen"."""
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(_HEADER)
    for motion in motions:
        for row, (frame, time) in enumerate(zip(motion.frames.tolist(), motion.times.tolist(), strict=True)):
            if np.isnan(motion.visibility[row]).all():
                continue  # not found in this picture
            for at, marker in enumerate(motion.markers):
                table.writerow(
                    (
                        f"{time:.6f}",
                        frame,
                        motion.subject,
                        marker,
                        _cell(motion.visibility[row, at], 3),
                        *(_cell(value, 3) for value in motion.pixels[row, at]),
                        *(_cell(value, 5) for value in motion.world[row, at]),
                    )
                )
    return text.getvalue()


def _cell(value: float, digits: int) -> str:
    return "" if np.isnan(value) else f"{value:.{digits}f}"


def motion_document(motions: Sequence[Motion], file: str) -> bytes:
    """Everything over time as columns, by subject; null is "not seen" or "not measurable"."""
    units = {key: row.unit for key, row in metrics().items()}
    return msgspec.json.encode(
        {
            "format": "kinebox-motion-1",
            "file": file,
            "subjects": [
                {
                    "id": motion.subject,
                    "species": motion.species,
                    "skeleton": motion.skeleton,
                    "markers": motion.markers,
                    "camera_tilt_deg": motion.tilt,
                    "rate_hz": round(motion.rate, 3),
                    "t_s": _list(motion.times, 6),
                    "frame": motion.frames.tolist(),
                    "pixels": _list(motion.pixels, 3),
                    "visibility": _list(motion.visibility, 3),
                    "world_m": _list(motion.world, 5),
                    "angles": {
                        key: {
                            "unit": units[key],
                            "values": _list(values, 3),
                            "grades": motion.grades[key],
                        }
                        for key, values in motion.angles.items()
                    },
                }
                for motion in motions
            ],
        }
    )


def _list(values: npt.NDArray[np.float64], digits: int) -> object:
    # msgspec writes NaN as null.
    return np.round(values, digits).tolist()
