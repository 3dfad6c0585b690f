"""How well walks tell how the camera stands: `python -m tests.truth.report_horizon` (docs/calibration.md)."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import NamedTuple

import numpy as np

from edge.motion.horizon import Walked
from edge.motion.lens import Lens
from tests.motion.walks import track_of
from tests.truth.camera import Camera
from tests.truth.noise import Noise
from tests.truth.walking import walk


class Answer(NamedTuple):
    """What one person's walks showed, and how far off it was; None: nothing was told."""

    ways: int
    seen: bool
    tilt: float | None
    roll: float | None
    above: float | None
    """A share of the true height."""


def answer(seed: int) -> Answer:
    """Somebody walks before a camera; both are drawn by chance."""
    rng = np.random.default_rng(seed)
    height_m, ways = rng.uniform(1.55, 1.9), int(rng.integers(1, 4))
    tilt, roll, over = rng.uniform(-5, 25), rng.uniform(-5, 5), rng.uniform(0.6, 2.0)
    lean, distance = rng.uniform(0, 8), rng.uniform(3.5, 6.5)
    walked, seen = Walked(), False
    for yaw in rng.uniform(-180, 180, ways):
        motion = walk(height_m, duration_s=rng.uniform(4, 6), lean=lean)
        camera = Camera(yaw=yaw, tilt=tilt, roll=roll, height=over, distance=distance)
        frames = camera.see(motion, 30, noise=Noise(), jitter=0.05, seed=int(rng.integers(1 << 30)))
        if sum(bool(frame.subjects) for frame in frames) < 10:
            continue
        seen = True
        walked.add(track_of(frames).cleaned(0.3), Lens(1280, 720))
    told = walked.horizon()
    return Answer(
        ways,
        seen,
        None if told.tilt is None else abs(told.tilt - tilt),
        None if told.roll is None else abs(told.roll - roll),
        None if told.above is None else abs(told.above * height_m / over - 1),
    )


def main() -> None:
    """Draw people, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=200)
    answers = [answer(seed) for seed in range(parser.parse_args().people)]
    print(f"{len(answers)} people, {sum(not one.seen for one in answers)} of them never in the picture\n")
    print("| | told of | mean error | 95 % |\n|---|---|---|---|")
    for name, unit, factor in (("tilt", "°", 1), ("roll", "°", 1), ("above", " %", 100)):
        off = [factor * error for one in answers if (error := getattr(one, name)) is not None]
        print(
            f"| {name} | {len(off)} | {np.mean(off):.2f}{unit} | {np.quantile(off, 0.95):.1f}{unit} |"
            if off
            else f"| {name} | 0 | | |"
        )
    seen = Counter(one.ways for one in answers if one.seen)
    told = Counter(one.ways for one in answers if one.tilt is not None)
    print(
        "\ntilt by directions: " + ", ".join(f"{ways}: {told[ways]} of {seen[ways]}" for ways in sorted(seen))
    )


if __name__ == "__main__":
    main()
