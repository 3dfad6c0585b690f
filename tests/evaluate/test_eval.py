"""`kinebox models eval` on recordings of known content, as a user calls it."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from edge.cli import app
from edge.errors import ConfigError, KineboxError, ModelError
from edge.evaluate.keypoints import keypoints
from edge.evaluate.labels import read_labels
from edge.evaluate.naive import TABLE, count_naively
from edge.evaluate.reps import ClipResult, Counted, by_source, totals
from edge.link import Hello, PoseFrame
from edge.vision.trace import TraceWriter
from tests.figure import Figure
from tests.vision.clips import write_clip

if TYPE_CHECKING:
    from pathlib import Path

REPS = 3
TIMES = [1.0, 2.5, 4.0]
"""When the recorded squats are deepest."""


def squatting(t: float) -> Figure:
    p = (1 - math.cos(2 * math.pi * (t - 0.25) / 1.5)) / 2 if 0.25 < t < 4.75 else 0.0
    return Figure(knee=(110 * p, 110 * p), hip=(100 * p, 100 * p), lean=35 * p, yaw=40)


def record(path: Path, figures: list[Figure]) -> None:
    writer = TraceWriter(path, Hello(camera="cam0", source="generated", model="none", precision="fp32"))
    for number, figure in enumerate(figures):
        writer.write(
            PoseFrame(
                camera="cam0",
                number=number,
                monotonic_ns=round(number / 30 * 1e9),
                utc_ns=None,
                width=640,
                height=480,
                timings={},
                subjects=(figure.subject(),),
            )
        )
    writer.close()


def label(
    file: str, exercise_id: str, reps: int | None, repo: str = "here", **more: object
) -> dict[str, Any]:
    return {"file": file, "exercise_id": exercise_id, "reps": reps, "repo": repo, "passed_over": 1, **more}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three squats under several labels, somebody who stands, and two files that are no clips."""
    record(tmp_path / "squats.trace", [squatting(number / 30) for number in range(160)])
    record(tmp_path / "stand.trace", [Figure(yaw=30)] * 90)
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    labels = [
        label("squats.trace", "squat", REPS, event_times_s=TIMES),
        label("squats.trace", "moonwalk", REPS, repo="elsewhere"),
        label("squats.trace", "squat", REPS + 3, repo="elsewhere"),
        label("missing.mp4", "squat", 3),
        label("broken.mp4", "squat", 3),
        label("stand.trace", "walk", None),
    ]
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    return tmp_path


def evaluated(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["models", "eval", *arguments])


def test_clips_are_counted_and_compared_and_bad_ones_do_not_stop_the_others(folder: Path) -> None:
    done = evaluated("--reps", str(folder), "--json")
    answer = json.loads(done.stdout)
    assert done.exit_code == 3  # a clip could not be read
    right, unknown, wrong, missing, broken, stand = answer["clips"]
    assert (right["given"]["reps"], right["auto"]["reps"]) == (REPS, REPS)
    assert right["naive"] == 0  # seen obliquely, a knee does not seem to bend to 90 degrees
    assert right["auto"]["exercise"] == "squat"
    assert right["given"]["event_offset_s"] < 0.1
    assert (unknown["row"], unknown["given"], unknown["naive"]) == (False, None, None)
    assert wrong["given"]["event_offset_s"] is None  # which of the counted ones is which?
    assert "missing.mp4" in missing["error"]
    assert "not a video" in broken["error"]
    assert (stand["kind"], stand["given"], stand["auto"]["reps"]) == ("nothing", None, 0)
    figures = answer["totals"]
    assert figures["given"] == {"clips": 2, "obo": 0.5, "mae": pytest.approx(1 / 4), "exact": 0.5}
    assert figures["naive"]["clips"] == 2
    assert figures["named"] == pytest.approx(2 / 3)
    assert set(answer["sources"]) == {"here", "elsewhere"}
    assert answer["sources"]["here"]["given"]["obo"] == 1


def test_the_tables_say_it_too(folder: Path) -> None:
    done = evaluated("--reps", str(folder), "--nothing", str(folder / "stand.trace"))
    for told in ("no row", "not evaluated", "squats.trace", "all clips", "elsewhere", "the worst source"):
        assert told in done.stdout


@pytest.mark.parametrize(("runs", "left_out"), [("given", "auto"), ("auto", "given")])
def test_one_of_both_runs(folder: Path, runs: str, left_out: str) -> None:
    answer = json.loads(evaluated("--reps", str(folder), "--exercise", runs, "--json").stdout)
    assert answer["clips"][0][runs]["reps"] == REPS
    assert answer["clips"][0][left_out] is None


def test_what_is_counted_where_nothing_is_to_be_counted(folder: Path) -> None:
    (folder / "broken.mp4").unlink()
    done = evaluated("--nothing", str(folder), "--json")
    assert done.exit_code == 0
    squats, stand = json.loads(done.stdout)["nothing"]
    assert (squats["file"], squats["reps"]) == ("squats.trace", {"squat": REPS})
    assert (stand["file"], stand["reps"]) == ("stand.trace", {})


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot read"),
        ("[{", "labels.json"),
        ('{"file": "a.mp4"}', "Expected `array`"),
        ('[{"file": "a.mp4", "exercise_id": "squat"}]', "`reps`"),
        ('[{"file": "a.mp4", "exercise_id": "squat", "reps": "8"}]', r"\$\[0\].reps"),
        ('[{"file": "a.mp4", "exercise_id": "squat", "reps": -1}]', "less than 0"),
        ('[{"file": "", "exercise_id": "squat", "reps": 1}]', "empty"),
        ("[]", "no labels"),
    ],
)
def test_bad_labels_are_told(tmp_path: Path, content: str | None, told: str) -> None:
    if content is not None:
        (tmp_path / "labels.json").write_text(content)
    with pytest.raises(ConfigError, match=told):
        read_labels(tmp_path)


def test_nothing_asked_for_is_told() -> None:
    done = evaluated()
    assert isinstance(done.exception, KineboxError)
    assert "--reps" in done.exception.remedy


def test_missing_models_are_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("KINEBOX_MODELS", str(tmp_path / "models"))
    write_clip(tmp_path / "a.mp4", frames=2)
    (tmp_path / "labels.json").write_text(json.dumps([label("a.mp4", "squat", 3)] * 2))
    done = evaluated("--reps", str(tmp_path))
    assert isinstance(done.exception, ModelError)
    assert "kinebox models build" in done.exception.remedy


def test_naive_counter_counts_passages_of_both_thresholds(tmp_path: Path) -> None:
    trace = tmp_path / "a.trace"
    bends = [0, 60, 100, 60, 100, 60, 0, 100, 0, 80, 0]  # the third stops short, the second never stood up
    record(trace, [Figure(knee=(bend, bend), hip=(bend / 2, bend / 2), yaw=90) for bend in bends])
    assert count_naively(trace, "squat") == 2
    assert count_naively(trace, "side_lunge") == 6  # both legs, from 70 degrees on
    assert count_naively(trace, "hand_clap") is None
    record(trace, [])
    assert count_naively(trace, "squat") == 0


def test_naive_thresholds_are_apart() -> None:
    assert all(0 < row.start < 180 and abs(row.start - row.far) >= 20 for row in TABLE.values())


def test_a_clip_is_looked_at_once(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    clip = write_clip(tmp_path / "a.mp4", frames=5)
    frames: list[int] = []

    def kept(precision: str = "int8") -> Path:
        frames.append(0)

        def count() -> None:
            frames[-1] += 1

        return keypoints(clip, precision=precision, threads=1, progress=count)  # type: ignore[arg-type]

    first = kept()
    assert kept() == first
    assert kept("fp32") != first
    write_clip(clip, frames=6)
    assert kept() != first
    assert [bool(number) for number in frames] == [True, False, True, True]
    assert list(first.parent.glob("tmp*")) == []


def test_a_cache_that_cannot_be_written_is_told(
    tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(ConfigError, match="keep keypoints") as told:
        keypoints(write_clip(tmp_path / "a.mp4", frames=5), precision="int8", threads=1)
    assert "XDG_CACHE_HOME" in told.value.remedy


def result(true: int | None, given: int, auto: int, name: str = "squat", **more: Any) -> ClipResult:
    def count(reps: int) -> Counted:
        return Counted(
            exercise=name,
            reps=reps,
            partial_reps=0,
            hold_s=4.6,
            event_offset_s=more.get("offset"),
            cues=more.get("cues", ()),
        )

    return ClipResult(
        file="a.mp4",
        source=more.get("source", ""),
        exercise_id="squat",
        kind="nothing" if true is None else "reps" if true else "hold",
        true_reps=true,
        duration_s=5.0,
        row=True,
        given=count(given),
        auto=count(auto),
        naive=more.get("naive"),
    )


def test_figures_of_known_counts() -> None:
    figures = totals(
        [
            result(10, 10, 12, naive=0, offset=0.1, cues=("depth", "tempo")),
            result(4, 5, 4, name="lunge", offset=0.3, cues=("depth",)),
            result(0, 0, 1),
            result(None, 0, 2),
        ]
    )
    assert (figures.given.clips, figures.given.obo, figures.given.exact) == (2, 1, 0.5)
    assert figures.given.mae == pytest.approx(0.125)
    assert (figures.auto.obo, figures.auto.mae) == (0.5, pytest.approx(0.1))
    assert (figures.naive.clips, figures.naive.obo, figures.naive.mae) == (1, 0, 1)
    assert figures.given_where_naive.mae == 0
    assert figures.named == pytest.approx(2 / 3)
    assert figures.false_reps == 3
    assert figures.cues == {"squat depth": 2, "squat tempo": 1}
    assert figures.hold_error_s == pytest.approx(0.4)
    assert figures.given_event_offset_s == pytest.approx((10 * 0.1 + 4 * 0.3) / 14)


def test_figures_of_nothing() -> None:
    figures = totals([])
    assert (figures.given.clips, figures.given.obo, figures.named, figures.false_reps) == (0, None, None, 0)
    assert by_source([result(1, 1, 1, source="b"), result(1, 1, 1, source="a")]).keys() == {"a", "b"}
