"""Boxes to talk to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.web.box import Box, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with running(tmp_path) as box:
        yield box


@pytest.fixture(scope="module")
def shared_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """For tests that leave no trace."""
    with running(tmp_path_factory.mktemp("box")) as box:
        yield box
