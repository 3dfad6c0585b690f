"""OpenSim's motion files (.mot): values over time in degrees, tab separated.

https://opensimconfluence.atlassian.net/wiki/spaces/OpenSim/pages/53090010/Motion+(.mot)+Files

A value that was not measurable is `nan`, which OpenSim's tables read as missing. Its old class Storage cannot
read that; left blank, it would take the next column's value instead, which is worse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def mot(name: str, times: Sequence[float], angles: Mapping[str, Sequence[float]]) -> str:
    """Angles in degrees at rising `times` in seconds, by name; NaN where unknown. `name` is the motion's."""
    lines = [
        name,
        "version=1",
        f"nRows={len(times)}",
        f"nColumns={len(angles) + 1}",
        "inDegrees=yes",
        "",
        "endheader",
        "\t".join(["time", *angles]),
    ]
    for time, *values in zip(times, *angles.values(), strict=True):
        lines.append("\t".join([f"{time:.6f}", *(f"{value:.3f}" for value in values)]))
    return "\n".join(lines) + "\n"
