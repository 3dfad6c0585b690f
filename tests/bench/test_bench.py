"""The measurements measure something: real processes, a real socket, small frames."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING

import numpy as np
import pytest
from msgspec.structs import replace

from edge.bench import run_bench
from edge.bench.motion import MotionCost, motion_cost
from edge.bench.peer import LOCK, PeerUnavailable, peer_python
from edge.bench.people import counts_of, row_of, run_people
from edge.bench.processes import Memory, growth, link_ms, soak_box
from edge.bench.race import BLOCK, SETTLE, Lap, race
from edge.bench.report import costs, load
from edge.errors import ConfigError, KineboxError
from edge.link import CameraState, Hello, PoseFrame
from tests.truth.camera import Camera
from tests.truth.exercises import squat

if TYPE_CHECKING:
    from pathlib import Path


def test_load_shrinks(clip: Path) -> None:
    frames, fps = load(clip)
    assert frames.shape == (30, 160, 640, 3)
    assert fps == 30


def test_race_gives_every_pipeline_every_frame(models: None) -> None:
    count = 2 * BLOCK
    frames = np.zeros((count, 90, 160, 3), np.uint8)
    laps = race(frames, 30.0, {"int8": None, "fp32": None}, 0.0)
    for lap in laps.values():
        assert lap.frames == count
        assert len(lap.wall_ms) == len(lap.cpu_ms) == len(lap.stages) == count - 2 * SETTLE
        assert min(lap.wall_ms) > 0
        assert lap.found == 0
        assert all(stage["total"] >= stage["detect"] > 0 for stage in lap.stages)  # nobody there: it searches


def test_race_says_why_a_pipeline_cannot_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KINEBOX_MODELS", str(tmp_path / "nowhere"))
    with pytest.raises(KineboxError, match=r"does not exist"):
        race(np.zeros((1, 9, 16, 3), np.uint8), 30.0, {"fp32": None}, 0.0)


def test_costs_compare_with_the_peer() -> None:
    stages = [{"detect": 0.0, "model": 8.0, "total": 10.0}] * 3 + [
        {"detect": 9.0, "model": 8.0, "total": 90.0}
    ]
    ours = Lap(wall_ms=[10.0] * 10, cpu_ms=[5.0] * 10, stages=stages, found=9, frames=12)
    peer = Lap(wall_ms=[20.0] * 10, cpu_ms=[20.0] * 10, stages=[{}] * 10, found=12, frames=12)
    cost = costs({"int8": ours, "mediapipe": peer})["int8"]
    assert (cost.to_peer_p50, cost.to_peer_cpu, cost.found) == (0.5, 0.25, 0.75)
    assert cost.outside_model == pytest.approx(0.2)  # frames with a search in them are another matter
    assert costs({"int8": ours})["int8"].to_peer_p50 is None


def test_link_cost_counts_frames_only() -> None:
    hello = Hello(camera="cam0", source="test", model="none", precision="fp32")
    state = CameraState(camera="cam0", state="live", monotonic_ns=0)
    frame = PoseFrame(
        camera="cam0", number=1, monotonic_ns=0, utc_ns=None, width=16, height=9, timings={}, subjects=()
    )
    cost = link_ms([state, frame, frame], hello)
    assert len(cost) == 2
    assert min(cost) > 0


def test_the_peer_is_left_out_where_it_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    assert LOCK.is_file()
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(PeerUnavailable, match="x86-64"):
        peer_python()


def test_json_report(models: None, clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_bench(peers=False, json=True, video=clip, seconds=0.1)
    report = json.loads(capsys.readouterr().out)
    assert report["clip"] == "noise.mp4"
    assert set(report["pipelines"]) == {"int8", "fp32"}
    assert report["pipelines"]["int8"]["p50_ms"] > 0
    assert report["box"]["hub"]["resident_mb"] > 10
    assert report["box"]["vision"]["cpu_ms"] > 0
    for way in ("latency", "to_hub"):
        assert 0 < report["box"][f"{way}_p50_ms"] <= report["box"][f"{way}_p95_ms"]


def test_soak_looks_at_memory_from_the_start_to_the_end(models: None, clip: Path) -> None:
    told: list[Memory] = []
    looks = soak_box(clip, 0.05, told.append, every_s=1.0)
    assert looks == told
    assert [look.minutes * 60 for look in looks] == pytest.approx([0, 1, 2], abs=0.9)
    assert min(min(look.vision_mb, look.hub_mb) for look in looks) > 10


def test_growth_is_told_from_what_comes_and_goes() -> None:
    def look(n: int) -> Memory:
        return Memory(minutes=n / 2, vision_mb=300 + 40 * (n % 7 == 0), hub_mb=90 + min(n, 10) + n / 60)

    looks = [look(n) for n in range(80)]
    vision, hub = growth(looks) or (None, None)
    assert vision == 0  # loading for the first minutes and a peak now and then are no growth
    assert hub == pytest.approx(2, abs=0.1)
    assert growth(looks[:7]) is None


def test_numbers_of_people() -> None:
    assert counts_of("1,2,8") == [1, 2, 8]
    for text in ("", "0", "9", "two", "1,,2"):
        with pytest.raises(ConfigError, match="no list of numbers from 1 to 8"):
            counts_of(text)


def test_pictures_of_people_need_clips() -> None:
    with pytest.raises(ConfigError, match="makes its pictures of clips"):
        run_people([1], None, peers=False, json=True, seconds=1)


def test_everybody_stands_in_the_row() -> None:
    scene = row_of(8)
    assert len({person.who for person in scene.people}) == 8
    across = [person.path[0][1] for person in scene.people]
    assert across == pytest.approx([(n + 0.5) / 8 for n in range(8)])


def test_motion_cost_is_that_of_frames_with_somebody_in_them() -> None:
    frames = Camera(yaw=60, distance=4).see(squat(), 30)
    cost = motion_cost([replace(frames[0], subjects=()), *frames])
    assert cost.frames == len(frames) - 1  # whoever comes is not timed at once
    for part in (cost.motion, cost.coach):
        assert 0 < part.p50_ms < 50
        assert part.mean_ms > 0
    assert motion_cost([]) == MotionCost()
