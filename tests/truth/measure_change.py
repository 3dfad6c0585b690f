"""Writes edge/motion/change.toml and docs/change.md: how far measurements of the same movement are apart.

The same generated movement is seen several times, each time with other noise (as measured on footage) and by a camera
that was put up anew: turned by up to 5 degrees and 0.3 m nearer or further away. The standard error of measurement is
the standard deviation of what the box says of it, pooled over movements, by metric and grade.

    python -m tests.truth.measure_change
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge.coach.observer import Observer
from edge.motion.change import FACTOR, errors
from tests.truth.camera import Camera
from tests.truth.exercises import arm_raise, curl, squat, stand
from tests.truth.jumping import jump
from tests.truth.noise import Noise
from tests.truth.repetitions import Tempo
from tests.truth.walking import walk
from wire.metrics import metrics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.truth.motion import Motion

ROOT = Path(__file__).parents[2]
TIMES = 8
"""Each movement is seen so often from each side."""
LEAST = 5
"""Measurements of one movement and grade from which their spread counts."""
SEEN: list[tuple[str, Motion, tuple[float, ...]]] = [
    ("squat", squat(tempo=Tempo(reps=4)), (30.0, 50.0, 80.0)),
    ("biceps_curl", curl(tempo=Tempo(reps=4)), (50.0, 85.0)),
    ("lateral_raise", arm_raise(tempo=Tempo(reps=4)), (0.0, 30.0)),
    ("auto", walk(duration_s=12, treadmill=True), (45.0, 85.0)),
    ("auto", stand(duration_s=11), (0.0, 88.0)),
    ("auto", jump(jumps=3), (0.0, 85.0)),
]


def spreads() -> dict[str, dict[str, float]]:
    """Standard error by metric and grade."""
    squares: dict[tuple[str, str], list[tuple[float, int]]] = defaultdict(list)
    dice = np.random.default_rng(4)
    for exercise, motion, yaws in SEEN:
        for yaw in yaws:
            said: dict[tuple[str, str], list[float]] = defaultdict(list)
            for seed in range(TIMES):
                camera = Camera(yaw=yaw + dice.uniform(-5, 5), distance=4 + dice.uniform(-0.3, 0.3))
                observer = Observer(exercise, 1.75)
                for frame in camera.see(motion, 30, noise=Noise(), seed=seed, jitter=0.05):
                    observer.update(frame)
                for person in observer.finish():
                    for key, measure in person.measures().items():
                        if measure.value is not None:
                            said[key, measure.grade].append(measure.value)
            for what, values in said.items():
                if len(values) >= LEAST:
                    squares[what].append((float(np.var(values, ddof=1)), len(values) - 1))
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for (key, grade), parts in squares.items():
        variances, weights = zip(*parts, strict=True)
        found[key][grade] = float(np.sqrt(np.average(variances, weights=weights)))
    return found


def table(found: dict[str, dict[str, float]]) -> str:
    """The table as TOML, in the order of the catalogue."""
    lines = [
        "# Standard error of measurement by metric and grade, in the metric's unit: tests/truth/measure_change.py."
    ]
    for key in metrics():
        if key in found:
            row = ", ".join(f"{grade} = {max(found[key][grade], 1e-4):.4g}" for grade in sorted(found[key]))
            lines.append(f"{key} = {{ {row} }}")
    return "\n".join(lines) + "\n"


def page(found: Mapping[str, Mapping[str, float]]) -> str:
    """The least detectable changes as a page of the docs."""
    lines = [
        "# What counts as a change",
        "",
        "Least difference between two measurements that is more than noise (MDC95 = 1.96 √2 SEM), by grade.",
        "Written by `python -m tests.truth.measure_change`, from generated movement of one person with the noise of",
        "keypoints as measured on footage, seen anew by a camera turned by up to 5° and moved by up to 0.3 m.",
        "A person's own variation comes on top: from five repeats on their own spread is asked, too.",
        "An empty cell: never measured at this grade; then the next worse one holds.",
        "",
        "| metric | unit | A | B | C |",
        "|---|---|---|---|---|",
    ]
    for key, metric in metrics().items():
        if key in found:
            cells = [f"{FACTOR * found[key][g]:.3g}" if g in found[key] else "" for g in ("A", "B", "C")]
            lines.append(f"| {metric.label['en']} (`{key}`) | {metric.unit} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write both."""
    found = spreads()
    (ROOT / "edge/motion/change.toml").write_text(table(found), encoding="utf-8")
    errors.cache_clear()
    (ROOT / "docs/change.md").write_text(page(errors()), encoding="utf-8")


if __name__ == "__main__":
    main()
