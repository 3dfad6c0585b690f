"""`kinebox analyze` on real clips and on bad ones, as a user calls it."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from edge.analyze import analyze
from edge.vision.trace import read_trace
from tests.vision.clips import write_clip

if TYPE_CHECKING:
    from pathlib import Path

    from edge.analyze import ClipReport

NAMED = {
    "squat": "squat",
    "push_up": "push_up",
    "biceps_curl": "biceps_curl",
    "jumping_jack": "jumping_jack",
    "lunge": "lunge",
    "shoulder_press": "shoulder_press",
    "sit_up": "sit_up",
    "lateral_raise": "lateral_raise",
    "pull_up": "pull_up",
}
"""The clips' exercise -> our row. No clip is a hand clap as such; those overhead are claps, too."""


def kinebox(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge.cli", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="module")
def reports(data_dir: Path, models: Path) -> list[tuple[dict[str, Any], ClipReport]]:
    """Every clip that is named for one of our exercises, with its labels and what we made of it."""
    folder = data_dir / "exercise"
    labels = json.loads((folder / "labels.json").read_bytes())
    return [
        (label, analyze(folder / label["file"], exercise=NAMED[label["exercise_id"]], threads=2))
        for label in labels
        if label["exercise_id"] in NAMED
    ]


def test_counts_on_real_clips(reports: list[tuple[dict[str, Any], ClipReport]]) -> None:
    errors, near = [], []
    for label, report in reports:
        counted = report.subjects[0].reps if report.subjects else 0
        print(f"{label['file']:18} {label['exercise_id']:14} true {label['reps']:2} counted {counted:2}")
        errors.append(abs(counted - label["reps"]) / max(label["reps"], 1))
        near.append(abs(counted - label["reps"]) <= 1)
    print(f"OBO {statistics.mean(near):.3f}  MAE {statistics.mean(errors):.3f}  over {len(near)} clips")
    assert statistics.mean(near) >= 0.85
    assert statistics.mean(errors) <= 0.15


def test_repetitions_are_where_they_were_seen(reports: list[tuple[dict[str, Any], ClipReport]]) -> None:
    """Against the labelled extremes (each by eye, within 0.15 s), where the count is right."""
    offsets = []
    for label, report in reports:
        times = [event.t for event in report.subjects[0].events if event.kind == "rep"]
        if len(times) == len(label["event_times_s"]):
            offsets += [abs(a - b) for a, b in zip(times, label["event_times_s"], strict=True)]
    assert len(offsets) > 50
    assert statistics.mean(offsets) <= 0.3


def test_hands_that_meet_overhead_are_claps(data_dir: Path, models: Path) -> None:
    report = analyze(data_dir / "exercise" / "overheadclap_01.mp4", exercise="hand_clap", threads=2)
    assert abs(report.subjects[0].reps - 14) <= 1


def test_plank_is_held(data_dir: Path, models: Path) -> None:
    subject = analyze(data_dir / "exercise" / "plank_01.mp4", exercise="plank", threads=2).subjects[0]
    assert subject.hold_s == pytest.approx(5.1, abs=0.5)
    assert subject.reps == 0


def test_json_as_scripts_expect_it(data_dir: Path, models: Path, tmp_path: Path) -> None:
    clip = data_dir / "exercise" / "jack_01a.mp4"
    done = kinebox(
        "analyze", str(clip), "--exercise", "jumping_jack", "--json", "--out", str(tmp_path / "out")
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert {"schema", "frames", "fps", "subjects"} <= set(result)
    assert (result["schema"], result["frames"]) == (1, 114)
    assert result["fps"] == pytest.approx(23.98, abs=0.01)
    subject = result["subjects"][0]
    assert (subject["species"], subject["exercise"], subject["reps"]) == ("human", "jumping_jack", 4)
    assert {"id", "partial_reps", "hold_s", "events", "metrics"} <= set(subject)
    assert [event["kind"] for event in subject["events"]] == ["set_start", *["rep"] * 4, "set_end"]
    assert all(
        set(metric) == {"value", "unit", "grade", "reasons"} and metric["grade"] in {"A", "B", "C", "none"}
        for metric in subject["metrics"].values()
    )
    assert 100 < subject["metrics"]["shoulder_elevation_left_peak"]["value"] <= 180
    assert json.loads((tmp_path / "out" / "jack_01a.json").read_bytes()) == result
    assert len((tmp_path / "out" / "jack_01a.csv").read_text().splitlines()) == 115
    # The trace of a clip is a camera of its own, and gives the same counts without any picture.
    trace = tmp_path / "out" / "jack_01a.trace"
    assert len(list(read_trace(trace))) == 117
    assert analyze(trace, exercise="jumping_jack").subjects[0].reps == 4


def test_folder_and_table(tmp_path: Path, models: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        write_clip(tmp_path / name, frames=10, size=(160, 120))
    (tmp_path / "notes.txt").touch()
    done = kinebox("analyze", str(tmp_path), "--json")
    assert done.returncode == 0, done.stderr
    assert [clip["file"] for clip in json.loads(done.stdout)["clips"]] == ["a.mp4", "b.mp4"]
    assert "nobody was found" in kinebox("analyze", str(tmp_path)).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["missing.mp4"], 3, "No such file"),
        (["empty.mp4"], 3, "is empty"),
        (["text.mp4"], 3, "not a video"),
        (["nothing"], 3, "no video in"),
        (["clip.mp4", "--exercise", "moonwalk"], 6, "no exercise moonwalk"),
        (["clip.mp4", "--species", "dog"], 6, "dogs"),
        (["clip.mp4", "--reference", "clip.mp4"], 6, "reference"),
        (["clip.mp4", "--species", "cat"], 2, "cat"),
    ],
)
def test_bad_input_is_told(tmp_path: Path, models: Path, arguments: list[str], code: int, told: str) -> None:
    write_clip(tmp_path / "clip.mp4", frames=3)
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("hello")
    (tmp_path / "nothing").mkdir()
    done = kinebox("analyze", str(tmp_path / arguments[0]), *arguments[1:], "--json")
    assert done.returncode == code
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
