"""The age of a picture in a real browser: a real box, its real dashboard, Chromium."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from edge.bench import run_browser
from edge.errors import ConfigError
from tests.conftest import ROOT, missing

if TYPE_CHECKING:
    from pathlib import Path

STATIC = ROOT / "edge" / "web" / "static"


def test_ages_in_the_browser(models: Path, clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which("chromium") is None:
        missing("chromium (Debian package chromium)")
    if not (STATIC / "index.html").is_file():
        missing("the built dashboard (make setup)")
    run_browser(2, json=True, video=clip)
    delay = json.loads(capsys.readouterr().out)
    assert delay["clip"] == "noise.mp4"
    assert delay["browser"].startswith("Chromium ")
    assert delay["clock_ms"] < 1000
    for where in ("python", "received", "drawn"):
        ages = delay[where]
        assert 0 < ages["p50_ms"] <= ages["p95_ms"] <= ages["most_ms"] < 60_000, where
        assert ages["frames"] > 5
    assert delay["received"]["p50_ms"] < delay["drawn"]["p50_ms"]
    assert delay["drawn"]["frames"] <= delay["received"]["frames"]


def test_without_playwright_it_is_told_what_to_install(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (STATIC / "index.html").is_file():
        missing("the built dashboard (make setup)")
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with pytest.raises(ConfigError, match="playwright, which drives the browser, is not installed") as told:
        run_browser(1, json=False, video=clip)
    assert "pip install playwright" in told.value.remedy
