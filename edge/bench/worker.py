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

    Result = tuple[bool, dict[str, float]]
    """Whether someone was found, and milliseconds by stage where the pipeline tells."""
    Run = Callable[[npt.NDArray[np.uint8], float], Result]
    """One picture BGR uint8[H, W, 3] and its time in seconds."""


def kinebox(precision: Any) -> Run:
    """Our pipeline as `kinebox run` uses it."""
    from edge.vision.people import People  # noqa: PLC0415 - not there in MediaPipe's environment

    pose = People(precision, threads=1)

    def run(bgr: npt.NDArray[np.uint8], t: float) -> Result:
        found = bool(pose.process(bgr, t))
        return found, dict(pose.timings)

    return run


def mediapipe() -> Run:
    """MediaPipe's Python solution in its default configuration. It wants RGB: the caller swaps, untimed."""
    import mediapipe as mp  # type: ignore[import-not-found]  # noqa: PLC0415 - not there in ours

    pose = mp.solutions.pose.Pose(model_complexity=1, static_image_mode=False)

    def run(rgb: npt.NDArray[np.uint8], _t: float) -> Result:
        return pose.process(rgb).pose_landmarks is not None, {}

    return run


def main() -> None:
    """Serve blocks until standard input closes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("runner", choices=["int8", "fp32", "mediapipe"])
    parser.add_argument("--frames", required=True, help="uint8[N, H, W, 3], BGR, as .npy")
    parser.add_argument("--fps", type=float, required=True)
    parser.add_argument("--core", type=int, required=True)
    options = parser.parse_args()
    # Before a library counts the cores and starts its threads.
    os.sched_setaffinity(0, {options.core})
    # What a library prints must not end up between our answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    frames = np.load(options.frames, mmap_mode="r")
    run = mediapipe() if options.runner == "mediapipe" else kinebox(options.runner)
    print("{}", file=answers)
    done = 0
    for line in sys.stdin:
        block = json.loads(line)
        wall, cpu, found, stages = [], [], 0, []
        for index in range(block["first"], block["first"] + block["count"]):
            picture = np.ascontiguousarray(
                frames[index, :, :, ::-1] if options.runner == "mediapipe" else frames[index]
            )
            cpu_start, start = time.process_time(), time.perf_counter()
            seen, timings = run(picture, done / options.fps)
            wall.append((time.perf_counter() - start) * 1e3)
            cpu.append((time.process_time() - cpu_start) * 1e3)
            stages.append(timings)
            found += seen
            done += 1
        print(json.dumps({"wall_ms": wall, "cpu_ms": cpu, "found": found, "stages": stages}), file=answers)


if __name__ == "__main__":
    main()
