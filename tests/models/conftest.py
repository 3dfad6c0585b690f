"""The published weights and the built models, made once for all these tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from models import catalogue
from models.build import build
from models.errors import DownloadFailed
from models.load import model_dir
from models.originals import originals
from tests.conftest import missing

if TYPE_CHECKING:
    from pathlib import Path

    from models.catalogue import Model


@pytest.fixture(scope="session")
def row() -> Model:
    return catalogue.model("blazepose")


@pytest.fixture(scope="session")
def tflite_files(row: Model) -> dict[str, bytes]:
    """The two published files, from the cache or by pip."""
    try:
        return originals(row)
    except DownloadFailed as error:
        missing(f"the published weights ({error})")
        raise


@pytest.fixture(scope="session")
def built(row: Model, tflite_files: dict[str, bytes]) -> Path:
    """The folder of the built models: KINEBOX_MODELS or the user's own."""
    build(row, model_dir(), step=lambda _: None)
    return model_dir()
