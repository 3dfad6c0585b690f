"""`kinebox analyze`: the live pipeline over a file, as fast as it goes."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from edge.analyze_out import ENDINGS, Recorder, display_name, output
from edge.calibration import CameraSettings
from edge.coach.coach import AUTO
from edge.coach.observer import Observer, Person
from edge.coach.station import Station
from edge.errors import CameraError, ConfigError
from edge.export import check_formats
from edge.link import CameraState, MarkerSeen, PoseFrame, Watch
from edge.motion.lens import Lens
from edge.motion.skeletons import SKELETONS
from edge.vision.source import open_source
from edge.vision.trace import SUFFIX
from edge.zones import inside
from models.load import DEFAULT_MODEL
from wire.metrics import metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from edge.coach.records import CoachEvent, RepetitionMeasure
    from edge.link import Subject
    from edge.motion.grades import Measure
    from edge.vision.inference import Precision
    from edge.zones import Zones

SCHEMA = 1
SUFFIXES = {".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", SUFFIX}
"""What is taken from a folder."""
_LEAST_S = 0.5
"""Seconds someone must be seen to be reported: a shorter find is a shadow or a lamp."""
_TRACE_REMEDY = "Record it again with the release you use."
_NO_SETTINGS = CameraSettings()


class MetricReport(msgspec.Struct, frozen=True):
    """One measurement with its grade."""

    value: float | None
    unit: str
    grade: str
    reasons: tuple[str, ...]


class EventReport(msgspec.Struct, frozen=True):
    """Something that happened at `t` seconds of the clip."""

    t: float
    kind: str
    measures: dict[str, MetricReport] = {}
    """Of a repetition."""
    cue: str | None = None
    """Of a correction: the id of the rule of form."""


class SubjectReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one subject did."""

    id: int
    species: str
    exercise: str | None
    """The exercise with the most repetitions or, for holds, seconds; None where nothing was recognised."""
    reps: int
    partial_reps: int
    hold_s: float
    first_s: float
    last_s: float
    exercises: dict[str, dict[str, float]]
    """All exercises of the clip: repetitions, partial ones and seconds held."""
    events: list[EventReport]
    metrics: dict[str, MetricReport]
    gait: str | None
    """`walk`, `run` or `trot`; None where nobody walked."""


class ClipReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One clip; the subject with the longest track comes first."""

    schema: int
    file: str
    frames: int
    fps: float
    duration_s: float
    warnings: list[str] = []
    """Codes: `turned`, `variable_frame_rate`, `truncated`, `black`; `no_depth`: no exercise could be recognised."""
    subjects: list[SubjectReport]


class ClipError(msgspec.Struct, frozen=True, kw_only=True):
    """One clip of a folder that could not be analysed."""

    file: str
    error: str
    remedy: str


def clips(path: Path) -> list[Path]:
    """The clip at `path`, or every clip in the folder `path`; CameraError when there is none."""
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
    if not found:
        raise CameraError(f"no video in {path}", f"Kinebox reads {', '.join(sorted(SUFFIXES))}.")
    return found


def refuse_overwriting(files: Sequence[Path], out: Path) -> None:
    """ConfigError when what is written into `out` for one of `files` would take the place of another of them."""
    taken = {file.resolve() for file in files}
    for file in files:
        for ending in ENDINGS:
            written = output(file, out, ending)
            if written.resolve() in taken:
                raise ConfigError(
                    f"{written} would be overwritten, and is to be analysed",
                    "Choose another folder for --out.",
                )


def analyze(
    path: Path,
    *,
    exercise: str,
    precision: Precision = "int8",
    threads: int = 1,
    model: str = DEFAULT_MODEL,
    settings: CameraSettings = _NO_SETTINGS,
    out: Path | None = None,
    formats: Sequence[str] = (),
    progress: Callable[[], object] = lambda: None,
) -> ClipReport:
    """Analyse one clip; with `out`, also write its report, measurements and trace there, once all are complete.

    `model`: ours, or the name of one that was imported. `settings`: of the camera that took it. `formats`: of
    `edge.export`, also written to `out`. `progress` is called after each frame.
    Raises CameraError, ModelError or ConfigError.
    """
    look = partial(Lens, field=settings.field)
    observer = Observer(
        exercise, settings.height_m, look
    )  # an unknown exercise is refused before any work is done
    observer.station = None if settings.station is None else Station(settings.station)
    check_formats(formats)
    people: list[Person] = []
    happened: dict[Person, list[CoachEvent]] = defaultdict(list)
    warnings: set[str] = set()
    depth = exercise != AUTO  # by which exercises are recognised; nobody asks for it where it is named
    frames, first, last = 0, 0.0, 0.0
    with contextlib.ExitStack() as stack:
        source = open_source(str(path), precision=precision, threads=threads, model=model)
        stack.callback(source.close)
        source.watch(Watch(zones=settings.zones))
        recorder = Recorder(out, path, source.hello, formats) if out else None
        if recorder:
            stack.callback(recorder.close)
        for record in source.stream():
            if isinstance(record, MarkerSeen):
                continue  # nobody asked for it
            if isinstance(record, PoseFrame):
                _refuse_misshapen(record, path)
                record = _without(record, settings.zones)  # noqa: PLW2901 - of a trace everybody comes
            if recorder:
                recorder.add(record)
            if isinstance(record, CameraState):
                if record.state == "black":
                    warnings.add(record.state)
                continue
            last = record.monotonic_ns / 1e9
            first = last if frames == 0 else first
            frames += 1
            depth = depth or any(one.world is not None for one in record.subjects)
            seen = observer.update(record)
            for one in seen:
                happened[one.person] += one.events
            if recorder:
                recorder.measure(last - first, seen)
            people += observer.absent(last)
            progress()
        people += observer.finish()
        for person in people:
            happened[person] += person.events
        if not depth and any(person.species == "human" for person in people):
            warnings.add("no_depth")
        report = _clip_report(
            path, people, happened, frames, first, last, [*source.remarks, *sorted(warnings)]
        )
        if recorder:
            tilt = next((person.walks.tilt for person in people if person.walks.tilt is not None), None)
            recorder.finish(report, tilt)
    return report


def _refuse_misshapen(frame: PoseFrame, path: Path) -> None:
    """CameraError for keypoints that motion cannot read: a trace may come from anywhere."""
    for subject in frame.subjects:
        skeleton = SKELETONS.get(subject.skeleton)
        if skeleton is None:
            raise CameraError(
                f"{path} has keypoints of an unknown skeleton, {subject.skeleton}", _TRACE_REMEDY
            )
        world = subject.world_points()
        for points in (subject.points(), *([] if world is None else [world])):
            if len(points) != len(skeleton.names):
                raise CameraError(
                    f"{path} has {len(points)} keypoints where {subject.skeleton} has {len(skeleton.names)}",
                    _TRACE_REMEDY,
                )


def _without(frame: PoseFrame, zones: Zones) -> PoseFrame:
    """The frame less those who have the middle of the hips in one of the zones, as vision leaves them out."""
    return replace(frame, subjects=tuple(one for one in frame.subjects if not _left_out(one, frame, zones)))


def _left_out(subject: Subject, frame: PoseFrame, zones: Zones) -> bool:
    at = SKELETONS[subject.skeleton].joints
    hips = [at[name] for name in ("hip_left", "hip_right") if name in at]
    if not zones or not hips:
        return False
    x, y = subject.points()[hips, :2].mean(axis=0)
    return any(inside(zone, float(x) / frame.width, float(y) / frame.height) for zone in zones)


def _clip_report(
    path: Path,
    people: list[Person],
    happened: Mapping[Person, list[CoachEvent]],
    frames: int,
    first: float,
    last: float,
    warnings: list[str],
) -> ClipReport:
    lasting = [person for person in people if person.last_seen - person.first_seen >= _LEAST_S]
    lasting.sort(key=lambda person: person.first_seen - person.last_seen)
    return ClipReport(
        schema=SCHEMA,
        file=display_name(path),
        frames=frames,
        fps=round((frames - 1) / (last - first), 3) if last > first else 0.0,
        duration_s=round(last - first, 3),
        warnings=warnings,
        subjects=[_report(person, happened[person], first) for person in lasting],
    )


def main_exercise(totals: Mapping[str, tuple[int, int, float]]) -> str | None:
    """The exercise with the most repetitions, then seconds held, then partial repetitions (see Coach.totals)."""

    def weight(name: str) -> tuple[int, float, int]:
        reps, partial, held = totals[name]
        return reps, held, partial

    return max(totals, key=weight, default=None)


def _report(person: Person, events: list[CoachEvent], start: float) -> SubjectReport:
    totals = person.coach.totals()
    main = main_exercise(totals)
    if main is None and person.coach.given:
        main = person.coach.choice
    reps, partial, held = totals.get(main or "", (0, 0, 0.0))
    measured = {
        event.t: event.repetition.measures
        for event in events
        if event.kind == "rep_measured" and event.repetition is not None
    }
    return SubjectReport(
        id=person.id,
        species=person.species,
        exercise=main,
        reps=reps,
        partial_reps=partial,
        hold_s=round(held, 2),
        first_s=round(person.first_seen - start, 3),
        last_s=round(person.last_seen - start, 3),
        exercises={
            name: {"reps": r, "partial_reps": p, "hold_s": round(h, 2)} for name, (r, p, h) in totals.items()
        },
        events=[
            EventReport(
                round(max(event.t - start, 0.0), 3),
                event.kind,
                _reported(measured.get(event.t, {})) if event.repetition is not None else {},
                None if event.cue is None else event.cue.rule,
            )
            for event in sorted(events, key=lambda event: event.t)
            if event.kind != "rep_measured"
        ],
        gait=person.walks.kind,
        metrics=_reported(person.measures()),
    )


def _reported(measures: Mapping[str, Measure | RepetitionMeasure]) -> dict[str, MetricReport]:
    rows = metrics()
    return {
        key: MetricReport(None if m.value is None else round(m.value, 2), rows[key].unit, m.grade, m.reasons)
        for key, m in measures.items()
    }
