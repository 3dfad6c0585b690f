"""What vision chooses for a machine: from known costs, over time, and from what is measured here."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from edge.box_records import REASONS
from edge.vision import tuning_file
from edge.vision.tuning import (
    CADENCES,
    MOST,
    SIZES,
    Costs,
    Given,
    Way,
    choose,
    ladder,
    name,
    safe,
    ways_to_try,
)
from edge.vision.tuning_trial import Trial
from edge.vision.tuning_watch import FASTER_FOR, REST_S, SLOWER_FOR, WINDOW_S, Watch

if TYPE_CHECKING:
    from pathlib import Path

CAMERA = Given(sizes=SIZES)
FILE = Given()
TOLD = Given(sizes=SIZES, precision="fp32", threads=1)


def costs(int8: float, fp32: float, detect: float = 10.0, *, cores: int = 4, gain: float = 0.6) -> Costs:
    """A machine: milliseconds of a person with one thread; twice the threads take `gain` of that."""
    person = {}
    for precision, ms in (("int8", int8), ("fp32", fp32)):
        for threads in (1, 2, 4):
            if threads <= cores:
                person[f"{precision} x{threads}"] = ms * gain ** math.log2(threads)
    decode = {"1280x720": 0.2 * int8, "640x360": 0.05 * int8}
    return Costs(person=person, detect={"int8": detect, "fp32": 2 * detect}, decode=decode, cores=cores)


@pytest.mark.parametrize(
    ("machine", "given", "expected"),
    [
        # precision, threads, size, fps, most
        pytest.param(costs(3, 6), CAMERA, ("int8", 1, SIZES[0], 30.0, 4), id="a fast PC does everything"),
        pytest.param(costs(3, 6), FILE, ("int8", 1, None, 30.0, 4), id="a file has its own size"),
        pytest.param(costs(12, 24), CAMERA, ("int8", 4, SIZES[0], 30.0, 4), id="a Pi 5 takes its cores"),
        pytest.param(costs(12, 24, gain=1), CAMERA, ("int8", 1, SIZES[0], 30.0, 1), id="threads that do not help"),
        pytest.param(costs(30, 20), CAMERA, ("fp32", 4, SIZES[0], 30.0, 2), id="no INT8 instructions"),
        pytest.param(costs(30, 29), CAMERA, ("int8", 4, SIZES[0], 30.0, 1), id="hardly faster is not faster"),
        pytest.param(costs(30, 60, 30, gain=1), CAMERA, ("int8", 1, SIZES[0], 15.0, 1), id="fewer pictures"),
        pytest.param(costs(900, 999, 900), CAMERA, ("int8", 4, SIZES[1], 10.0, 1), id="too slow for anything"),
        pytest.param(costs(3, 6), CAMERA._replace(fps=60.0), ("int8", 2, SIZES[0], 60.0, 4), id="60 wanted"),
        pytest.param(costs(12, 24), TOLD, ("fp32", 1, SIZES[0], 20.0, 1), id="as told"),
        pytest.param(costs(12, 24), CAMERA._replace(most=2), ("int8", 2, SIZES[0], 30.0, 2), id="two people"),
    ],
)  # fmt: skip
def test_the_best_that_fits_is_chosen(machine: Costs, given: Given, expected: tuple[object, ...]) -> None:
    plan = choose(machine, given)
    assert plan[:5] == expected
    reasons = dict(plan.reasons)
    assert reasons.keys() == {"precision", "threads", "size", "fps", "most"}
    assert set(reasons.values()) <= REASONS.keys()
    told = {"precision": given.precision, "threads": given.threads, "most": given.most}
    assert {what for what, why in reasons.items() if why == "given"} == {
        what for what, value in told.items() if value is not None
    }


def test_a_single_core_unpacks_smaller_pictures() -> None:
    slow = costs(60, 120, 20, cores=1)
    heavy = msgspec.structs.replace(slow, decode={"1280x720": 15.0, "640x360": 2.0})
    assert choose(heavy, CAMERA).size == SIZES[1]
    assert dict(choose(heavy, CAMERA).reasons)["size"] == "small"
    assert choose(slow, FILE).size is None


def test_the_ladder_goes_from_people_to_pictures_to_size() -> None:
    rungs = list(ladder(CAMERA))
    assert rungs[0] == (SIZES[0], 30.0, MOST)
    assert [most for _, _, most in rungs[:MOST]] == [4, 3, 2, 1]
    assert len(rungs) == len(set(rungs)) == len(SIZES) * len(CADENCES) * MOST
    assert rungs[-1] == (SIZES[1], 10.0, 1)


def test_slower_machines_never_get_better_plans() -> None:
    order = list(ladder(CAMERA))
    places = [order.index(choose(costs(ms, 2 * ms, ms), CAMERA).rung) for ms in np.geomspace(2, 300, 60)]
    assert places == sorted(places)
    assert len(set(places)) > 6


def test_costs_that_waver_change_nothing() -> None:
    """Between the share that may be used and the one with which it goes up there is room."""
    plan = choose(costs(12, 24, gain=1), CAMERA)
    for wave in itertools.islice(itertools.cycle((0.88, 1.0, 1.04)), 12):
        assert choose(costs(12 * wave, 24 * wave, 10 * wave, gain=1), CAMERA, plan).rung == plan.rung
    better = choose(costs(5, 10, 4, gain=1), CAMERA, plan)
    assert better.most > plan.most


def test_what_is_safe_needs_no_measuring_and_obeys() -> None:
    assert safe(FILE)[:5] == ("int8", 1, None, 30.0, MOST)
    told = safe(Given(precision="fp32", threads=3, most=2, fps=15))
    assert told[:5] == ("fp32", 3, None, 15, 2)
    assert dict(told.reasons)["threads"] == "given"


# Over time


class Machine:
    """A machine that is watched: pictures 30 times a second, whose cost is `speed` times what it is at best."""

    def __init__(self) -> None:
        self.watch = Watch()
        self.t = 0.0
        self.measured_at: list[float] = []
        self.known = 1.0
        self.rung = 0

    def run(self, seconds: float, speed: float, *, people: bool = True, hot: bool = False) -> None:
        for _ in range(round(seconds * 10)):
            self.t += 0.1
            self.watch.saw(self.t, speed / self.known if people else None)
            self.watch.heat(self.t, hot)
            if self.watch.due(self.t):
                rung = 0 if speed < 1.3 else 1
                self.watch.measured(self.t, self.rung - rung)
                self.known, self.rung = speed, rung
                self.measured_at.append(self.t)


def test_a_machine_that_stays_as_it_is_is_left_alone() -> None:
    machine = Machine()
    rng = np.random.default_rng(1)
    for _ in range(200):
        machine.run(1, float(rng.normal(1, 0.1)))
    for _ in range(20):
        machine.run(4, 3.0)  # something else runs for a moment
        machine.run(30, 1.0)
    machine.run(60, 9.0, people=False)
    assert machine.measured_at == []


def test_a_lasting_change_is_measured_in_seconds_one_to_the_better_in_a_minute() -> None:
    machine = Machine()
    machine.run(60, 1.0)
    machine.run(60, 2.0)
    (slower,) = machine.measured_at
    assert 60 + SLOWER_FOR * WINDOW_S - 1 < slower < 60 + (SLOWER_FOR + 2) * WINDOW_S
    machine.run(200, 1.0)
    faster = machine.measured_at[1]
    assert 120 + FASTER_FOR * WINDOW_S - 1 < faster < 120 + (FASTER_FOR + 2) * WINDOW_S
    assert len(machine.measured_at) == 2


def test_what_goes_to_and_fro_for_hours_is_followed_ever_less() -> None:
    machine = Machine()
    for _ in range(4 * 20):  # four hours of 100 s cool, 80 s hot
        machine.run(100, 1.0)
        machine.run(80, 2.0)
    gaps = np.diff(machine.measured_at)
    assert len(machine.measured_at) < 6  # of 160 changes
    assert min(gaps) >= REST_S
    assert machine.known == 2.0  # what the machine can do at its worst


def test_the_board_saying_that_it_is_hot_is_enough() -> None:
    machine = Machine()
    machine.run(60, 1.0)
    machine.run(5, 1.0, hot=True)  # a moment
    machine.run(60, 1.0)
    assert machine.measured_at == []
    machine.run(30, 1.0, hot=True)
    assert len(machine.measured_at) == 1
    machine.run(100, 1.0)
    assert len(machine.measured_at) == 2


# Measured and kept


def test_the_real_models_are_measured_in_small_slices(models: Path, tmp_path: Path) -> None:
    given = Given(precision="int8", threads=1, sizes=SIZES)
    trial = Trial(given, cores=1)
    steps = 1
    while not trial.step():
        steps += 1
    found = trial.costs()
    assert found.person.keys() == {"int8 x1"}
    assert found.detect.keys() == {"int8"}
    assert found.decode["640x360"] < found.decode["1280x720"]
    assert 20 < steps < 40
    plan = choose(found, given)
    assert dict(plan.reasons)["precision"] == "given"


def whole(cores: int) -> Costs:
    ways = ways_to_try(cores, CAMERA)
    return Costs(
        person={name(way): 5.0 for way in ways},
        detect={"int8": 5.0, "fp32": 9.0},
        decode={"1280x720": 3.0, "640x360": 1.0},
        cores=cores,
    )


def test_what_was_measured_holds_for_this_machine_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = whole(tuning_file.cores())
    tuning_file.write(tmp_path, known)
    assert tuning_file.read(tmp_path, CAMERA) == known
    assert tuning_file.read(tmp_path, CAMERA._replace(threads=3)) is None  # never measured
    monkeypatch.setattr("onnxruntime.__version__", "9.9.9")
    assert tuning_file.read(tmp_path, CAMERA) is None


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", '{"schema": 1}', "\udcff", "[" * 100_000, "x" * 100_000,
        *(f'"person":{{"int8 x1":{cost}}}' for cost in ("-1", "0", "1e9", '"5"', "NaN")),
    ],
)  # fmt: skip
def test_a_damaged_file_is_measured_anew(text: str, tmp_path: Path) -> None:
    tuning_file.write(tmp_path, whole(tuning_file.cores()))
    path = tmp_path / tuning_file.FILE
    if text.startswith('"person"'):
        kept = msgspec.json.decode(path.read_bytes())
        before = msgspec.json.encode(kept["costs"]["person"]).decode()
        whole_text = msgspec.json.encode(kept).decode()
        text = whole_text.replace(f'"person":{before}', text)
        assert text != whole_text
    path.write_bytes(text.encode(errors="surrogateescape"))
    assert tuning_file.read(tmp_path, CAMERA) is None


def test_a_folder_that_cannot_be_written_is_no_reason_to_end(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    tuning_file.write(tmp_path / "file" / "folder", whole(2))
    assert tuning_file.read(tmp_path / "file" / "folder", CAMERA) is None


def test_a_way_is_named_as_it_was_measured() -> None:
    assert name(Way("int8", 2)) == "int8 x2"
    assert [name(way) for way in ways_to_try(2, FILE)] == ["int8 x1", "int8 x2", "fp32 x1", "fp32 x2"]
