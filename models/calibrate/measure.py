"""What INT8 loses and what it saves: drift of the landmark network, and its time beside the float one's.

`python -m models.calibrate.measure CLIP...` measures the built models on pictures that calibration has not seen.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from edge.errors import ConfigError
from models.calibrate.drift import landmark_drift
from models.calibrate.footage import pictures
from models.calibrate.samples import Cutter
from models.load import model_bytes
from models.regions import landmark_input
from models.runtime import session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.regions import Picture

_OUTPUTS = ["landmarks", "presence", "heatmap", "world"]
_FRAMES_PER_CLIP = 10
_RUNS_PER_TURN = 3


def time_ratio(fp32: bytes, int8: bytes, crop: Picture, *, turns: int = 60) -> float:
    """Return the time of `int8` on one thread as a share of `fp32`'s, both reading `crop` [256, 256, 3].

    They take turns, so that both see the same background load; of a turn the fastest run counts, of all turns the
    median of the ratios.
    """
    feed = {"image": landmark_input(crop)}
    running = [session(data, threads=1) for data in (fp32, int8)]
    ratios = []
    for _ in range(turns + 1):
        fastest = []
        for one in running:
            spent = []
            for _ in range(_RUNS_PER_TURN):
                started = time.perf_counter()
                one.run(_OUTPUTS, feed)
                spent.append(time.perf_counter() - started)
            fastest.append(min(spent))
        ratios.append(fastest[1] / fastest[0])
    return float(np.median(ratios[1:]))  # the first turn warms both up


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the drift and the time ratio as JSON."""
    parser = argparse.ArgumentParser(prog="python -m models.calibrate.measure", description=main.__doc__)
    parser.add_argument("paths", nargs="+", type=Path, help="folders, pictures and clips with people")
    parser.add_argument("--frames", type=int, default=_FRAMES_PER_CLIP, help="evenly spaced, of each clip")
    parser.add_argument("--turns", type=int, default=60, help="for the time ratio")
    given = parser.parse_args(arguments)
    fp32, int8 = model_bytes("landmark", "fp32"), model_bytes("landmark", "int8")
    cutter = Cutter(model_bytes("detector", "fp32"), fp32)
    crops = cutter.cut(pictures(given.paths, given.frames), copies=0).landmark
    if not crops:
        parser.error("nobody is found in these pictures")
    try:
        drift = msgspec.to_builtins(landmark_drift(fp32, int8, crops))
    except ConfigError as error:
        parser.error(f"{error}. {error.remedy}")
    figures = drift | {"time_ratio": time_ratio(fp32, int8, crops[len(crops) // 2], turns=given.turns)}
    print(msgspec.json.format(msgspec.json.encode(figures)).decode())


if __name__ == "__main__":
    main()
