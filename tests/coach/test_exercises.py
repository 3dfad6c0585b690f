"""The whole table of exercises, and what a bad row is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge.coach.exercise import exercise, exercises, read_exercise
from edge.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """
id = "wave"
name = { en = "Wave", ko = "손 흔들기" }
parts = [{ signal = "elbow_flexion", rest = 10, full = 90 }]
"""


def test_the_promised_exercises_are_there() -> None:
    promised = (
        "squat push_up biceps_curl jumping_jack lunge shoulder_press sit_up lateral_raise pull_up hand_clap"
    )
    assert set(promised.split()) <= set(exercises())


@pytest.mark.parametrize("row", exercises().values(), ids=list(exercises()))
def test_row_is_whole(row: object) -> None:
    assert all(row.name.values())  # type: ignore[attr-defined]
    assert any("가" <= letter <= "힣" for letter in row.name["ko"])  # type: ignore[attr-defined]


def test_good_row_is_read(tmp_path: Path) -> None:
    file = tmp_path / "wave.toml"
    file.write_text(GOOD)
    assert read_exercise(file).parts[0].full == 90


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("elbow_flexion", "elbow_bending"), "no signal elbow_bending"),
        (("rest = 10", "rest = 90"), "rest and full"),
        (("ko =", "de ="), "languages en and ko"),
        (('id = "wave"', 'id = "wink"'), "its id is wink"),
        (('id = "wave"', 'id = "wave"\ncolour = 3'), "colour"),
        (("full = 90", 'full = "far"'), "parts"),
        (("parts =", "min_s = 9\nmax_s = 2\nparts ="), "min_s"),
        (("parts =", 'kind = "hold"\nparts ='), "hold"),
        (("rest = 10, full", "rest = 10 full"), "exercise wave.toml"),
        (("rest = 10", "rest = nan"), "finite"),
    ],
)
def test_bad_row_is_refused_with_the_reason(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    file = tmp_path / "wave.toml"
    file.write_text(GOOD.replace(*change))
    with pytest.raises(ConfigError, match=told):
        read_exercise(file)


def test_unknown_exercise_names_the_known_ones() -> None:
    with pytest.raises(ConfigError) as caught:
        exercise("moonwalk")
    assert "squat" in caught.value.remedy
