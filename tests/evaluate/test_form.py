"""Rules against labelled landmarks: a table that is written here, and the real ones where they are at hand."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.testing import CliRunner

from edge.cli import app
from edge.errors import ConfigError
from edge.evaluate.form import TASKS, Task, evaluate_form
from edge.evaluate.landmarks import read_table
from edge.motion.signals import Signals
from edge.motion.skeletons import SKELETONS
from tests.figure import Figure

if TYPE_CHECKING:
    from pathlib import Path

NAMES = SKELETONS["blazepose33"].names
PLANK = next(task for task in TASKS if task.exercise == "plank")
SQUAT = next(task for task in TASKS if task.exercise == "squat")
LEAST = {
    "squat: stage": 0.9,
    "lunge: knee over toe": 0.9,
    "plank: hip height": 0.9,
    "plank: others, all correct": 0.85,
    "biceps curl: lean back": 0.85,
}


def write(path: Path, figures: list[tuple[str, Figure]], shape: float, seen: float = 0.9) -> None:
    """The figures in pictures of a shape, as the data set has them."""
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["label", *(f"{name}_{part}" for name in NAMES for part in "xyzv")])
        for label, figure in figures:
            x, y, z = figure.world().T.astype(float) * 0.2
            points = np.stack([0.5 + x / shape, 0.5 - y, -z / shape, np.full(len(x), seen)], axis=1)
            lines.writerow([label, *points.ravel()])


def poses(**angles: float) -> Figure:
    hip, knee = angles["hip"], angles["knee"]
    return Figure(hip=(hip, hip), knee=(knee, knee), lean=angles["lean"], yaw=angles["yaw"])


@pytest.mark.parametrize("shape", [9 / 16, 1.0, 16 / 9])
def test_the_picture_has_the_shape_in_which_limbs_keep_their_length(tmp_path: Path, shape: float) -> None:
    figures = [
        ("up", poses(hip=bend, knee=1.2 * bend, lean=bend / 3, yaw=20 + bend / 9))
        for bend in range(0, 90, 10)
    ]
    write(tmp_path / "table.csv", figures, shape)
    table = read_table(tmp_path / "table.csv")
    assert table.shape() == pytest.approx(shape)
    bent = Signals(table.bodies(shape)[5])["knee_flexion_left"]
    assert bent.value == pytest.approx(60, abs=2)
    assert bent.visibility == pytest.approx(0.9)


def test_labels_are_counted_against_what_the_row_says(tmp_path: Path) -> None:
    straight = Figure(lean=85, yaw=90, abduction=(10, 10))
    pike, sag = replace(straight, hip=(50, 50)), replace(straight, hip=(-25, -25))
    write(tmp_path / PLANK.file, [("C", straight), ("H", pike), ("L", sag), ("C", pike)], 16 / 9)
    result = evaluate_form(tmp_path, PLANK)
    assert (result.pictures, result.not_judged, result.accuracy) == (4, 0, 0.75)
    assert result.by_label == {"C": 0.5, "H": 1.0, "L": 1.0}


def test_what_is_not_seen_is_not_judged(tmp_path: Path) -> None:
    from_the_front = Figure(lean=85, hip=(50, 50), yaw=0)
    write(tmp_path / PLANK.file, [("H", from_the_front)], 16 / 9)
    result = evaluate_form(tmp_path, PLANK)
    assert (result.not_judged, result.accuracy) == (1, 0.0)


def test_stages_of_a_squat(tmp_path: Path) -> None:
    down, up = poses(hip=95, knee=100, lean=35, yaw=30), poses(hip=10, knee=15, lean=5, yaw=30)
    write(tmp_path / SQUAT.file, [("down", down), ("up", up)], 9 / 16)
    assert evaluate_form(tmp_path, SQUAT).accuracy == 1


@pytest.mark.parametrize(
    "text",
    ["", "label\n", "label,nose_x\n", "label,nose_x\nup,left\n", "label,knee_x\nup,1\n", "a,nose_x\nb,1\n"],
)
def test_another_table_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "table.csv").write_text(text)
    with pytest.raises(ConfigError, match="no table of labelled landmarks"):
        read_table(tmp_path / "table.csv")


def test_the_command_prints_the_table(tmp_path: Path) -> None:
    for task in TASKS:
        write(tmp_path / task.file, [("C", Figure(lean=85, yaw=90))], 1.0)
    done = CliRunner().invoke(app, ["models", "eval", "--form", str(tmp_path)])
    assert done.exit_code == 0
    assert "plank: hip height" in done.stdout
    done = CliRunner().invoke(app, ["models", "eval", "--form", str(tmp_path), "--json"])
    assert [one["pictures"] for one in json.loads(done.stdout)["form"]] == [1] * len(TASKS)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.file)
def test_rules_alone_agree_with_people(data_dir: Path, task: Task) -> None:
    folder = data_dir / "skeleton" / "exercise_correction_csv"
    assert evaluate_form(folder, task).accuracy >= LEAST[task.title]
