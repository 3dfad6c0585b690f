from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from models import catalogue
from models.errors import ModelDamaged, ModelMissing
from models.load import model_bytes, model_dir, release
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from models.catalogue import Model


def test_what_is_not_built_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINEBOX_MODELS", str(tmp_path / "none"))
    with pytest.raises(ModelMissing, match=r"blazepose-landmark\.int8\.onnx does not exist") as caught:
        model_bytes("landmark", "int8")
    assert caught.value.remedy == "Run: kinebox models build"


def test_a_file_of_the_right_name_is_not_enough(
    row: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINEBOX_MODELS", str(tmp_path))
    (tmp_path / row.file_name("detector", "fp32")).write_bytes(b"\x08\x08")
    with pytest.raises(ModelDamaged):
        model_bytes("detector", "fp32")


def test_a_folder_in_its_place_is_said(row: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINEBOX_MODELS", str(tmp_path))
    (tmp_path / row.file_name("detector", "fp32")).mkdir()
    with pytest.raises(ModelMissing, match="cannot be read: Is a directory"):
        model_bytes("detector", "fp32")


def test_the_folder_is_the_users_own_unless_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv("KINEBOX_MODELS", raising=False)
    assert model_dir() == tmp_path / "kinebox" / "models"
    monkeypatch.setenv("KINEBOX_MODELS", str(tmp_path / "elsewhere"))
    assert model_dir() == tmp_path / "elsewhere"


def test_models_that_a_release_brought_say_which(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KINEBOX_MODELS", str(tmp_path))
    assert release() == ""
    for damaged in ("", "[]", '{"version": 1}', "\0"):
        (tmp_path / "manifest.json").write_text(damaged)
        assert release() == ""
    (tmp_path / "manifest.json").write_text('{"name": "kinebox-models", "version": "2"}')
    assert release() == "2"


def test_every_built_file_loads(built: Path, row: Model) -> None:
    for stage in ("detector", "landmark"):
        for precision in ("fp32", "int8"):
            assert len(model_bytes(stage, precision)) == row.stages[stage].files[precision].size


def test_loading_brings_in_nothing_that_could_reach_a_network() -> None:
    forbidden = ["http", "pip", "socket", "ssl", "subprocess", "urllib.request", "onnx", "models.download"]
    code = f"import sys, models.load; print([name for name in {forbidden} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", catalogue.names())
def test_every_row_of_the_catalogue_is_whole(name: str) -> None:
    row = catalogue.model(name)
    assert row.name == name
    assert row.stages.keys() == {"detector", "landmark"}
    for stage in row.stages.values():
        assert stage.files.keys() == {"fp32", "int8"}
    sums = [
        row.source.sha256,
        *(file.sha256 for stage in row.stages.values() for file in stage.files.values()),
    ]
    assert all(len(value) == 64 for value in sums)
    assert len(set(sums)) == len(sums)


@pytest.mark.parametrize("name", catalogue.names())
def test_whose_work_the_weights_are_is_said(name: str) -> None:
    row, notice = catalogue.model(name), (ROOT / "models" / "NOTICE.md").read_text()
    assert f"{row.source.distribution}=={row.source.version}" in notice
    assert all(stage.member in notice for stage in row.stages.values())
