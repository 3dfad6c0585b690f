"""Rows of the user's own: read from folders, refused with line and reason, added safely."""

from __future__ import annotations

import os
import re
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from edge.coach import library as module
from edge.coach.faults import fault
from edge.coach.library import (
    LARGEST,
    BadRowError,
    Library,
    Refused,
    exercise,
    exercises,
    library,
    parse,
    read_exercise,
    save,
)
from edge.coach.lines import line_of
from edge.errors import ConfigError
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Lines are counted in the tests below: the first one is line 1.
GOOD = """\
id = "wave"
name = { en = "Wave", ko = "손 흔들기" }
sides = "each"
parts = [
    { signal = "elbow_flexion", rest = 10, full = 90 },
    { signal = "wrist_rise", rest = 0, full = 0.5 },
]
muscles = { prime = ["deltoids"] }

[far]
wrist_rise = [0.2, inf]
knee_flexion_other = [0, 40]

[[form]]
id = "height"
signal = "elbow_flexion"
good = [70, inf]
cue = { en = "Higher.", ko = "더 높이 올려 주세요." }

[[form]]
id = "tempo"
signal = "eccentric_s"
of = "time"
good = [0.5, inf]
cue = { en = "Slower.", ko = "천천히 해 주세요." }
"""
HOLD = """\
id = "stand"
name = { en = "Stand", ko = "서기" }
kind = "hold"

[always]
hip_rise = [1.3, inf]
"""
SOME = [
    ROOT / "edge/coach/exercises" / f"{name}.toml" for name in ("squat", "lunge", "pull_up", "plank", "walk")
]
NOBODY = Library(exercises(), (), {})


def refused(text: str) -> Refused:
    """What is said of a file that is no row."""
    with pytest.raises(BadRowError) as caught:
        parse(text.encode(), "own/wave.toml")
    return caught.value.refused


def test_good_rows_are_read() -> None:
    assert parse(GOOD.encode(), "wave.toml").parts[1].full == 0.5
    assert parse(HOLD.encode(), "stand.toml").kind == "hold"


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        # what TOML does not allow
        ("rest = 10, full", "rest = 10 full", 5, "inline table"),
        ('id = "wave"', 'id = "wave', 1, "illegal character"),
        ('id = "wave"', 'id = "wave"\nid = "wink"', 2, "overwrite"),
        ("[far]", "[far", 10, "expected"),
        # what the types do not allow
        ("full = 90", 'full = "far"', 5, "parts 1 full: expected `float`, got `str`"),
        ("full = 0.5", 'full = "far"', 6, "parts 2 full: expected `float`"),
        ("full = 0.5 }", "full = 0.5, most = 3 }", 6, "parts 2 most: there is no such field"),
        ("rest = 0, full", "full", 6, "parts 2: rest is missing"),
        ('id = "wave"\n', "", 1, "id is missing"),
        ('sides = "each"', 'colour = "red"', 3, "colour: there is no such field"),
        ('sides = "each"', 'sides = "both"', 3, "sides: invalid enum value 'both'"),
        ('id = "wave"', 'id = "Wave!"', 1, "id: expected `str` matching"),
        ('id = "wave"', 'id = "wave\\n"', 1, "id: expected `str` matching"),
        ("wrist_rise = [0.2, inf]", "wrist_rise = 0.2", 11, "far wrist_rise: expected `array`"),
        ("knee_flexion_other = [0, 40]", "knee_flexion_other = [0]", 12, "far knee_flexion_other: expected"),
        (
            "knee_flexion_other = [0, 40]",
            "knee_flexion_other = [0, 'x']",
            12,
            "far knee_flexion_other 2: expected",
        ),
        ("good = [0.5, inf]", "good = [0.5, inf, 3]", 24, "form 2 good: expected `array` of length 2"),
        ('of = "time"', 'of = "tempo"', 23, "form 2 of: invalid enum value"),
        ('[[form]]\nid = "tempo"', '[form]\nid = "tempo"', 20, "cannot declare"),
        # what the row does not allow
        ('id = "wave"', 'id = "auto"', 1, "id: auto is taken"),
        ("ko =", "de =", 2, "name: needs exactly the languages en and ko"),
        ('en = "Wave"', 'en = " "', 2, "name en: needs one line"),
        ('en = "Wave"', 'en = "Wa\\nve"', 2, "name en: needs one line"),
        ('en = "Wave"', f'en = "{"W" * 91}"', 2, "name en: needs one line"),
        ("parts = [", "min_s = 9\nmax_s = 2\nparts = [", 4, "min_s: needs 0 < min_s < max_s"),
        (
            '"elbow_flexion", rest',
            '"elbow_bending", rest',
            5,
            "parts 1 signal: there is no signal elbow_bending",
        ),
        ('"wrist_rise", rest', '"wrist_place", rest', 6, "parts 2 signal: wrist_place has no zero"),
        ("rest = 10", "rest = 90", 5, "parts 1 full: rest and full are the same"),
        ("rest = 10", "rest = nan", 5, "parts 1 rest: must be a number from -1000 to 1000"),
        ("full = 0.5", "full = inf", 6, "parts 2 full: must be a number"),
        ("full = 0.5", "full = 1e300", 6, "parts 2 full: must be a number"),
        ('sides = "each"', 'sides = "whole"', 5, "parts 1 signal: elbow_flexion has sides"),
        ('sides = "each"', 'sides = "together"', 12, "far knee_flexion_other: `_other` needs"),
        ('"deltoids"', '"ankles"', 8, "muscles prime: there is no muscle ankles"),
        ("sides =", 'met = "99999"\nsides =', 3, "met: 99999 is no code"),
        ("sides =", 'free = ["trunk_lean", "tail"]\nsides =', 3, "free 2: there is no signal tail"),
        ("wrist_rise = [0.2, inf]", "wrist_height = [0.2, inf]", 11, "far wrist_height: there is no signal"),
        (
            "wrist_rise = [0.2, inf]",
            "wrist_place = [0.2, inf]",
            11,
            "far wrist_place: wrist_place has no zero",
        ),
        ("wrist_rise = [0.2, inf]", "wrist_rise = [0.2, 0.2]", 11, "the first bound must be below"),
        ("wrist_rise = [0.2, inf]", "wrist_rise = [nan, 0.2]", 11, "the first bound must be below"),
        ("wrist_rise = [0.2, inf]", "wrist_rise = [-inf, inf]", 11, "say nothing"),
        ("wrist_rise = [0.2, inf]", "hip_rise_other = [0, 1]", 11, "far hip_rise_other: `_other` needs"),
        ("good = [70, inf]", "good = [70, 20]", 17, "form 1 good: the first bound"),
        ('en = "Higher.", ', "", 18, "form 1 cue: needs exactly the languages"),
        ('id = "tempo"', 'id = "height"', 21, "form 2 id: two rules are called height"),
        ('of = "time"\n', "", 22, 'form 2 signal: of = "time" goes with'),
        ('signal = "elbow_flexion"\n', 'signal = "tail"\n', 16, "form 1 signal: there is no signal tail"),
        (
            'signal = "elbow_flexion"\n',
            'signal = "hip_rise"\nof = "apart"\n',
            17,
            "form 1 of: hip_rise has no sides",
        ),
        (
            'signal = "elbow_flexion"\n',
            'signal = "hip_place"\nof = "most"\n',
            17,
            "form 1 of: hip_place has no zero",
        ),
        ("good = [70, inf]", "good = [70, inf]\nweight = 4", 18, "form 1 weight: expected `float` <= 3"),
    ],
)
def test_a_bad_row_is_refused_with_line_and_reason(old: str, new: str, line: int, reason: str) -> None:
    assert old in GOOD
    told = refused(GOOD.replace(old, new, 1))
    assert (told.file, told.line) == ("own/wave.toml", line)
    assert reason.lower() in told.reason.lower()
    assert str(told).startswith(f"own/wave.toml:{line}: ")


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ('kind = "hold"', 'kind = "reps"', 1, "parts: an exercise of repetitions has at least one"),
        ('kind = "hold"', 'kind = "hold"\nparts = []\nfar = { hip_rise = [0, 1] }', 5, "a hold has no ends"),
        ("hip_rise = [1.3, inf]", "", 5, "always: a hold needs at least one signal"),
        ("hip_rise =", "knee_flexion_other =", 6, "`_other` needs"),
    ],
)
def test_a_bad_hold_is_refused(old: str, new: str, line: int, reason: str) -> None:
    told = refused(HOLD.replace(old, new))
    assert told.line == line
    assert reason in told.reason


def test_every_line_of_a_row_is_found() -> None:
    """Each value of rows of the box, spoilt in turn, is refused in the line in which it stands."""
    tried = 0
    for file in SOME:
        lines = file.read_text(encoding="utf-8").splitlines()
        for number, text in enumerate(lines, 1):
            spoilt = re.sub(r"^(\w+ = )[^\[{].*|(\w+ = )\[[^{]*\]$", r"\1\2{ spoilt = 1 }", text)
            if spoilt == text:
                continue
            told = refused("\n".join([*lines[: number - 1], spoilt, *lines[number:]]))
            assert told.line == number, (file.name, text, told)
            tried += 1
    assert tried > 100


def test_lines_are_counted_through_every_form_of_toml() -> None:
    text = '''\
"a b" = """
c = 1
""" # d = 2
c = [[1, 2], [
  3, { e = "}", 'f' = 2024-01-01 10:00:00 },
]]
g.h = 'c = "'
[[i.j]]
k = 1.5
[[i.j]]
[i.j.l]
m = true
'''
    tomllib.loads(text)
    places: dict[tuple[str | int, ...], int] = {
        ("a b",): 1,
        ("c",): 4,
        ("c", 0, 1): 4,
        ("c", 1, 0): 5,
        ("c", 1, 1, "f"): 5,
        ("g", "h"): 7,
        ("i", "j", 0, "k"): 9,
        ("i", "j", 1): 10,
        ("i", "j", 1, "none"): 10,
        ("nowhere",): 1,
    }
    assert {path: line_of(text, path) for path in places} == places


def _leaves(tree: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    steps = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in steps:
        yield (*path, key)
        yield from _leaves(value, (*path, key))


def test_every_place_of_a_row_is_known() -> None:
    """What a row holds stands where a search for its key would find it."""
    for file in SOME:
        text = file.read_text(encoding="utf-8")
        lines = text.splitlines()
        for path in _leaves(tomllib.loads(text)):
            named = next(step for step in reversed(path) if isinstance(step, str))
            where = lines[line_of(text, path) - 1]
            assert named in where or (isinstance(path[-1], int) and where.lstrip()[0] in "{["), (
                file.name,
                path,
            )


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b'id = "wave"\n# \xff\n', 2, "UTF-8"),
        (b"#" * (LARGEST + 1), 0, "larger than 64 KiB"),
        (b"a = " + b"[" * 5000, 0, "brackets"),
        (b"a = " + b"9" * 5000, 0, "digits"),
        (b"", 1, "missing"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, line: int, reason: str) -> None:
    file = tmp_path / "wave.toml"
    file.write_bytes(content)
    with pytest.raises(BadRowError, match=reason) as caught:
        read_exercise(file)
    assert caught.value.refused.line == line


def test_a_file_is_called_like_its_row(tmp_path: Path) -> None:
    file = tmp_path / "wink.toml"
    file.write_text("# mine\n" + GOOD)
    with pytest.raises(BadRowError, match=r"wink\.toml:2: the file of wave has to be called wave\.toml"):
        read_exercise(file)


def test_one_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    first, second = tmp_path / "etc", tmp_path / "config"
    first.mkdir()
    second.mkdir()
    (first / "wave.toml").write_text(GOOD)
    (first / "stand.toml").write_text(HOLD.replace("1.3, inf", "2, 1"))
    (first / "notes.txt").write_text("no row")
    (first / ".wave.toml.swp").write_text("no row")
    (second / "wave.toml").write_text(GOOD.replace("손", "팔"))
    (second / "squat.toml").write_text(GOOD.replace("wave", "squat"))
    (second / "gone.toml").symlink_to(tmp_path / "nowhere")
    (second / "pipe.toml").mkdir()
    os.mkfifo(second / "queue.toml")
    (second / "stand.toml").write_text(HOLD)

    found = library([first, tmp_path / "missing", second])

    assert list(found.rows) == [*exercises(), "wave", "stand"]
    assert found.files == {"wave": first / "wave.toml", "stand": second / "stand.toml"}
    assert found.rows["wave"].name["ko"] == "손 흔들기"
    told = {refusal.file: str(refusal) for refusal in found.refused}
    assert told[str(first / "stand.toml")].endswith(
        "stand.toml:6: always hip_rise: the first bound must be below the second"
    )
    assert "exercises/squat.toml" in told[str(second / "squat.toml")]
    assert str(first / "wave.toml") in told[str(second / "wave.toml")]
    no_files = {str(second / name) for name in ("gone.toml", "pipe.toml", "queue.toml")}
    assert {name for name, text in told.items() if "is no file" in text} == no_files
    assert len(found.refused) == 6


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    class Locked(type(tmp_path)):  # type: ignore[misc]
        def iterdir(self) -> Iterator[Path]:
            raise PermissionError(13, "Permission denied")

    why = fault("unreadable", error="Permission denied")
    assert library([Locked(tmp_path)]).refused == (Refused(str(tmp_path), 0, "Permission denied", why),)


def test_there_is_an_end_to_own_exercises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    for name in ("wave_1", "wave_2", "wave_3"):
        (tmp_path / f"{name}.toml").write_text(GOOD.replace('id = "wave"', f'id = "{name}"'))
    found = library([tmp_path])
    assert set(found.files) == {"wave_1", "wave_2"}
    assert "2 own exercises already" in found.refused[0].reason
    with pytest.raises(BadRowError, match="2 own exercises already"):
        save(GOOD, tmp_path, found)


def test_a_saved_row_is_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "exercises"
    assert save(GOOD, folder, NOBODY).id == "wave"
    found = library([folder])
    assert found.files == {"wave": folder / "wave.toml"}
    assert [file.name for file in folder.iterdir()] == ["wave.toml"]
    assert (folder / "wave.toml").read_text() == GOOD

    with pytest.raises(BadRowError, match="wave is taken"):
        save(GOOD, folder, found)
    save(GOOD.replace("Wave", "Big wave"), folder, found, replace=True)
    assert library([folder]).rows["wave"].name["en"] == "Big wave"


def test_what_is_no_row_or_taken_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(BadRowError, match=r"the new row:5: parts 1 full"):
        save(GOOD.replace("full = 90", 'full = "far"'), tmp_path, NOBODY)
    with pytest.raises(BadRowError, match="squat is taken"):
        save(GOOD.replace("wave", "squat"), tmp_path, NOBODY, replace=True)
    elsewhere = tmp_path / "etc"
    save(GOOD, elsewhere, NOBODY)
    with pytest.raises(BadRowError, match="wave is taken"):
        save(GOOD, tmp_path / "state", library([elsewhere]), replace=True)
    # A file that is no row is in the way, too: it is nobody's to overwrite unasked.
    (tmp_path / "wave.toml").write_text("notes of mine")
    with pytest.raises(BadRowError, match="is there already"):
        save(GOOD, tmp_path, NOBODY)
    assert (tmp_path / "wave.toml").read_text() == "notes of mine"
    assert {file.name for file in tmp_path.iterdir()} == {"etc", "wave.toml"}


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "exercises").write_text("a file")
    with pytest.raises(ConfigError, match="cannot be written"):
        save(GOOD, tmp_path / "exercises", NOBODY)


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="No space left on device"):
        save(GOOD, tmp_path, NOBODY)
    assert list(tmp_path.iterdir()) == []


def test_unknown_exercise_names_the_known_ones() -> None:
    assert exercise("squat").id == "squat"
    with pytest.raises(ConfigError) as caught:
        exercise("moonwalk")
    assert "squat" in caught.value.remedy
