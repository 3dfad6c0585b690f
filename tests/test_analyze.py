"""`kinebox analyze` on real clips and on bad ones, as a user calls it."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from msgspec.structs import replace

from edge.analyze import analyze, main_exercise
from edge.camera_setup import named_settings
from edge.errors import CameraError, ConfigError
from edge.link import Hello, PoseFrame
from edge.vision.trace import TraceWriter, read_trace
from tests.figure import Figure
from tests.running import REPS, record_squats
from tests.several import recorded, side_by_side
from tests.vision.clips import write_clip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from edge.link import Subject


def kinebox(
    *arguments: str, before: Callable[[], None] | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge.cli", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        preexec_fn=before,
    )


@pytest.fixture(scope="module")
def evaluation(data_dir: Path, models: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Every clip of exercises, counted with its exercise given and without, beside the naive counter."""
    folder = data_dir / "exercise"
    arguments = ("--reps", str(folder), "--threads", "2", "--json")
    done = kinebox("models", "eval", *arguments, XDG_CACHE_HOME=str(tmp_path_factory.mktemp("cache")))
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    for clip in result["clips"]:
        print({key: clip[key] for key in ("file", "true_reps", "given", "auto")})
    print(result["totals"])
    return result


def test_counts_on_real_clips(evaluation: dict[str, Any]) -> None:
    totals = evaluation["totals"]
    assert totals["given"]["clips"] >= 30
    assert totals["given"]["obo"] >= 0.97
    assert totals["given"]["mae"] <= 0.03
    assert totals["given_event_offset_s"] <= 0.3
    assert totals["given"]["obo"] > totals["naive"]["obo"] + 0.2


def test_exercises_are_recognised_on_real_clips(evaluation: dict[str, Any]) -> None:
    totals = evaluation["totals"]
    assert totals["auto"]["obo"] >= 0.93
    assert totals["named"] >= 0.9
    assert totals["false_reps"] == 0
    assert totals["hold_error_s"] <= 0.5


def test_nothing_is_counted_where_nobody_exercises(data_dir: Path, models: Path) -> None:
    """A walk, and a dog that the model for people takes for one."""
    for clip in ("gait/gait_abnormal_05_limping.mp4", "dog/video/dog_08.mp4"):
        report = analyze(data_dir / clip, exercise="auto", threads=2)
        assert all(not subject.reps and not subject.hold_s for subject in report.subjects)


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
    kinds = [event["kind"] for event in subject["events"] if event["kind"] != "cue"]
    assert kinds == ["set_start", *["rep"] * 4, "set_end", "set_summary"]
    assert all(
        set(metric) == {"value", "unit", "grade", "reasons"} and metric["grade"] in {"A", "B", "C", "none"}
        for metric in subject["metrics"].values()
    )
    assert 100 < subject["metrics"]["shoulder_elevation_left_peak"]["value"] <= 180
    assert json.loads((tmp_path / "out" / "jack_01a.mp4.json").read_bytes()) == result
    assert len((tmp_path / "out" / "jack_01a.mp4.csv").read_text().splitlines()) == 115
    # The trace of a clip is a camera of its own, and gives the same counts without any picture.
    trace = tmp_path / "out" / "jack_01a.mp4.trace"
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
    assert not {"Traceback", "WARN"} & set(re.split(r"\W+", done.stderr))
    assert done.stdout == ""


@pytest.fixture(scope="module")
def squats(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A recording of generated squats."""
    path = tmp_path_factory.mktemp("squats") / "squats.trace"
    record_squats(path)
    return path.read_bytes()


def record(path: Path, subjects: Iterable[tuple[float, Subject]]) -> Path:
    """A trace with one subject a frame, at the given seconds."""
    writer = TraceWriter(path, Hello(camera="cam0", source="generated", model="none", precision="fp32"))
    for number, (t, subject) in enumerate(subjects, 1):
        writer.write(
            PoseFrame(
                camera="cam0",
                number=number,
                monotonic_ns=round(t * 1e9),
                utc_ns=None,
                width=640,
                height=480,
                timings={},
                subjects=(subject,),
            )
        )
    writer.close()
    return path


def test_a_trace_is_never_written_over(squats: bytes, tmp_path: Path) -> None:
    for name in ("a.b.trace", "a.c.trace"):
        (tmp_path / name).write_bytes(squats)
    done = kinebox("analyze", str(tmp_path / "a.b.trace"), "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.b.trace").read_bytes() == squats
    # Now the folder holds a trace of a trace, which would be written anew and be read, too.
    done = kinebox("analyze", str(tmp_path), "--out", str(tmp_path))
    assert done.returncode == 6
    assert "a.b.trace.trace would be overwritten" in done.stderr
    done = kinebox("analyze", str(tmp_path), "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    clips = ("a.b.trace", "a.b.trace.trace", "a.c.trace")
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        f"{clip}.{ending}" for clip in clips for ending in ("json", "csv", "trace")
    }


def test_a_full_disk_leaves_nothing_half_written(squats: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.trace").write_bytes(squats)
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (20_000, 20_000))
    done = kinebox("analyze", str(tmp_path / "a.trace"), "--out", str(tmp_path / "out"), before=limit)
    assert done.returncode == 6
    assert f"cannot write into {tmp_path / 'out'}: File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "out").iterdir()) == []
    (tmp_path / "file").touch()
    done = kinebox("analyze", str(tmp_path / "a.trace"), "--out", str(tmp_path / "file"))
    assert (done.returncode, done.stderr.count("cannot write into")) == (6, 1)


def test_without_depth_it_is_told_that_no_exercise_is_recognised(tmp_path: Path) -> None:
    squats = tmp_path / "squats.trace"
    record_squats(squats)
    frames = [one for one in read_trace(squats) if isinstance(one, PoseFrame)]
    flat = [(one.monotonic_ns / 1e9, replace(one.subjects[0], world=None)) for one in frames]
    clip = record(tmp_path / "flat.trace", flat)
    done = kinebox("analyze", str(clip), "--json")
    report = json.loads(done.stdout)
    assert report["warnings"] == ["no_depth"]
    assert report["subjects"][0]["exercise"] == "movement"
    assert "name the exercise with --exercise" in kinebox("analyze", str(clip)).stderr
    named = analyze(clip, exercise="squat")
    assert (named.warnings, named.subjects[0].reps) == ([], REPS)
    assert analyze(squats, exercise="auto").warnings == []


LEFT, RIGHT = ([[x, 0.0], [x + 0.5, 0.0], [x + 0.5, 1.0], [x, 1.0]] for x in (0.0, 0.5))


@pytest.mark.parametrize(
    ("name", "text", "who"),
    [
        ("camera.json", json.dumps({"zones": [LEFT], "height_m": 1.7}), [2]),
        ("config.toml", f"[camera]\nzones = [{RIGHT}]\n", [1]),
        ("config.toml", f"[camera]\nstation = {RIGHT}\n", [2]),
        ("config.toml", f"[camera]\nzones = [{RIGHT}]\nstation = {RIGHT}\n", []),
    ],
)
def test_what_the_owner_drew_holds_where_it_is_given(
    tmp_path: Path, name: str, text: str, who: list[int]
) -> None:
    record_squats(tmp_path / "one.trace")
    one = recorded(tmp_path / "one.trace")
    clip = tmp_path / "both.trace"
    writer = TraceWriter(clip, Hello(camera="cam0", source="generated", model="none", precision="fp32"))
    for frame in side_by_side([one, one]):
        writer.write(frame)
    writer.close()
    (tmp_path / name).write_text(text)
    report = analyze(clip, exercise="squat", settings=named_settings(tmp_path / name))
    assert [(subject.id, subject.reps) for subject in report.subjects] == [(n, REPS) for n in who]
    if name == "camera.json":
        assert len(analyze(clip, exercise="squat").subjects) == 2


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("config.toml", None, "there is no file"),
        ("config.toml", "[uplink]\n", "says nothing of a camera"),
        ("config.toml", "[camera]\nzone = []\n", "zone"),
        ("camera.json", '{"zones": [[[0, 0]]]}', "zones"),
    ],
)
def test_settings_that_are_none_are_told(tmp_path: Path, name: str, text: str | None, told: str) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=told) as error:
        named_settings(tmp_path / name)
    assert error.value.remedy


def test_a_bad_clip_does_not_spoil_the_folder(squats: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.trace").write_text("hello")
    (tmp_path / "b.trace").write_bytes(squats)
    (tmp_path / "c.mp4").touch()
    done = kinebox("analyze", str(tmp_path), "--json")
    assert done.returncode == 3
    bad, good, empty = json.loads(done.stdout)["clips"]
    assert set(bad) == {"file", "error", "remedy"}
    assert (bad["file"], empty["file"]) == ("a.trace", "c.mp4")
    assert "cannot be read" in bad["error"]
    assert "is empty" in empty["error"]
    assert (good["file"], good["subjects"][0]["reps"]) == ("b.trace", REPS)
    table = kinebox("analyze", str(tmp_path))
    assert table.stdout.count("not analysed") == 2
    assert bad["error"] in table.stderr
    # What is wrong with the call is told once and not for every clip.
    assert kinebox("analyze", str(tmp_path), "--exercise", "moonwalk").stderr.count("moonwalk") == 1


@pytest.mark.parametrize(
    "name",
    ["a[b].trace", "[bold]a.trace", ":warning:.trace", b"\xb0\xa1.trace".decode(errors="surrogateescape")],
)
def test_any_file_name_is_shown_as_it_is(squats: bytes, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "x["
    folder.mkdir()
    (folder / name).write_bytes(squats)
    shown = name.encode(errors="surrogateescape").decode(errors="replace")
    done = kinebox("analyze", str(folder / name))
    assert done.returncode == 0, done.stderr
    assert shown in done.stdout
    done = kinebox("analyze", str(folder / name), "--json", PYTHONIOENCODING="utf-8")
    assert json.loads(done.stdout)["file"] == shown


def test_a_name_in_an_error_is_no_markup(tmp_path: Path) -> None:
    done = kinebox("analyze", str(tmp_path / "x[" / "y].mp4"))
    assert done.returncode == 3
    assert f"{tmp_path}/x[/y].mp4" in done.stderr
    assert "Traceback" not in done.stderr


def test_who_comes_back_with_the_same_id_is_reported_twice(tmp_path: Path) -> None:
    subject = Figure().subject()
    nobody = replace(subject, id=2)
    times = [(n / 10, subject if n < 20 or n > 160 else nobody) for n in range(200)]
    report = analyze(record(tmp_path / "back.trace", times), exercise="squat")
    assert sorted((s.id, s.first_s, s.last_s) for s in report.subjects) == [
        (1, 0.0, 1.9),
        (1, 16.1, 19.9),
        (2, 2.0, 16.0),
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"skeleton": "zebra"}, "unknown skeleton"),
        ({"keypoints": bytes(10 * 12)}, "impossible length"),
        ({"world": bytes(34 * 12)}, "impossible length"),
    ],
)
def test_a_trace_of_something_else_is_refused(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    trace = record(tmp_path / "odd.trace", [(0.0, replace(Figure().subject(), **change))])
    with pytest.raises(CameraError, match=told):
        analyze(trace, exercise="squat")


def test_keypoints_that_are_no_numbers_are_unseen(tmp_path: Path) -> None:
    subject = replace(Figure().subject(), keypoints=np.full((33, 3), np.nan, "<f4").tobytes(), world=None)
    report = analyze(record(tmp_path / "nan.trace", [(n / 10, subject) for n in range(10)]), exercise="squat")
    assert {metric.grade for metric in report.subjects[0].metrics.values()} == {"none"}


@pytest.mark.parametrize(
    ("totals", "main"),
    [
        ({}, None),
        ({"squat": (0, 1, 0.0), "plank": (0, 0, 60.0)}, "plank"),
        ({"plank": (0, 0, 60.0), "squat": (1, 0, 0.0)}, "squat"),
        ({"squat": (0, 1, 0.0), "lunge": (0, 2, 0.0)}, "lunge"),
    ],
)
def test_main_exercise(totals: dict[str, tuple[int, int, float]], main: str | None) -> None:
    assert main_exercise(totals) == main
