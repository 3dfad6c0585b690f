"""Labelled clips through the coach: what it counts when it is told the exercise, and when it finds out by itself."""

from __future__ import annotations

from collections import Counter, defaultdict
from statistics import mean
from typing import TYPE_CHECKING, Literal

import msgspec

from edge.analyze import analyze, main_exercise
from edge.coach.observer import Observer
from edge.errors import ConfigError
from edge.evaluate.keypoints import keypoints
from edge.evaluate.naive import count_naively

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from edge.analyze import ClipReport
    from edge.evaluate.labels import Label
    from edge.vision.inference import Precision

AUTO = "auto"
Runs = Literal["given", "auto", "both"]


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted in one clip under one name, of everyone in it together."""

    exercise: str | None
    """None: nothing was recognised."""
    reps: int
    partial_reps: int
    hold_s: float
    event_offset_s: float | None
    """Mean distance of the repetitions from the labelled times, where their number is right."""
    others: dict[str, int] = {}
    """Repetitions counted under other names in the same clip."""
    cues: tuple[str, ...] = ()
    """Rules of form that were named, each once."""


class ClipResult(msgspec.Struct, frozen=True, kw_only=True):
    """One labelled clip."""

    file: str
    source: str
    exercise_id: str
    kind: Literal["reps", "hold", "nothing"]
    true_reps: int | None
    duration_s: float
    row: bool
    """Whether there is an exercise of this id."""
    given: Counted | None
    """None: not asked for, no such row, or nothing to count."""
    auto: Counted | None
    naive: int | None
    """Of the one-angle counter; None where it has no thresholds."""


class ClipFailed(msgspec.Struct, frozen=True, kw_only=True):
    """A clip that could not be evaluated."""

    file: str
    error: str
    remedy: str


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """Counts against labels."""

    clips: int
    obo: float | None
    """Share of the clips counted with at most one repetition too many or too few; None without clips."""
    mae: float | None
    """Mean of |counted - true| / true."""
    exact: float | None


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """All clips, or those of one source."""

    given: Score
    auto: Score
    naive: Score
    given_where_naive: Score
    """Told the exercise, on those clips alone that the naive counter knows."""
    named: float | None
    """Share of the clips with an exercise in which `auto` named the right one; a missing row is not named."""
    given_event_offset_s: float | None
    """Mean over all repetitions of the clips that were counted right."""
    auto_event_offset_s: float | None
    false_reps: int
    """Counted by `auto` where nothing, or a hold, was to be counted."""
    hold_error_s: float | None
    """Mean |held - duration| of the holds, told the exercise."""
    cues: dict[str, int]
    """In how many clips each rule of form was named, told the exercise; nobody has labelled their form."""


def evaluate_clip(
    folder: Path,
    label: Label,
    *,
    runs: Runs,
    precision: Precision,
    threads: int,
    progress: Callable[[], object] = lambda: None,
) -> ClipResult:
    """One clip; `progress` is called after each frame. Raises CameraError, ModelError or ConfigError."""
    trace = keypoints(folder / label.file, precision=precision, threads=threads, progress=progress)
    row = is_row(label.exercise_id)
    duration = 0.0
    found: dict[str, Counted] = {}
    for run in ("given", "auto"):
        if runs not in (run, "both") or (run == "given" and (not row or label.kind == "nothing")):
            continue
        choice = label.exercise_id if run == "given" else AUTO
        report = analyze(trace, exercise=choice, progress=progress)
        duration = report.duration_s + (1 / report.fps if report.fps else 0.0)
        found[run] = counted(report, label, choice)
    return ClipResult(
        file=label.file,
        source=label.repo,
        exercise_id=label.exercise_id,
        kind=label.kind,
        true_reps=label.reps,
        duration_s=round(duration, 3),
        row=row,
        given=found.get("given"),
        auto=found.get("auto"),
        naive=count_naively(trace, label.exercise_id) if label.kind == "reps" else None,
    )


def is_row(exercise_id: str) -> bool:
    """Whether there is an exercise of this id."""
    try:
        Observer(exercise_id)
    except ConfigError:
        return False
    return exercise_id != AUTO


def counted(report: ClipReport, label: Label, choice: str) -> Counted:
    """What `report` says of the clip, under the name that stands for most of it where none was chosen."""
    sums = totals_of(report)
    name = main_exercise(sums) if choice == AUTO else choice
    reps, partial, held = sums.get(name or "", (0, 0, 0.0))
    times = sorted(event.t for subject in report.subjects for event in subject.events if event.kind == "rep")
    true = sorted(label.event_times_s)
    offset = None
    if times and reps == label.reps == len(true) == len(times):
        offset = mean(abs(a - b) for a, b in zip(times, true, strict=True))
    return Counted(
        exercise=name,
        reps=reps,
        partial_reps=partial,
        hold_s=round(held, 2),
        event_offset_s=offset,
        others={other: reps for other, (reps, _, _) in sums.items() if reps and other != name},
        cues=tuple(
            sorted({event.cue for subject in report.subjects for event in subject.events if event.cue})
        ),
    )


def totals_of(report: ClipReport) -> dict[str, tuple[int, int, float]]:
    """(repetitions, partial ones, seconds held) by exercise, of everyone in the clip together."""
    sums: dict[str, tuple[int, int, float]] = {}
    for subject in report.subjects:
        for name, done in subject.exercises.items():
            reps, partial, held = sums.get(name, (0, 0, 0.0))
            sums[name] = (
                reps + int(done["reps"]),
                partial + int(done["partial_reps"]),
                held + done["hold_s"],
            )
    return sums


def totals(results: Iterable[ClipResult]) -> Totals:
    """The figures of some clips together."""
    results = list(results)
    reps = [one for one in results if one.kind == "reps"]
    named = [one.auto.exercise == one.exercise_id for one in results if one.kind != "nothing" and one.auto]
    # A hold whose exercise has no row was not counted at all: it does not make the mean better or worse.
    holds = [abs(one.given.hold_s - one.duration_s) for one in results if one.kind == "hold" and one.given]
    idle = [one.auto for one in results if one.kind != "reps" and one.auto]
    return Totals(
        given=_score((one.given.reps, one.true_reps) for one in reps if one.given),
        auto=_score((one.auto.reps, one.true_reps) for one in reps if one.auto),
        naive=_score((one.naive, one.true_reps) for one in reps if one.naive is not None),
        given_where_naive=_score(
            (one.given.reps, one.true_reps) for one in reps if one.given and one.naive is not None
        ),
        named=_mean(named),
        given_event_offset_s=_offset((one.true_reps, one.given) for one in reps),
        auto_event_offset_s=_offset((one.true_reps, one.auto) for one in reps),
        false_reps=sum(one.reps + sum(one.others.values()) for one in idle),
        hold_error_s=_mean(holds),
        cues=dict(
            Counter(f"{one.exercise_id} {cue}" for one in results if one.given for cue in one.given.cues)
        ),
    )


def by_source(results: Iterable[ClipResult]) -> dict[str, Totals]:
    """The figures of each source by itself, in the order of their names."""
    groups: Mapping[str, list[ClipResult]] = defaultdict(list)
    for one in results:
        groups[one.source].append(one)
    return {source: totals(groups[source]) for source in sorted(groups)}


def _score(pairs: Iterable[tuple[int, int | None]]) -> Score:
    errors = [(abs(counted - true), true) for counted, true in pairs if true is not None]
    return Score(
        clips=len(errors),
        obo=_mean([error <= 1 for error, _ in errors]),
        mae=_mean([error / max(true, 1) for error, true in errors]),
        exact=_mean([error == 0 for error, _ in errors]),
    )


def _offset(counts: Iterable[tuple[int | None, Counted | None]]) -> float | None:
    """Over all repetitions: a clip weighs as many as it has."""
    offsets: list[float] = []
    for reps, one in counts:
        if one is not None and one.event_offset_s is not None:
            offsets += [one.event_offset_s] * (reps or 0)
    return _mean(offsets)


def _mean(values: Sequence[float]) -> float | None:
    return mean(values) if values else None
