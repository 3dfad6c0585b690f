"""The command line: help, versions, what is told when something is missing."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from edge import __version__
from edge.cli import app
from edge.errors import ConfigError
from tests.conftest import ROOT
from tests.running import Box, record_squats
from tests.test_analyze import kinebox

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = ["analyze", "run", "demo", "export", "bench", "doctor", "models"]


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS), ["models", "build"]])
def test_help(command: list[str]) -> None:
    result = CliRunner().invoke(app, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_version() -> None:
    assert CliRunner().invoke(app, ["--version"]).output.strip() == f"kinebox {__version__}"


def test_doctor_says_what_is_missing(tmp_path: Path) -> None:
    done = kinebox("doctor", "--json", KINEBOX_MODELS=str(tmp_path), KINEBOX_STATE=str(tmp_path / "state"))
    findings = {finding["check"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 1
    assert findings["models int8"]["verdict"] == "failed"
    assert "kinebox models build" in findings["models int8"]["remedy"]
    assert findings["disk"]["verdict"] == "ok"
    assert not (tmp_path / "state").exists()  # looking changes nothing


def test_run_without_models_says_how_to_get_them(tmp_path: Path) -> None:
    from tests.vision.clips import write_clip

    clip = write_clip(tmp_path / "clip.mp4", frames=5)
    done = kinebox(
        "run", "--camera", str(clip), "--port", "0", KINEBOX_MODELS=str(tmp_path), KINEBOX_STATE=str(tmp_path)
    )
    assert done.returncode == 4
    assert "kinebox models build" in done.stderr


def test_a_demo_is_told_to_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("KINEBOX_CONFIG", raising=False)
    mine = tmp_path / "kinebox" / "config.toml"
    mine.parent.mkdir()
    mine.write_text('[uplink]\nurl = "mqtt://127.0.0.1:9"\ntenant = "home"\nsite = "gym"\n')
    record_squats(tmp_path / "squats.trace")
    uplinks = {}
    for command in ("demo", "run"):
        box = Box(tmp_path / "squats.trace", tmp_path / command, command=command)
        try:
            uplinks[command] = box.wait("/api/v1/status", bool)["uplink"]
        finally:
            box.stop()
    assert uplinks["demo"] is None
    assert uplinks["run"]["connected"] is False


def test_export_without_a_database(tmp_path: Path) -> None:
    done = kinebox("export", str(tmp_path / "out"), KINEBOX_STATE=str(tmp_path))
    assert done.returncode == 6
    assert "nothing has been recorded" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "--exercise", "moonwalk"], "no exercise moonwalk"),
        (["demo", "--video", "a.mp4", "--camera", "0"], "exclude"),
    ],
)
def test_what_cannot_be_is_told(arguments: list[str], told: str) -> None:
    done = kinebox(*arguments)
    assert done.returncode == 6
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["bench", "--browser", "--soak", "1"], "--browser and --soak exclude each other"),
        (["bench", "--browser", "--peers"], "--peers does nothing here"),
        (["bench", "--data", "."], "--data does nothing here"),
        (["models", "eval", "--people", "nowhere"], "there is no folder nowhere"),
        (["models", "eval", "--pck", ".", "--drawn", "3"], "--drawn is for --people alone"),
        (["models", "eval", "--people", ".", "--drawn-from", "3"], "--drawn-from alone draws nothing"),
    ],
)
def test_options_that_would_do_nothing_are_refused(arguments: list[str], told: str) -> None:
    with pytest.raises(ConfigError, match=told) as error:
        CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert error.value.remedy


def test_the_reference_of_commands_is_current(tmp_path: Path) -> None:
    made = tmp_path / "commands.md"
    command = [sys.executable, "-m", "typer", "edge.cli", "utils", "docs", "--name", "kinebox"]
    subprocess.run([*command, "--output", str(made)], cwd=ROOT, check=True, capture_output=True)
    current = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert current == made.read_text(encoding="utf-8"), "run: scripts/docs"
