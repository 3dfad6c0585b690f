"""The locks pin everything, agree with each other and with pyproject.toml, and name no index or path."""

from __future__ import annotations

import re
import tomllib
from itertools import combinations
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

OURS = ("run", "cloud", "service", "build", "test", "lint", "ansible")


@pytest.fixture(scope="module")
def root(request: pytest.FixtureRequest) -> Path:
    return request.config.rootpath


def text(root: Path, lock: str) -> str:
    return (root / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")


def pins(root: Path, lock: str) -> dict[str, set[str]]:
    """Name to the requirement lines (version and marker); a package may have one for each of several Pythons."""
    found: dict[str, set[str]] = {}
    for name, rest in re.findall(r"^([a-z0-9-]+)(==[^\\\n]*)", text(root, lock), re.MULTILINE):
        found.setdefault(name, set()).add(rest.strip())
    return found


@pytest.mark.parametrize("lock", [*OURS, "peer"])
def test_every_package_has_a_hash_and_none_has_an_address(root: Path, lock: str) -> None:
    content = text(root, lock)
    assert content.count("--hash=sha256:") >= len(pins(root, lock)) > 0
    for requirement in re.findall(r"^[^ #\n].*(?:\n .*)*", content, re.MULTILINE):
        assert "--hash=sha256:" in requirement
    assert not re.search(r"://| @ |^-|/", content, re.MULTILINE)


@pytest.mark.parametrize(("one", "other"), list(combinations(OURS, 2)))
def test_locks_share_one_environment(root: Path, one: str, other: str) -> None:
    # Versions alone: the conditions are those of whoever requires a package, and may differ.
    a, b = (
        {name: {line.split(";")[0].strip() for line in lines} for name, lines in pins(root, lock).items()}
        for lock in (one, other)
    )
    for name in a.keys() & b.keys():
        assert a[name] == b[name], name


@pytest.mark.parametrize("lock", OURS)
def test_locks_hold_what_the_project_declares(root: Path, lock: str) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"] | project["project"]["optional-dependencies"]
    groups["service"] = groups["cloud"]
    declared = groups[lock] if lock in groups else project["project"]["dependencies"]
    names = {re.split(r"[<>=!~\[; ]", requirement)[0].lower().replace("_", "-") for requirement in declared}
    assert names <= pins(root, lock).keys()
