"""Where the artefacts are."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware-config"
SHARED = FIRMWARE / "shared/etc"
PI = FIRMWARE / "raspberry-pi"
JETSON = FIRMWARE / "jetson-orin"
BAD = Path(__file__).with_name("bad")
"""One file a validator, which it has to refuse."""
