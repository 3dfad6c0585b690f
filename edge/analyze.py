"""`kinebox analyze`: the live pipeline over a file, as fast as it goes."""

from __future__ import annotations

import contextlib
import csv
import os
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edge.coach.coach import AUTO
from edge.coach.observer import Observation, Observer, Person
from edge.errors import CameraError, ConfigError
from edge.export import Recording, check_formats, export_motion
from edge.link import CameraState, Hello, MarkerSeen, PoseFrame
from edge.motion.skeletons import SKELETONS
from edge.vision.source import open_source
from edge.vision.trace import SUFFIX, TraceWriter
from models.load import DEFAULT_MODEL
from wire.metrics import live_metrics, metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from edge.coach.records import CoachEvent, RepetitionMeasure
    from edge.motion.grades import Measure
    from edge.vision.inference import Precision

SCHEMA = 1
SUFFIXES = {".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", SUFFIX}
"""What is taken from a folder."""
_JSON, _CSV = ".json", ".csv"
_ENDINGS = (_JSON, _CSV, SUFFIX)
"""What is written for each clip: the report, the measurements, the keypoints."""
_LEAST_S = 0.5
"""Seconds someone must be seen to be reported: a shorter find is a shadow or a lamp."""
_TRACE_REMEDY = "Record it again with the release you use."


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
        for ending in _ENDINGS:
            written = _output(file, out, ending)
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
    height_m: float | None = None,
    out: Path | None = None,
    formats: Sequence[str] = (),
    progress: Callable[[], object] = lambda: None,
) -> ClipReport:
    """Analyse one clip; with `out`, also write its report, measurements and trace there, once all are complete.

    `model`: ours, or the name of one that was imported. `height_m`: of whoever is seen. `formats`: of `edge.export`,
    also written to `out`. `progress` is called after each frame.
    Raises CameraError, ModelError or ConfigError.
    """
    observer = Observer(exercise, height_m)  # an unknown exercise is refused before any work is done
    check_formats(formats)
    people: list[Person] = []
    happened: dict[Person, list[CoachEvent]] = defaultdict(list)
    warnings: set[str] = set()
    depth = exercise != AUTO  # by which exercises are recognised; nobody asks for it where it is named
    frames, first, last = 0, 0.0, 0.0
    with contextlib.ExitStack() as stack:
        source = open_source(str(path), precision=precision, threads=threads, model=model)
        stack.callback(source.close)
        recorder = _Recorder(out, path, source.hello, formats) if out else None
        if recorder:
            stack.callback(recorder.close)
        for record in source.stream():
            if isinstance(record, MarkerSeen):
                continue  # nobody asked for it
            if recorder:
                recorder.add(record)
            if isinstance(record, CameraState):
                if record.state == "black":
                    warnings.add(record.state)
                continue
            _refuse_misshapen(record, path)
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


def display_name(path: Path) -> str:
    """The file's name as text: bytes that are no UTF-8 (Linux allows them) become question marks."""
    return os.fsencode(path.name).decode(errors="replace")


def _output(clip: Path, folder: Path, ending: str) -> Path:
    """What is written for `clip`: its whole name and an ending, so that a.mp4 and a.mov do not meet."""
    return folder / f"{clip.name}{ending}"


class _Recorder:
    """Writes what `--out` asks for: a report (.json), a row a frame and subject (.csv), a trace, and `formats`.

    Every failure to write is a ConfigError. Without `finish`, nothing is left behind.
    """

    def __init__(self, folder: Path, clip: Path, hello: Hello, formats: Sequence[str]) -> None:
        self._folder, self._clip, self._formats = folder, clip, formats
        self._recording = Recording()
        self._keys = [metric.key for metric in live_metrics()]
        with self._told():
            folder.mkdir(parents=True, exist_ok=True)
            self._temporary = tempfile.TemporaryDirectory(prefix=".kinebox-", dir=folder)
        self._part = Path(self._temporary.name)
        self._files = contextlib.ExitStack()
        try:
            with self._told():
                table = self._files.enter_context((self._part / _CSV).open("w", newline=""))
                self._rows = csv.writer(table)
                self._rows.writerow(["t_s", "subject", *self._keys])
                self._trace = self._files.enter_context(
                    contextlib.closing(TraceWriter(self._part / SUFFIX, hello))
                )
        except ConfigError:
            self.close()
            raise

    def add(self, record: PoseFrame | CameraState) -> None:
        with self._told():
            self._trace.write(record)

    def measure(self, t: float, seen: Sequence[Observation]) -> None:
        """Everyone in the picture at `t` seconds of the clip."""
        self._recording.picture(t)
        for one in seen:
            values = [None if (m := one.measures.get(key)) is None else m.value for key in self._keys]
            row = ["" if value is None else f"{value:.2f}" for value in values]
            with self._told():
                self._rows.writerow([f"{t:.3f}", one.person.id, *row])
            if self._formats:
                subject = one.subject
                self._recording.add(
                    subject.id,
                    subject.species,
                    subject.skeleton,
                    subject.points(),
                    subject.world_points(),
                    one.measures,
                )

    def finish(self, report: ClipReport, tilt: float | None) -> None:
        """All is complete: put it in its place. `tilt`: of the camera, in degrees, where it is known."""
        subjects = report.subjects if self._formats else ()
        motions = [self._recording.motion(subject.id, self._keys, tilt) for subject in subjects]
        with self._told():
            text = msgspec.json.format(msgspec.json.encode(report), indent=2)
            (self._part / _JSON).write_bytes(text)
            self._files.close()
            exported = self._part / "exported"
            exported.mkdir()
            export_motion(motions, exported / display_name(self._clip), self._formats)
            for ending in _ENDINGS:
                (self._part / ending).replace(_output(self._clip, self._folder, ending))
            for file in exported.iterdir():
                file.replace(self._folder / file.name)

    def close(self) -> None:
        """Remove what is not complete."""
        with contextlib.suppress(OSError):  # a full disk has been told
            self._files.close()
        self._temporary.cleanup()

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ConfigError(
                f"cannot write into {self._folder}: {error.strerror or error}",
                "Make room, or choose another folder for --out.",
            ) from error
