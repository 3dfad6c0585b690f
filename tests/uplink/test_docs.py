"""Every setting and every figure is documented."""

from __future__ import annotations

import re
from typing import Any

import pytest

from edge.uplink.settings import HomeAssistantSettings, Settings, UplinkSettings, load_settings
from tests.conftest import ROOT

TEXT = (ROOT / "docs" / "uplink.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", [UplinkSettings, HomeAssistantSettings])
def test_settings(kind: Any) -> None:
    rows = "\n".join(line.split("|")[1] for line in TEXT.splitlines() if line.startswith("| `"))
    assert set(kind.__struct_fields__) - set(re.findall(r"`(\w+)`", rows)) == set()


def test_the_example_is_one(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "config.toml").write_text(example)
    monkeypatch.setenv("KINEBOX_CONFIG", str(tmp_path / "config.toml"))
    settings = load_settings()
    assert all(getattr(settings, section) is not None for section in Settings.__struct_fields__)


def test_figures() -> None:
    source = (ROOT / "edge" / "uplink" / "metrics.py").read_text(encoding="utf-8")
    names = re.findall(r'"kinebox_(?:outbox|uplink)(_\w+)"', source)
    assert len(names) > 8
    assert [name for name in names if name not in TEXT and name != "_up"] == []
