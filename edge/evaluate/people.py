"""How well several people are found, kept apart and counted in composite scenes, and what is found in empty rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from edge.coach.observer import Observer
from edge.evaluate.keypoints import keypoints
from edge.evaluate.labels import read_labels
from edge.evaluate.people_score import Picture, Score, score
from edge.evaluate.reps import AUTO, is_row
from edge.evaluate.scenes import original, render
from edge.link import PoseFrame
from edge.vision.people import People
from edge.vision.trace import read_trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from edge.evaluate.labels import Label
    from edge.evaluate.people_score import Points
    from edge.evaluate.scenes import Person, Scene, Shot
    from edge.vision.inference import Precision

EXERCISES = "exercise"
"""Folder of the labelled clips in the data's."""
_CARRIED_S = 0.25
"""Seconds for which somebody whose turn it is not counts as being where they were last read."""


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """Repetitions of one person in a scene."""

    who: str
    exercise: str
    true: int
    """By the labels, in the part of the clip that is played."""
    alone: int
    """Counted in that part of the clip itself, told the exercise."""
    scene: int
    """Counted in the scene, told the exercise."""
    alone_auto: int
    """The same without being told: repetitions of all exercises."""
    scene_auto: int


class SceneResult(msgspec.Struct, frozen=True, kw_only=True):
    """One scene."""

    name: str
    people: int
    score: Score
    counts: list[Counted] = []


def evaluate_scene(
    scene: Scene,
    data: Path,
    *,
    precision: Precision,
    threads: int,
    count: bool = True,
    progress: Callable[[], object] = lambda: None,
) -> SceneResult:
    """One scene of clips in `data`; `progress` is called after each picture. `count`: also the repetitions.

    Raises CameraError for a clip that is missing, ModelError, ConfigError.
    """
    frames: list[PoseFrame] = []
    seen = list(_watch(render(scene, data), People(precision, threads), frames, progress))
    marks = score(seen)
    labels = (
        {f"{EXERCISES}/{one.file}": one for one in read_labels(data / EXERCISES)}
        if count and scene.people
        else {}
    )
    counts = [
        _counted(person, label, data, frames, marks, precision, threads)
        for person in scene.people
        if not person.walks
        and (label := labels.get(person.clip)) is not None
        and label.kind == "reps"
        and is_row(label.exercise_id)
    ]
    return SceneResult(
        name=scene.name, people=len({one.who for one in scene.people}), score=marks, counts=counts
    )


def evaluate_clip(
    clip: Path,
    *,
    people: int,
    precision: Precision,
    threads: int,
    progress: Callable[[], object] = lambda: None,
) -> SceneResult:
    """A clip with nobody (0) or one person (1) in it. Raises CameraError, ModelError, ConfigError."""
    seen = list(_watch(original(clip, people), People(precision, threads), [], progress))
    return SceneResult(name=clip.name, people=people, score=score(seen))


def _watch(
    shots: Iterable[Shot], pipeline: People, frames: list[PoseFrame], progress: Callable[[], object]
) -> Iterator[Picture]:
    """What the pipeline says of each picture; who has to wait for their turn stays where they were."""
    known: dict[int, tuple[float, Points]] = {}
    for number, shot in enumerate(shots):
        subjects = pipeline.process(shot.bgr, shot.t)
        height, width = shot.bgr.shape[:2]
        frames.append(
            PoseFrame(
                camera="scene",
                number=number,
                monotonic_ns=round(shot.t * 1e9),
                utc_ns=None,
                width=width,
                height=height,
                timings={},
                subjects=tuple(subjects),
            )
        )
        tracks: dict[int, Points] = {subject.id: subject.points()[:, :2] for subject in subjects}
        tracks |= {
            track: joints
            for track, (t, joints) in known.items()
            if track in pipeline.waits and shot.t - t < _CARRIED_S
        }
        known |= {subject.id: (shot.t, tracks[subject.id]) for subject in subjects}
        progress()
        yield Picture(shot.t, shot.truths, tracks)


def _counted(
    person: Person,
    label: Label,
    data: Path,
    frames: list[PoseFrame],
    marks: Score,
    precision: Precision,
    threads: int,
) -> Counted:
    first, last = person.start, person.start + frames[-1].monotonic_ns / 1e9 - person.path[0][0]
    trace = keypoints(data / person.clip, precision=precision, threads=threads)
    whole = [one for one in read_trace(trace) if isinstance(one, PoseFrame)]
    begin = whole[0].monotonic_ns
    alone = [one for one in whole if first <= (one.monotonic_ns - begin) / 1e9 <= last]
    mine = {track for track, who in marks.owners.items() if who == person.who}
    there = [
        msgspec.structs.replace(
            one, subjects=tuple(subject for subject in one.subjects if subject.id in mine)
        )
        for one in frames
    ]
    given, auto = label.exercise_id, AUTO
    return Counted(
        who=person.who,
        exercise=given,
        true=sum(first <= t <= last for t in label.event_times_s),
        alone=_repetitions(alone, given),
        scene=_repetitions(there, given),
        alone_auto=_repetitions(alone, auto),
        scene_auto=_repetitions(there, auto),
    )


def _repetitions(frames: list[PoseFrame], choice: str) -> int:
    """Of everyone in `frames` together."""
    observer = Observer(choice)
    people = []
    for frame in frames:
        observer.update(frame)
        people += observer.absent(frame.monotonic_ns / 1e9)
    people += observer.finish()
    return sum(reps for person in people for reps, _, _ in person.coach.totals().values())
