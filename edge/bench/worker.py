"""One pose pipeline in a process of its own, fed with blocks of frames, timing each one.

The same file runs ours (`python -m edge.bench.worker int8 ...`) and MediaPipe's (`python edge/bench/worker.py
mediapipe ...`, in MediaPipe's own environment), so that the loop around the timed call is the same code.

Protocol, one JSON text a line: `{"first": i, "count": n}` in, a Block out; once ready, `{}` out.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Result = tuple[int, dict[str, float]]
    """How many people were found, and milliseconds by stage where the pipeline tells."""
    Run = Callable[[npt.NDArray[np.uint8], float], Result]
    """One picture BGR uint8[H, W, 3] and its time in seconds."""


def kinebox(precision: Any, threads: int, everybody: bool) -> Run:
    """Our pipeline as `kinebox run` uses it; `everybody`: without its budget of people in one picture."""
    from edge.vision.people import People  # noqa: PLC0415 - not there in MediaPipe's environment

    pose = People(precision, threads, most=_EVERYBODY) if everybody else People(precision, threads)

    def run(bgr: npt.NDArray[np.uint8], t: float) -> Result:
        found = len(pose.process(bgr, t))
        return found, dict(pose.timings)

    return run


def mediapipe() -> Run:
    """MediaPipe's Python solution in its default configuration. It wants RGB: the caller swaps, untimed."""
    import mediapipe as mp  # type: ignore[import-not-found]  # noqa: PLC0415 - not there in ours

    pose = mp.solutions.pose.Pose(model_complexity=1, static_image_mode=False)

    def run(rgb: npt.NDArray[np.uint8], _t: float) -> Result:
        return int(pose.process(rgb).pose_landmarks is not None), {}

    return run


def mediapipe_each(places: npt.NDArray[np.int64]) -> Run:
    """MediaPipe's Python solution once for each person, in the part of the picture that is theirs.

    `places` int64[P, 4]: left, top, right, bottom in pixels.
    """
    runs = [mediapipe() for _ in places]

    def run(rgb: npt.NDArray[np.uint8], t: float) -> Result:
        found = 0
        for one, (left, top, right, bottom) in zip(runs, places, strict=True):
            found += one(np.ascontiguousarray(rgb[top:bottom, left:right]), t)[0]
        return found, {}

    return run


RUNNERS = ("int8", "fp32", "int8-all", "mediapipe", "mediapipe-each")
_EVERYBODY = 64


def main() -> None:
    """Serve blocks until standard input closes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("runner", choices=RUNNERS)
    parser.add_argument("--frames", required=True, help="uint8[N, H, W, 3], BGR, as .npy")
    parser.add_argument("--fps", type=float, required=True)
    parser.add_argument("--cores", type=int, nargs="+", required=True)
    parser.add_argument("--places", help="int64[P, 4] as .npy: where each person is")
    options = parser.parse_args()
    # Before a library counts the cores and starts its threads.
    os.sched_setaffinity(0, set(options.cores))
    # What a library prints must not end up between our answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    frames = np.load(options.frames, mmap_mode="r")
    peer = options.runner.startswith("mediapipe")
    if options.runner == "mediapipe-each":
        run = mediapipe_each(np.load(options.places))
    elif peer:
        run = mediapipe()
    else:
        precision, _, everybody = options.runner.partition("-")
        run = kinebox(precision, len(options.cores), bool(everybody))
    print("{}", file=answers)
    done = 0
    for line in sys.stdin:
        asked = json.loads(line)
        wall, cpu, found, people, stages = [], [], 0, 0, []
        for index in range(asked["first"], asked["first"] + asked["count"]):
            # Copied for either, not timed: as a camera leaves it, a picture was written just now.
            picture = np.array(frames[index, :, :, ::-1] if peer else frames[index], order="C")
            cpu_start, start = time.process_time(), time.perf_counter()
            seen, timings = run(picture, done / options.fps)
            wall.append((time.perf_counter() - start) * 1e3)
            cpu.append((time.process_time() - cpu_start) * 1e3)
            stages.append(timings)
            found += seen > 0
            people += seen
            done += 1
        block = {"wall_ms": wall, "cpu_ms": cpu, "found": found, "people": people, "stages": stages}
        print(json.dumps(block), file=answers)


if __name__ == "__main__":
    main()
