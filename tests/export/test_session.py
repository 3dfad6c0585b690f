"""Recorded sessions as files: OpenSim motions, and tables."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge.motion.change import errors, least_change
from edge.store import Store, export_sessions
from edge.store.records import SessionCalibration
from tests.export.readers import read_mot
from tests.store.test_compare import KEY, recorded
from tests.web.box import record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "kinebox.db") as store:
        yield store


def test_angles_of_a_session(store: Store, tmp_path: Path) -> None:
    session = record(store)
    assert export_sessions(store, tmp_path / "out", "mot") == 1
    assert [file.name for file in (tmp_path / "out").iterdir()] == [f"{session}.mot"]
    motion = read_mot(tmp_path / "out" / f"{session}.mot")
    assert (motion.header["nRows"], motion.header["nColumns"]) == ("5", str(len(motion.columns)))
    np.testing.assert_allclose(motion["time"], range(5))
    np.testing.assert_allclose(motion["knee_flexion_left"], [0, 10, 20, 30, 40])
    assert np.isnan(motion["trunk_lean"]).all()


def test_a_download_is_an_archive(store: Store) -> None:
    sessions = [record(store), record(store)]
    stream = io.BytesIO()
    assert export_sessions(store, stream, "mot") == 2
    with zipfile.ZipFile(stream) as archive:
        assert archive.namelist() == sorted(f"{session}.mot" for session in sessions)


def test_tables_say_what_is_said_of_numbers(store: Store, tmp_path: Path) -> None:
    before = recorded(store, "squat", {KEY: 90.0})
    calibration = SessionCalibration(
        source="marker", tilt=15.0, roll=2.0, above=None, height_m=1.82, field=66.0
    )
    now = recorded(store, "squat", {KEY: 60.0, "hip_rom_left": None}, calibration=calibration)
    assert export_sessions(store, tmp_path / "out", "csv", session_ids=[now]) == 1
    tables = {
        file.stem: list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
        for file in (tmp_path / "out").iterdir()
    }
    (session,) = tables["sessions"]
    assert session["compared_with"] == before
    said = {name: session[f"calibration_{name}"] for name in ("source", "tilt", "above", "field")}
    assert said == {"source": "marker", "tilt": "15.0", "above": "", "field": "66.0"}
    rows = {row["key"]: row for row in tables["measurements"]}
    changed, missing = rows[KEY], rows["hip_rom_left"]
    told = [changed[name] for name in ("grade", "change_direction", "change_before", "change_difference")]
    assert told == ["A", "decreased", "90.0", "-30.0"]
    assert float(changed["change_least"]) == pytest.approx(least_change((errors()[KEY]["A"],) * 2))
    assert (missing["value"], missing["grade"]) == ("", "none")
    assert {value for name, value in missing.items() if name.startswith(("change_", "turn_"))} == {""}
