"""Writes docs/accuracy.md and its charts: `python -m tests.truth.report` (some minutes)."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from tests.truth import report_charts as charts
from tests.truth import report_tables as tables
from tests.truth import report_texts as texts
from tests.truth.report_cases import DOGS
from tests.truth.report_confusion import GRADES, angle_cases, dog_cases, gait_cases, of_angles, of_gait

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.truth.report_confusion import Row

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "accuracy.md"
YAWS = (0, 15, 30, 45, 60, 70, 80, 90)
RATES = (10, 12, 15, 20, 25, 30, 60)
SOME_WALKS = ("walk", "fast walk", "limp", "walk past")
_KINDS = {"none": "no noise", "measured": "measured noise", "lean": "and a body that leans and is turned"}
_LENGTHS = ("stride_length", "stance_left", "step_time_symmetry", "step_length_symmetry", "stance_symmetry")


def main() -> None:
    """Write all of it."""
    with ProcessPoolExecutor(max_workers=len(_SECTIONS)) as pool:
        parts = [section.result() for section in [pool.submit(section) for section in _SECTIONS]]
    PAGE.write_text("\n".join([texts.HEAD, *parts, texts.TAIL]))


def angle_row(key: str) -> list[str]:
    """One angle in its plane."""
    row = tables.in_plane(key)
    return [
        key,
        *(_degrees(v) for v in (row.clean, row.live, row.smoothed, row.graded_a, row.a_95)),
        _percent(row.share_a),
    ]


def angles_in_plane() -> str:
    """The first table."""
    head = ("angle", "no noise", "live", "smoothed", "grade A", "grade A, 95 %", "A is given")
    return texts.IN_PLANE + _table(head, [angle_row(key) for key in tables.IN_PLANE])


def angles_by_view() -> str:
    """Curves over yaw, rate and tilt."""
    kinds = {
        text: tables.by_view("knee_flexion", "squat", (kind,), YAWS)[kind] for kind, text in _KINDS.items()
    }
    _chart("knee-by-view", YAWS, kinds, "yaw, degrees (90: from the side)", limit=3)
    arm = {
        text: tables.by_view("shoulder_abduction", "arm raise", (kind,), YAWS)[kind]
        for kind, text in _KINDS.items()
    }
    _chart("abduction-by-view", YAWS, arm, "yaw, degrees (0: from the front)", limit=3)
    tilted = {
        f"tilt {tilt}, {'known' if known else 'unknown'}": tables.by_view(
            "trunk_lean", "squat", ("measured",), YAWS, tilt=tilt, known=known
        )["measured"]
        for tilt in (-20, 30)
        for known in (True, False)
    }
    _chart("lean-by-tilt", YAWS, tilted, "yaw, degrees", limit=3)
    rates = {name: tables.by_rate("knee_flexion", name, RATES) for name in ("squat", "jump", "walk", "run")}
    _chart("knee-by-rate", RATES, rates, "pictures a second", limit=3)
    rows = [
        [f"{yaw}", *(_degrees(values[at]) for values in (*kinds.values(), *arm.values()))]
        for at, yaw in enumerate(YAWS)
    ]
    head = (
        "yaw",
        *(f"knee, {text}" for text in _KINDS.values()),
        *(f"abduction, {text}" for text in _KINDS.values()),
    )
    return texts.BY_VIEW + _table(head, rows)


def contact_row(yaw: float, fps: float) -> list[str]:
    """Contacts of walks from one view at one rate."""
    clean = tables.contacts(SOME_WALKS, kind="none", fps=fps, yaw=yaw)
    noisy = tables.contacts(SOME_WALKS, fps=fps, yaw=yaw)
    cells = [_milliseconds(v) for v in (clean.mean, noisy.mean, noisy.p95, noisy.late)]
    return [f"{yaw:g}", f"{fps:g}", *cells, _percent(noisy.missed)]


def contacts() -> str:
    """By view and rate."""
    views = [
        (90, 30),
        (80, 30),
        (70, 30),
        (50, 30),
        (30, 30),
        (0, 30),
        (90, 60),
        (90, 24),
        (90, 20),
        (90, 15),
    ]
    head = ("yaw", "pictures/s", "no noise", "mean", "95 %", "late by", "missed")
    return texts.GAIT + _table(head, [contact_row(yaw, fps) for yaw, fps in views])


def gait() -> str:
    """Measures of gait by view."""
    rows, curves = [], {}
    for kind in ("none", "measured"):
        found = {yaw: tables.gait_errors(SOME_WALKS, _LENGTHS, kind=kind, yaw=yaw) for yaw in YAWS}
        curves[_KINDS[kind]] = [100 * found[yaw]["stride_length"] for yaw in YAWS]
        rows += [
            [f"{yaw}", _KINDS[kind], *(_gait_cell(key, found[yaw][key]) for key in _LENGTHS)] for yaw in YAWS
        ]
    _chart(
        "stride-by-view",
        YAWS,
        curves,
        "yaw, degrees (90: from the side)",
        up="error of stride length, %",
        limit=2,
    )
    dogs = [
        [name, *(_gait_cell(k, v) for k, v in tables.gait_errors((name,), _DOG, yaw=90).items())]
        for name in DOGS
    ]
    return (
        texts.GAIT_MEASURES + _table(("yaw", "", *_LENGTHS), rows)
        + texts.GAIT_DOGS + _table(("dog, from the side, measured noise", *_DOG), dogs)
    )  # fmt: skip


_DOG = ("stride_time", "stride_length", "stance_front_left", "stance_hind_left", "stance_symmetry_front")


def confusion_of_angles() -> str:
    """Grades against limits."""
    return texts.CONFUSION + "\n" + _counted(of_angles(angle_cases(texts.CASES)))


def confusion_of_walks() -> str:
    """The same of gait."""
    return texts.CONFUSION_GAIT + "\n" + _counted(of_gait(gait_cases(texts.CASES)))


def confusion_of_dogs() -> str:
    """The same of dogs."""
    return texts.CONFUSION_DOGS + "\n" + _counted(of_gait(dog_cases(texts.DOG_CASES)))


def lasting() -> str:
    """What errors that last do to grade A."""
    rows = []
    for kind, text in (("lean", "leans 15°, turned 10°"), ("hips", "hips off by 0.06 trunk lengths")):
        for key, row in of_angles(angle_cases(texts.LASTING_CASES, kind)).items():  # type: ignore[arg-type]
            rows.append([text, key, f"{row.given}", _percent(row.kept), *(_cell(row, g) for g in ("B", "C"))])
    return texts.LASTING + _table(("", "angle", "clips with A", "of these inside", "B", "C"), rows)


def _counted(rows: Mapping[str, Row]) -> str:
    head = ("metric", "limit", *(f"{grade}: inside / outside" for grade in GRADES[:3]), "none", "A inside")
    return _table(
        head,
        [
            [
                key,
                row.limit,
                *(_cell(row, g) for g in GRADES[:3]),
                f"{sum(row.counts['none'])}",
                _percent(row.kept),
            ]
            for key, row in rows.items()
        ],
    )


def _cell(row: Row, grade: str) -> str:
    return "{} / {}".format(*row.counts[grade])


def _gait_cell(key: str, value: float) -> str:
    if value != value:  # noqa: PLR0124
        return "-"
    if "symmetry" in key:
        return f"{value:.3f}"
    return f"{value:.1f} points" if "stance" in key else f"{100 * value:.1f} %"


def _degrees(value: float) -> str:
    return f"{value:.1f}°" if value == value else "-"  # noqa: PLR0124


def _milliseconds(value: float) -> str:
    return f"{1000 * value:.0f} ms" if value == value else "-"  # noqa: PLR0124


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %" if value == value else "-"  # noqa: PLR0124


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _chart(
    name: str,
    x: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    across: str,
    *,
    up: str = "mean absolute error, degrees",
    limit: float,
) -> None:
    charts.lines(DOCS / f"images/accuracy-{name}.svg", x, curves, across=across, up=up, limit=limit)


_SECTIONS = (
    angles_in_plane,
    angles_by_view,
    contacts,
    gait,
    confusion_of_angles,
    confusion_of_walks,
    confusion_of_dogs,
    lasting,
)

if __name__ == "__main__":
    main()
