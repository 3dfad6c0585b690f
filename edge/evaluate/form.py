"""How well the rows' rules agree with people who labelled pictures.

Each picture is judged by itself, as the far end of a repetition or as a moment of a hold, by the rows as they are.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from edge.coach.form import Form, Strictness
from edge.coach.lanes import Lane, Lanes
from edge.coach.library import exercise
from edge.coach.survey import survey
from edge.evaluate.landmarks import read_table
from edge.motion.course import Window
from edge.motion.signals import Signals

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edge.coach.exercise import Exercise
    from edge.coach.records import Side

_HALF_WAY = 0.5
"""Progress from which somebody is down."""


class Task(NamedTuple):
    """One labelled table, and what its labels are."""

    title: str
    file: str
    exercise: str
    faults: Mapping[str, str]
    """Rule to the label of pictures in which it is broken; empty: the labels are `up` and `down`."""
    right: str = "C"
    """Label of the other pictures."""


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """How the rules of a row did."""

    title: str
    exercise: str
    pictures: int
    accuracy: float
    """Share of all pictures in which the rules say what the label says; silence is an error."""
    by_label: dict[str, float]
    """The same for the pictures of each label."""
    not_judged: int
    """Pictures in which it was not seen well enough."""
    gentle: float | None
    """Accuracy with the other bounds."""
    strict: float | None
    picture_shape: float
    """Width over height of the pictures, found from the limbs."""


TASKS = (
    Task("squat: stage", "squat_model_test.csv", "squat", {}),
    Task("lunge: knee over toe", "lunge_model_err.test.csv", "lunge", {"knee_over_toe": "L"}),
    Task("plank: hip height", "plank_model_test.csv", "plank", {"hip_sag": "L", "hip_pike": "H"}),
    Task("plank: others, all correct", "plank_model_kaggle.csv", "plank", {"hip_sag": "L", "hip_pike": "H"}),
    Task("biceps curl: lean back", "bicep_model_test.csv", "biceps_curl", {"lean_back": "L"}),
)
"""The tables of the data set Exercise-Correction (MIT)."""


def evaluate_form(folder: Path, task: Task) -> Judged:
    """Judge every picture of a task's table in `folder`. ConfigError where it cannot be read."""
    table, row = read_table(folder / task.file), exercise(task.exercise)
    shape = table.shape()
    windows = [_window(Signals(body)) for body in table.bodies(shape)]

    def said(strictness: Strictness) -> list[tuple[str, str | None]]:
        form = Form(row, strictness)
        return list(zip(table.labels, (_said(task, row, form, one) for one in windows), strict=True))

    normal = said("normal")
    by_label = {
        label: _agreement([one for one in normal if one[0] == label])
        for label in sorted(Counter(table.labels))
    }
    return Judged(
        title=task.title,
        exercise=task.exercise,
        pictures=len(normal),
        accuracy=_agreement(normal),
        by_label=by_label,
        not_judged=sum(answer is None for _, answer in normal),
        gentle=_agreement(said("gentle")) if task.faults else None,
        strict=_agreement(said("strict")) if task.faults else None,
        picture_shape=shape,
    )


def _agreement(said: list[tuple[str, str | None]]) -> float:
    return sum(label == answer for label, answer in said) / len(said)


def _said(task: Task, row: Exercise, form: Form, window: Window) -> str | None:
    """What the row says of a picture: one of the labels; None where it was not seen well enough."""
    if not task.faults:
        progress = Lanes([Lane(row.parts, "both")]).progress(window.values, window.visibility).item()
        return None if math.isnan(progress) else "down" if progress >= _HALF_WAY else "up"
    found = form(survey(window, np.ones(1)), _side(row, window), None)
    asked = [one for one in found if one.rule in task.faults and one.sure]
    if not asked:
        return None
    worst = max(asked, key=lambda one: one.off)
    return task.faults[worst.rule] if worst.fault else task.right


def _side(row: Exercise, window: Window) -> Side | None:
    """The limb that is further on the row's way, or that is seen."""
    if row.sides == "whole":
        return None
    if row.sides == "together":
        return "both"
    lanes = Lanes([Lane(row.parts, "left"), Lane(row.parts, "right")])
    left, right = np.nan_to_num(lanes.progress(window.values[0], window.visibility[0]), nan=-math.inf)
    return "left" if left >= right else "right"


def _window(now: Signals) -> Window:
    values, visibility = now.arrays
    return Window(
        times=np.zeros(1),
        values=values[None],
        visibility=visibility[None],
        doubt=now.doubt[None],
        trunk_px=np.array([now.trunk_px]),
        progress=np.empty((1, 0)),
    )
