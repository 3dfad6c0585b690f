"""docs/cloud.md names what there is: files, metrics, commands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from cloud.api.metrics import REGISTRY as API
from cloud.ingest.metrics import REGISTRY as INGEST
from tests.deploy.places import ROOT
from tests.deploy.test_environment import known

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

CLOUD = (ROOT / "docs/cloud.md").read_text()
SIZING = (ROOT / "docs/sizing.md").read_text()


def names(registry: CollectorRegistry) -> set[str]:
    """As Prometheus shows them."""
    return {f"{m.name}_total" if m.type == "counter" else m.name for m in registry.collect()}


def test_every_metric_is_explained_and_none_is_invented() -> None:
    told = set(re.findall(r"`(kinebox_(?:ingest|api)_\w+)`", CLOUD))
    assert told == names(INGEST) | names(API)


@pytest.mark.parametrize("text", [CLOUD, SIZING], ids=["cloud", "sizing"])
def test_every_file_is_there(text: str) -> None:
    made = {"deploy/secrets", "deploy/.env"}
    for path in set(re.findall(r"\b(?:deploy|tests|cloud|docs|scripts)/[\w./-]*\w", text)):
        if not any(path.startswith(prefix) for prefix in made):
            assert list(ROOT.glob(f"{path}*")), path


def test_every_setting_is_one() -> None:
    settings = known("ingest") | known("api") | known("schema") | known("admin")
    example = set(re.findall(r"^#?(KINEBOX_\w+)=", (ROOT / "deploy/env.example").read_text(), re.MULTILINE))
    others = {"KINEBOX_SECRETS", "KINEBOX_API", "KINEBOX_TESTBED_DURABLE"}
    for name in set(re.findall(r"\bKINEBOX_[A-Z_]+\b", CLOUD + SIZING)):
        assert name in settings.keys() | example | others, name


def test_the_arithmetic_of_sizing_holds() -> None:
    """The table for 1,000, 10,000 and 100,000 boxes, from the measured figures above it."""
    row = {
        line.split("|")[1].strip(): line.split("|")[2:5]
        for line in SIZING.splitlines()
        if line.startswith("|")
    }
    size = int(re.search(r"row of a window in the database \| (\d+) bytes", SIZING)[1])  # type: ignore[index]
    rate = int(re.search(r"\*\*([\d,]+) windows a second\*\*", SIZING)[1].replace(",", ""))  # type: ignore[index]
    unit = {"GB": 1e9, "TB": 1e12}
    for n, boxes in enumerate((1_000, 10_000, 100_000)):
        assert float(row["windows a second, busiest (boxes / 10)"][n].replace(",", "")) == boxes / 10
        day = boxes * 4 * 360
        for label, days in (
            ("database a day (404 bytes)", 1),
            ("kept for 400 days (the default)", 400),
            ("kept for 90 days", 90),
        ):
            value, name = row[label][n].split()
            assert float(value) * unit[name] == pytest.approx(day * size * days, rel=0.04)
        replicas = row[f"ingest replicas (busiest / {rate:,}, and one to spare)"][n]
        assert int(replicas.split("+")[0]) == -(-boxes // 10 // rate)
