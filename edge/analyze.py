"""`kinebox analyze`: the live pipeline over a file, as fast as it goes."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import msgspec

from edge.coach.observer import Observer, Person
from edge.errors import CameraError, ConfigError
from edge.link import CameraState, Hello, PoseFrame
from edge.vision.source import open_source
from edge.vision.trace import SUFFIX, TraceWriter
from wire.metrics import live_metrics, metrics

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge.vision.inference import Precision

SCHEMA = 1
SUFFIXES = {".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", SUFFIX}
"""What is taken from a folder."""
_LEAST_S = 0.5
"""Seconds someone must be seen to be reported: a shorter find is a shadow or a lamp."""


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


class ClipReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One clip; the subject with the longest track comes first."""

    schema: int
    file: str
    frames: int
    fps: float
    duration_s: float
    warnings: list[str] = []
    """Codes: `turned`, `variable_frame_rate`, `truncated`, `black`."""
    subjects: list[SubjectReport]


def clips(path: Path) -> list[Path]:
    """The clip at `path`, or every clip in the folder `path`; CameraError when there is none."""
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
    if not found:
        raise CameraError(f"no video in {path}", f"Kinebox reads {', '.join(sorted(SUFFIXES))}.")
    return found


def analyze(
    path: Path,
    *,
    exercise: str,
    precision: Precision = "int8",
    threads: int = 1,
    out: Path | None = None,
    progress: Callable[[], object] = lambda: None,
) -> ClipReport:
    """Analyse one clip; with `out`, also write its report, measurements and trace there.

    `progress` is called after each frame. Raises CameraError, ModelError or ConfigError.
    """
    observer = Observer(exercise)
    observer.choose(exercise)  # an unknown exercise is refused before any work is done
    source = open_source(str(path), precision=precision, threads=threads)
    people: dict[int, Person] = {}
    black: list[str] = []
    frames, first, last = 0, 0.0, 0.0
    recorder = _Recorder(out, path) if out else None
    try:
        if recorder:
            recorder.begin(source.hello)
        for record in source.stream():
            if recorder:
                recorder.add(record)
            if isinstance(record, CameraState):
                if record.state == "black":
                    black.append(record.state)
                continue
            last = record.monotonic_ns / 1e9
            first = last if frames == 0 else first
            frames += 1
            for seen in observer.update(record):
                people[seen.person.id] = seen.person
                if recorder:
                    recorder.measure(
                        last - first, seen.person.id, {k: m.value for k, m in seen.measures.items()}
                    )
            observer.absent(last)
            progress()
        observer.finish()
    finally:
        source.close()
        if recorder:
            recorder.close()
    lasting = [person for person in people.values() if person.last_seen - person.first_seen >= _LEAST_S]
    lasting.sort(key=lambda person: person.first_seen - person.last_seen)
    report = ClipReport(
        schema=SCHEMA,
        file=path.name,
        frames=frames,
        fps=round((frames - 1) / (last - first), 3) if last > first else 0.0,
        duration_s=round(last - first, 3),
        warnings=[*source.remarks, *dict.fromkeys(black)],
        subjects=[_report(person, first) for person in lasting],
    )
    if recorder:
        recorder.report(report)
    return report


def _report(person: Person, start: float) -> SubjectReport:
    totals = person.coach.totals()
    main = max(totals, key=lambda name: totals[name], default=None)
    if main is None and person.coach.given:
        main = person.coach.choice
    reps, partial, held = totals.get(main or "", (0, 0, 0.0))
    rows = metrics()
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
            EventReport(round(max(event.t - start, 0.0), 3), event.kind)
            for event in sorted(person.events, key=lambda event: event.t)
        ],
        metrics={
            key: MetricReport(
                None if m.value is None else round(m.value, 2), rows[key].unit, m.grade, m.reasons
            )
            for key, m in person.summary.measures().items()
        },
    )


class _Recorder:
    """Writes what `--out` asks for: NAME.json, NAME.csv (a row a frame and subject) and NAME.trace."""

    def __init__(self, folder: Path, clip: Path) -> None:
        self._stem = folder / clip.stem
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self._stem.with_suffix(".csv").open("w", newline="")
        except OSError as error:
            raise ConfigError(
                f"cannot write into {folder}: {error.strerror}", "Choose another folder."
            ) from error
        self._rows = csv.writer(self._file)
        self._keys = [metric.key for metric in live_metrics()]
        self._rows.writerow(["t_s", "subject", *self._keys])
        self._trace: TraceWriter | None = None

    def begin(self, hello: Hello) -> None:
        self._trace = TraceWriter(self._stem.with_suffix(SUFFIX), hello)

    def add(self, record: PoseFrame | CameraState) -> None:
        assert self._trace is not None
        self._trace.write(record)

    def measure(self, t: float, subject: int, values: dict[str, float | None]) -> None:
        row = ["" if (value := values.get(key)) is None else f"{value:.2f}" for key in self._keys]
        self._rows.writerow([f"{t:.3f}", subject, *row])

    def report(self, report: ClipReport) -> None:
        self._stem.with_suffix(".json").write_bytes(
            msgspec.json.format(msgspec.json.encode(report), indent=2)
        )

    def close(self) -> None:
        self._file.close()
        if self._trace is not None:
            self._trace.close()
