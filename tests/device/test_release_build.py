"""Releases are made the same twice, of what is pinned, and a box can start them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from edge.device import release_build
from edge.device.keys import new_key
from edge.device.manifest import FILE
from edge.errors import UpdateError

ROOT = Path(__file__).resolve().parents[2]
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of the requirements only some small ones: what else is installed is pip's affair, and takes long."""
    blocks = re.split(r"\n(?=\S)", (ROOT / "requirements/run.txt").read_text())
    wanted = [block for block in blocks if block.startswith(("msgspec==", "h11==", "idna=="))]
    assert len(wanted) == 3
    path = tmp_path / "run.txt"
    path.write_text("\n".join(wanted))
    monkeypatch.setattr(release_build, "REQUIREMENTS", path)
    return path


def build(out: Path, key: Path, *more: str) -> dict[str, object]:
    arguments = [str(out), "--sign", str(key), "--python", HERE, "--version", "r", "--serial", "1", *more]
    assert release_build.main(arguments) == 0
    return dict(json.loads((out / "r" / FILE).read_text()))


def test_two_builds_are_the_same(small: Path, tmp_path: Path) -> None:
    new_key(tmp_path / "key.pem")
    manifests = [build(tmp_path / name, tmp_path / "key.pem") for name in ("one", "two")]
    assert manifests[0] == manifests[1]
    made = (tmp_path / "one/r" / FILE).read_bytes(), (tmp_path / "one/r/manifest.sig").read_bytes()
    assert made == ((tmp_path / "two/r" / FILE).read_bytes(), (tmp_path / "two/r/manifest.sig").read_bytes())
    files = manifests[0]["files"]
    assert isinstance(files, dict)
    wanted = {
        "bin/kinebox",
        "bin/kinebox-hub",
        "lib/edge/hub/hub.py",
        "lib/h11/__init__.py",
        "lib/edge/web/static/index.html",
    }
    assert wanted <= set(files)
    assert files["bin/kinebox"]["mode"] == "0755"
    assert any(name.endswith(".pyc") for name in files)
    assert not [
        name for name in files if name.startswith("lib/cloud/") or "direct_url" in name or "RECORD" in name
    ]
    for path in (tmp_path / "one/r").rglob("*"):  # nothing of the machine that it was made on
        assert path.is_dir() or path.suffix == ".so" or str(tmp_path).encode() not in path.read_bytes(), path

    # Its program finds its own packages wherever it lies, and whatever the environment says.
    (tmp_path / "link").symlink_to(tmp_path / "one/r/bin/kinebox")
    program = """if True:
        import runpy, sys
        try:
            runpy.run_path(sys.argv.pop(), run_name="kinebox")
        except SystemExit:
            print(*(sys.modules[name].__file__ for name in ("edge", "msgspec")), sep="\\n")
    """
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, str(tmp_path / "link")],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    lib = tmp_path / "one/r/lib"
    assert done.stdout.splitlines()[-2:] == [str(lib / name / "__init__.py") for name in ("edge", "msgspec")]


def test_what_is_not_pinned_is_not_packed(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new_key(tmp_path / "key.pem")
    small.write_text(re.sub(r"sha256:[0-9a-f]{64}", f"sha256:{'0' * 64}", small.read_text()))
    assert (
        release_build.main([str(tmp_path / "out"), "--sign", str(tmp_path / "key.pem"), "--python", HERE])
        == 8
    )
    assert "HASHES" in capsys.readouterr().err
    assert list((tmp_path / "out").iterdir()) == []


def test_models_are_those_of_the_catalogue(models: Path, tmp_path: Path) -> None:
    new_key(tmp_path / "key.pem")
    manifest = build(tmp_path, tmp_path / "key.pem", "--models")
    assert (manifest["name"], manifest["platform"], manifest["python"]) == ("kinebox-models", "any", "any")
    files = manifest["files"]
    assert isinstance(files, dict)
    for name, entry in files.items():
        assert entry["size"] == (models / name).stat().st_size
    assert (
        release_build.main([str(tmp_path), "--sign", str(tmp_path / "key.pem"), "--version", "r", "--models"])
        == 8
    )


def test_a_link_is_no_part_of_a_release(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(UpdateError, match="is a symbolic link"):
        release_build._entries(tmp_path)
