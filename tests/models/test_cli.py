from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tests.models.test_trouble import command

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from models.catalogue import Model


def test_list_says_what_is_built(built: Path, row: Model) -> None:
    done = command("list", "--json")
    assert done.returncode == 0
    listed = msgspec.json.decode(done.stdout)
    assert [(r["stage"], r["precision"], r["state"]) for r in listed] == [
        ("detector", "fp32", "ok"),
        ("detector", "int8", "ok"),
        ("landmark", "fp32", "ok"),
        ("landmark", "int8", "ok"),
    ]
    assert {r["sha256"] for r in listed} == {f.sha256 for s in row.stages.values() for f in s.files.values()}
    assert str(built) in listed[0]["path"]
    table = command("list").stdout
    assert table.count("ok") == 4
    assert listed[3]["sha256"][:16] in table


def test_listing_nothing_is_no_error_but_verifying_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINEBOX_MODELS", str(tmp_path))
    done = command("list")
    assert done.returncode == 0
    assert done.stdout.count("missing") == 4
    done = command("verify", "--json")
    assert done.returncode == 4
    assert {r["state"] for r in msgspec.json.decode(done.stdout)} == {"missing"}
    assert "Run: kinebox models build" in done.stderr


def test_verify_names_the_damaged_file(
    built: Path, row: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINEBOX_MODELS", str(tmp_path))
    for path in built.glob("*.onnx"):
        (tmp_path / path.name).symlink_to(path)
    assert command("verify").returncode == 0
    damaged = tmp_path / row.file_name("detector", "int8")
    damaged.unlink()
    damaged.write_bytes(b"half of it")
    done = command("verify")
    assert done.returncode == 4
    assert f"damaged: {damaged}" in done.stderr


def test_a_second_build_says_that_there_is_nothing_to_do(built: Path) -> None:
    done = command("build")
    assert done.returncode == 0
    assert "Nothing to do" in done.stderr
