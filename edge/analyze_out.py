"""What `kinebox analyze --out` writes for a clip."""

from __future__ import annotations

import contextlib
import csv
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edge.errors import ConfigError
from edge.export import Recording, export_motion
from edge.vision.trace import SUFFIX, TraceWriter
from wire.metrics import live_metrics

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge.analyze import ClipReport
    from edge.coach.observer import Observation
    from edge.link import CameraState, Hello, PoseFrame

_JSON, _CSV = ".json", ".csv"
ENDINGS = (_JSON, _CSV, SUFFIX)
"""What is written for each clip: the report, the measurements, the keypoints."""


def display_name(path: Path) -> str:
    """The file's name as text: bytes that are no UTF-8 (Linux allows them) become question marks."""
    return os.fsencode(path.name).decode(errors="replace")


def output(clip: Path, folder: Path, ending: str) -> Path:
    """What is written for `clip`: its whole name and an ending, so that a.mp4 and a.mov do not meet."""
    return folder / f"{clip.name}{ending}"


class Recorder:
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
        """One record of the clip, for the trace."""
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
            for ending in ENDINGS:
                (self._part / ending).replace(output(self._clip, self._folder, ending))
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
