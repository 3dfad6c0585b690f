"""Writes edge/motion/change.toml and docs/change.md: how far measurements of the same movement are apart.

The same generated movement is seen many times, each time with other noise (as measured on footage) and by a camera
that was put up anew: turned by up to 5 degrees and 0.3 m nearer or further away, from one side or from the other. The
standard error of measurement is the standard deviation of what the box says of it, pooled over movements and over
left and right, by metric and grade.

    python -m tests.truth.measure_change
"""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge.coach.observer import Observer
from edge.motion.change import FACTOR, errors
from edge.motion.lens import Lens
from tests.truth.camera import Camera
from tests.truth.exercises import arm_raise, curl, lunge, sit_to_stand, squat, stand
from tests.truth.jumping import jump
from tests.truth.noise import Noise
from tests.truth.repetitions import Tempo
from tests.truth.walking import walk
from wire.metrics import metrics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.motion.grades import Grade
    from tests.truth.motion import Motion

ROOT = Path(__file__).parents[2]
TIMES = 12
"""Each movement is seen so often from each view, half of them from the other side, as in a mirror."""
ONE_SIDED = {"lunge"}
"""What one leg does alone is not the same in a mirror."""
LEAST = 20
"""Degrees of freedom from which a spread counts."""
_CLEAR, _MANY = 3.0, 60
"""Standard errors by which, and degrees of freedom from which, one spread is surely larger: hundreds are compared."""
_FOUR = Tempo(reps=4)
SEEN: dict[str, tuple[str, Motion, tuple[float, ...]]] = {
    "squat": ("squat", squat(tempo=_FOUR), (15.0, 35.0, 55.0, 80.0)),
    "lunge": ("lunge", lunge(tempo=_FOUR), (80.0,)),
    "sit to stand": ("auto", sit_to_stand(tempo=_FOUR), (45.0, 80.0)),
    "curl": ("biceps_curl", curl(tempo=_FOUR), (50.0, 70.0, 85.0)),
    "arm raise": ("lateral_raise", arm_raise(tempo=_FOUR), (0.0, 15.0, 35.0)),
    "arm raise forwards": ("auto", arm_raise(peak=120, way="flexion", tempo=_FOUR), (80.0,)),
    "walk": ("auto", walk(duration_s=21, treadmill=True), (30.0, 55.0, 75.0, 85.0)),
    "stand": ("auto", stand(duration_s=11), (0.0, 15.0, 88.0)),
    "jump": ("auto", jump(jumps=3), (0.0, 40.0, 85.0)),
}


class Spread(NamedTuple):
    """Variance of repeated measurements."""

    variance: float
    free: int
    """Degrees of freedom."""

    def plus(self, other: Spread) -> Spread:
        """Of both together."""
        free = self.free + other.free
        return Spread((self.free * self.variance + other.free * other.variance) / free, free)

    def clearly_above(self, other: Spread) -> bool:
        """By more than chance: the logarithm of a variance has a standard error of about sqrt(2 / free)."""
        if min(self.free, other.free) < _MANY:
            return False
        error = np.sqrt(2 / self.free + 2 / other.free)
        return bool(np.log(self.variance) - np.log(max(other.variance, 1e-18)) > _CLEAR * error)


def view(name: str, yaw: float, *, tilt_known: bool) -> dict[tuple[str, Grade], Spread]:
    """Of one movement from one view (and its mirror image), by metric as seen from the right, and grade."""
    exercise, motion, _ = SEEN[name]
    dice = np.random.default_rng([round(yaw), int(tilt_known), list(SEEN).index(name)])
    said: dict[tuple[str, Grade], list[float]] = defaultdict(list)
    for seed in range(TIMES):
        other_side = bool(seed % 2) and name not in ONE_SIDED
        turn, distance = yaw + dice.uniform(-5, 5), 4 + dice.uniform(-0.3, 0.3)
        camera = Camera(yaw=-turn if other_side else turn, distance=distance)
        tilt = camera.tilt if tilt_known else None
        observer = Observer(exercise, 1.75, partial(Lens, tilt=tilt))
        for frame in camera.see(motion, 30, noise=Noise(), seed=seed, jitter=0.05):
            observer.update(frame)
        for person in observer.finish():
            for key, measure in person.measures().items():
                if measure.value is not None:
                    # An index compares left with right: seen in a mirror its sign is the other one.
                    sign = -1 if other_side and "symmetry" in key else 1
                    said[mirrored(key) if other_side else key, measure.grade].append(sign * measure.value)
    return {
        what: Spread(float(np.var(values, ddof=1)), len(values) - 1)
        for what, values in said.items()
        if len(values) > 1
    }


def mirrored(key: str) -> str:
    """The metric of the other side."""
    parts = {"left": "right", "right": "left"}
    return "_".join(parts.get(part, part) for part in key.split("_"))


def spreads() -> dict[str, dict[str, float]]:
    """Standard error by metric and grade; the same for both sides."""
    views = [
        (name, yaw, known) for name, (_, _, yaws) in SEEN.items() for yaw in yaws for known in (True, False)
    ]
    pooled: dict[str, dict[Grade, Spread]] = defaultdict(dict)
    with ProcessPoolExecutor(max_workers=2) as pool:
        for found in pool.map(_view, views):
            for (key, grade), spread in found.items():
                for side in {key, mirrored(key)}:
                    row = pooled[side]
                    row[grade] = row[grade].plus(spread) if grade in row else spread
    return {key: ordered(row) for key, row in pooled.items() if ordered(row)}


def _view(one: tuple[str, float, bool]) -> dict[tuple[str, Grade], Spread]:
    name, yaw, known = one
    return view(name, yaw, tilt_known=known)


def ordered(row: Mapping[Grade, Spread]) -> dict[str, float]:
    """Standard errors by grade, of enough cases; of which a better grade's is larger only where that is no chance.

    Neighbours in the wrong order by chance are one grade as far as this metric goes: they get what both have in
    common.
    """
    blocks: list[tuple[list[Grade], Spread]] = []
    for grade in ("A", "B", "C"):
        if grade in row and row[grade].free >= LEAST:
            blocks.append(([grade], row[grade]))
        while len(blocks) > 1:
            (better, one), (worse, other) = blocks[-2:]
            if one.variance <= other.variance or one.clearly_above(other):
                break
            blocks[-2:] = [(better + worse, one.plus(other))]
    return {grade: float(np.sqrt(spread.variance)) for grades, spread in blocks for grade in grades}


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
        "keypoints as measured on footage, seen anew by a camera turned by up to 5° and moved by up to 0.3 m, from",
        "both sides: left and right are one measurement, mirrored, and have one error. Grades in the wrong order by",
        "chance have one error, too. Where a better grade's is larger all the same, it is so beyond chance: that",
        "grade was given to other movements, or to other parts of them.",
        "A person's own variation comes on top: from five repeats on their own spread is asked, too.",
        f"An empty cell: measured too rarely at this grade (less than {LEAST} degrees of freedom); then the next",
        "worse one holds.",
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
