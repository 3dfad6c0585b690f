"""Recorded sessions as OpenSim motions: a file a session."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge.store import Store, export_sessions
from tests.export.readers import read_mot
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
