"""What can go wrong in a build, each brought about for real: one clear message, what to do, nothing half done."""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import sys
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from models import build as building
from models.build import build
from models.errors import BuildDiffers, DownloadFailed, RecipeMismatch, WheelRejected
from models.originals import cache_dir, originals
from models.wheel import read_originals
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from models.catalogue import Model

WHEEL = "mediapipe-0.10.21-cp312-cp312-manylinux_2_28_x86_64.whl"
MEMBERS = {
    "mediapipe/modules/pose_detection/pose_detection.tflite": b"detector",
    "mediapipe/modules/pose_landmark/pose_landmark_full.tflite": b"landmark",
}
CODE = "from edge.cli import main; main()"


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a folder that is all the package index pip knows."""
    index = tmp_path / "index"
    index.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("KINEBOX_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    return index


@pytest.fixture
def weights_at_hand(
    tflite_files: dict[str, bytes], row: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache that has the published files already, so that no download is needed."""
    published = {stage.member_sha256: tflite_files[name] for name, stage in row.stages.items()}
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("KINEBOX_MODELS", str(tmp_path / "models"))
    cache_dir().mkdir(parents=True)
    for stage in row.stages.values():
        path = cache_dir() / f"{stage.member_sha256[:16]}-{Path(stage.member).name}"
        path.write_bytes(published[stage.member_sha256])


def write_wheel(path: Path, members: dict[str, bytes]) -> str:
    """Write a wheel that pip accepts, and return its sha256."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        about = "mediapipe-0.10.21.dist-info"
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: mediapipe\nVersion: 0.10.21\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: cp312-cp312-manylinux_2_28_x86_64\n")
        archive.writestr(f"{about}/RECORD", "")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def expecting(row: Model, wheel_sha256: str, members: dict[str, bytes] = MEMBERS) -> Model:
    """The catalogue's row for another wheel."""
    stages = {
        name: msgspec.structs.replace(
            stage, member_sha256=hashlib.sha256(members.get(stage.member, b"")).hexdigest()
        )
        for name, stage in row.stages.items()
    }
    source = msgspec.structs.replace(row.source, sha256=wheel_sha256)
    return msgspec.structs.replace(row, source=source, stages=stages)


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file()) if folder.exists() else []


def command(*arguments: str, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run `kinebox models`, with no file larger than `limit` bytes."""

    def lower() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [sys.executable, "-c", CODE, "models", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lower,
    )


def test_fetched_by_pip_once_and_only_the_weights_are_kept(alone: Path, row: Model) -> None:
    changed = expecting(row, write_wheel(alone / WHEEL, MEMBERS))
    assert originals(changed) == {"detector": b"detector", "landmark": b"landmark"}
    assert len(leftovers(cache_dir())) == 2
    (alone / WHEEL).unlink()
    assert originals(changed) == {"detector": b"detector", "landmark": b"landmark"}


def test_a_damaged_cache_is_fetched_again(alone: Path, row: Model) -> None:
    changed = expecting(row, write_wheel(alone / WHEEL, MEMBERS))
    originals(changed)
    for path in cache_dir().iterdir():
        path.write_bytes(b"det")
    assert originals(changed)["detector"] == b"detector"


def test_no_network(alone: Path, row: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    # A port of this machine on which nobody listens: refused at once.
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(
        DownloadFailed, match=r"mediapipe 0\.10\.21 could not be fetched: .*mediapipe==0\.10\.21"
    ) as caught:
        originals(row)
    assert "--wheel" in caught.value.remedy
    assert not leftovers(cache_dir())


def test_the_command_says_what_to_do_and_fails(alone: Path) -> None:
    done = command("build")
    assert done.returncode == 4
    assert "could not be fetched" in done.stderr
    assert "kinebox models build --wheel FILE" in done.stderr
    assert "Traceback" not in done.stderr


def test_another_file_behind_the_same_name(alone: Path, row: Model) -> None:
    write_wheel(alone / WHEEL, MEMBERS)
    with pytest.raises(WheelRejected, match="another file") as caught:
        originals(row)
    assert "pip config" in caught.value.remedy
    assert not leftovers(cache_dir())


def test_a_truncated_wheel(row: Model, tmp_path: Path) -> None:
    wheel = tmp_path / WHEEL
    whole = write_wheel(wheel, MEMBERS)
    wheel.write_bytes(wheel.read_bytes()[:-40])
    with pytest.raises(WheelRejected, match="incomplete or damaged"):
        read_originals(wheel, expecting(row, whole))


def test_another_wheel(row: Model, tmp_path: Path) -> None:
    write_wheel(tmp_path / WHEEL, MEMBERS)
    with pytest.raises(WheelRejected, match="another file than"):
        read_originals(tmp_path / WHEEL, row)


def test_a_wheel_that_is_not_there(row: Model, tmp_path: Path) -> None:
    with pytest.raises(WheelRejected, match="cannot be read: No such file"):
        read_originals(tmp_path / WHEEL, row)


@pytest.mark.parametrize("missing", MEMBERS)
def test_a_wheel_without_the_expected_file(missing: str, row: Model, tmp_path: Path) -> None:
    rest = {name: data for name, data in MEMBERS.items() if name != missing}
    changed = expecting(row, write_wheel(tmp_path / WHEEL, rest))
    with pytest.raises(WheelRejected, match=Path(missing).name):
        read_originals(tmp_path / WHEEL, changed)


def test_a_wheel_with_another_file_inside(row: Model, tmp_path: Path) -> None:
    found = write_wheel(tmp_path / WHEEL, dict.fromkeys(MEMBERS, b"something else"))
    with pytest.raises(WheelRejected, match="another file than expected"):
        read_originals(tmp_path / WHEEL, expecting(row, found))


@pytest.mark.usefixtures("weights_at_hand")
def test_a_full_disk_leaves_whole_files_or_none(tmp_path: Path) -> None:
    done = command("build", limit=4_000_000)  # the float detector has 12 MB
    assert done.returncode == 4
    assert f"cannot write to {tmp_path / 'models'}: File too large" in done.stderr
    assert "Free some space" in done.stderr
    assert leftovers(tmp_path / "models") == []
    assert command("build").returncode == 0
    assert command("verify").returncode == 0


@pytest.fixture
def served(alone: Path) -> Iterator[str]:
    """The address of a package index on this machine that serves the folder `alone`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=alone)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_no_room_for_the_download(alone: Path, served: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_wheel(alone / WHEEL, dict.fromkeys(MEMBERS, os.urandom(200_000)))
    monkeypatch.setenv("PIP_FIND_LINKS", f"{served}/")
    done = command("build", limit=100_000)
    assert done.returncode == 4
    assert "no room to fetch the wheel" in done.stderr
    assert not leftovers(cache_dir())


@pytest.mark.usefixtures("weights_at_hand")
@pytest.mark.parametrize("folder", ["/proc/kinebox", "a-file/models"])
def test_a_folder_that_cannot_be_written(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a-file").write_text("in the way")
    monkeypatch.setenv("KINEBOX_MODELS", str(tmp_path / folder))
    done = command("build")
    assert done.returncode == 4
    assert f"cannot write to {tmp_path / folder}" in done.stderr
    assert "KINEBOX_MODELS" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("weights_at_hand")
def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/kinebox")
    done = command("build")
    assert done.returncode == 4
    assert "cannot write to /proc/kinebox" in done.stderr
    assert "XDG_CACHE_HOME" in done.stderr


@pytest.mark.usefixtures("weights_at_hand")
def test_a_recipe_for_another_model(row: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for stage, other in (("detector", "landmark"), ("landmark", "detector")):
        recipe = (building.RECIPES / f"blazepose-{other}.json").read_bytes()
        (tmp_path / f"blazepose-{stage}.json").write_bytes(recipe)
    monkeypatch.setattr(building, "RECIPES", tmp_path)
    with pytest.raises(RecipeMismatch, match="another build") as caught:
        build(row, tmp_path / "models", step=lambda _: None)
    assert caught.value.exit_code == 4
    assert "calibrate" in caught.value.remedy


@pytest.mark.usefixtures("weights_at_hand")
def test_a_build_that_differs_is_not_kept(row: Model, tmp_path: Path) -> None:
    stage = row.stages["detector"]
    files = stage.files | {"fp32": msgspec.structs.replace(stage.files["fp32"], sha256="0" * 64)}
    stages = row.stages | {"detector": msgspec.structs.replace(stage, files=files)}
    with pytest.raises(BuildDiffers, match="fp32 detector"):
        build(msgspec.structs.replace(row, stages=stages), tmp_path / "models", step=lambda _: None)
    assert leftovers(tmp_path / "models") == []
