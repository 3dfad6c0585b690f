"""`kinebox exercises`: the box's rows and one's own, from the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from edge.cli_exercises import app
from edge.coach.library import BadRowError, exercises
from edge.coach.page import EXAMPLE
from edge.errors import ConfigError
from edge.store import paths
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A box of its own: none of its folders is there yet."""
    monkeypatch.setattr(paths, "SYSTEM_EXERCISES", tmp_path / "etc")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("KINEBOX_STATE", str(tmp_path / "state"))
    return tmp_path


@pytest.fixture
def example(home: Path) -> Path:
    """A good row of the user's, not added yet."""
    file = home / "wall_push_up.toml"
    file.write_text(EXAMPLE)
    return file


def exercises_command(*arguments: str) -> Result:
    """Run `kinebox exercises ...` in this process; what it raises is raised."""
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


@pytest.mark.usefixtures("home")
def test_list_names_every_row() -> None:
    shown = exercises_command("list").output
    assert all(name in shown for name in exercises())
    told = json.loads(exercises_command("list", "--json").output)
    assert [row["id"] for row in told["exercises"]] == list(exercises())
    assert told["refused"] == []


@pytest.mark.usefixtures("home")
def test_show_says_what_a_row_is() -> None:
    shown = exercises_command("show", "squat").output
    assert "스쿼트" in shown
    assert "knee flexion 10 to 95°" in shown
    told = json.loads(exercises_command("show", "squat", "--json").output)
    assert told["row"]["parts"][0]["signal"] == "knee_flexion"
    with pytest.raises(ConfigError, match="no exercise moonwalk"):
        exercises_command("show", "moonwalk")


def test_what_is_added_is_known(home: Path, example: Path) -> None:
    assert "good exercise" in exercises_command("check", str(example)).output
    exercises_command("add", str(example))
    added = home / "state/exercises/wall_push_up.toml"
    assert added.read_text() == EXAMPLE
    told = json.loads(exercises_command("list", "--json").output)["exercises"][-1]
    assert (told["id"], told["file"]) == ("wall_push_up", str(added))
    assert "벽 푸시업" in exercises_command("show", "wall_push_up").output

    assert "good exercise" in exercises_command("check", str(added)).output
    with pytest.raises(BadRowError, match="wall_push_up is taken by"):
        exercises_command("add", str(example))
    example.write_text(EXAMPLE.replace("Wall push-up", "Push off"))
    told = json.loads(exercises_command("add", str(example), "--replace", "--json").output)
    assert told == {"id": "wall_push_up", "file": str(added)}
    assert "Push off" in exercises_command("list").output


def test_files_of_the_system_and_of_the_user_are_read(home: Path, example: Path) -> None:
    for folder in (home / "etc", home / "config/kinebox/exercises"):
        folder.mkdir(parents=True)
        (folder / "wall_push_up.toml").write_text(EXAMPLE)
    told = json.loads(exercises_command("list", "--json").output)
    assert told["exercises"][-1]["file"] == str(home / "etc/wall_push_up.toml")
    assert told["refused"][0]["file"] == str(home / "config/kinebox/exercises/wall_push_up.toml")
    with pytest.raises(BadRowError, match="is taken by"):
        exercises_command("check", str(example))


def test_a_bad_file_is_refused_with_its_line(home: Path, example: Path) -> None:
    text = EXAMPLE.replace("full = 85", "full = 'far'")
    line = 1 + next(number for number, spelled in enumerate(text.splitlines()) if "'far'" in spelled)
    example.write_text(text)
    done = exercises_command("check", str(example), "--json")
    assert done.exit_code == 6
    assert json.loads(done.output)["refused"]["line"] == line
    with pytest.raises(BadRowError, match=f"{example.name}:{line}: parts 1 full"):
        exercises_command("add", str(example))
    assert not (home / "state").exists()

    (home / "etc").mkdir()
    example.rename(home / "etc" / example.name)
    done = exercises_command("list")
    assert done.exit_code == 0
    assert f"{line}: parts 1 full" in done.stderr


def test_a_row_of_the_box_is_good_where_it_lies_and_taken_elsewhere(home: Path) -> None:
    own = ROOT / "edge/coach/exercises/squat.toml"
    assert "good exercise" in exercises_command("check", str(own)).output
    (home / "squat.toml").write_bytes(own.read_bytes())
    with pytest.raises(BadRowError, match="squat is taken by"):
        exercises_command("check", str(home / "squat.toml"))


def test_the_command_ends_with_6_and_says_what_to_do(home: Path) -> None:
    command = [sys.executable, "-m", "edge.cli", "exercises", "check", str(home / "nothing.toml")]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 6
    assert "is no file" in done.stderr
    assert "docs/exercises.md" in done.stderr
    assert "Traceback" not in done.stderr
