"""The layer for rpi-image-gen: its metadata as that documents it, and its hooks, run on a system."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.firmware.places import FIRMWARE, PI, ROOT, SHARED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.firmware.system import System

IMAGE = FIRMWARE / "rpi-image-gen"
LAYER = IMAGE / "layer/kinebox.yaml"
OVERLAY = IMAGE / "layer/kinebox.d/customize.overlay"
HOOKS = sorted((IMAGE / "layer/kinebox.d/hooks").iterdir())
FACTORY = OVERLAY / "usr/libexec/kinebox-factory"
MANIFEST = '{"schema": 1, "name": "kinebox", "version": "0.1.0", "serial": 1}'

FIELD = re.compile(
    r"X-Env-(Layer-(Name|Version|Category|Desc|Requires|RequiresProvider)|VarPrefix|Var-[a-z_]+(-(Desc|Required|Valid|Set))?)"
)


def metadata(text: str) -> dict[str, str]:
    """Fields between METABEGIN and METAEND. ValueError for what the format does not have."""
    inside = text.split("# METABEGIN\n")[1].partition("# METAEND\n")[0]
    fields: dict[str, str] = {}
    last = ""
    for line in inside.splitlines():
        if not line.startswith("#"):
            raise ValueError(f"not a comment: {line}")
        body = line[2:]
        if body.startswith(" ") and last:
            fields[last] += body
        elif body:
            last, colon, value = body.partition(":")
            if not colon or not FIELD.fullmatch(last) or last in fields:
                raise ValueError(f"no field, or one twice: {line}")
            fields[last] = value.strip()
    return fields


def test_the_layers_metadata() -> None:
    fields = metadata(LAYER.read_text())
    assert fields["X-Env-Layer-Name"] == "kinebox"
    assert re.fullmatch(r"\d+\.\d+\.\d+", fields["X-Env-Layer-Version"])
    variables = {
        name.removeprefix("X-Env-Var-") for name in fields if re.fullmatch(r"X-Env-Var-[a-z_]+", name)
    }
    for variable in variables:
        for part in ("Desc", "Required", "Valid", "Set"):
            assert f"X-Env-Var-{variable}-{part}" in fields
    used = {name for hook in HOOKS for name in re.findall(r"IGconf_kinebox_(\w+)", hook.read_text())}
    assert used == variables


@pytest.mark.parametrize("wrong", ["# X-Env-Layer-Nam: x", "packages:", "# X-Env-Layer-Name: again"])
def test_wrong_metadata_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=re.escape(wrong)):
        metadata(LAYER.read_text().replace("# METAEND", f"{wrong}\n# METAEND"))


def test_the_configurations_name_what_is_there() -> None:
    declared = {"kinebox": {"release", "update_keys"}}
    for path in sorted((IMAGE / "config").iterdir()):
        config = yaml.safe_load(path.read_text())
        included = config.get("include", {}).get("file")
        assert included == "trixie-minbase-ab.yaml" or (IMAGE / "config" / included).is_file()
        for section, known in declared.items():
            assert set(config.get(section, {})) <= known
        assert "pass" not in str(sorted(config.get("device", {})))
    assert yaml.safe_load((IMAGE / "config/kinebox-base.yaml").read_text())["layer"]["app"] == "kinebox"


def test_hooks_can_be_run() -> None:
    for hook in (*HOOKS, FACTORY):
        assert hook.stat().st_mode & 0o111, hook
        subprocess.run(["sh", "-n", hook], check=True)
        assert re.match(r"(customize|postbuild)\d\d-", hook.name) or hook == FACTORY


def test_nothing_that_the_box_changes_is_shared_from_the_image() -> None:
    """What a shared folder holds in the image is written over the box's own at every start."""
    shared = (OVERLAY / "etc/rpi-image-gen/slot-shared.d/kinebox.conf").read_text()
    paths = re.findall(r"^Path=(.*)$", shared, re.MULTILINE)
    assert {"/opt/kinebox", "/etc/kinebox", "/var/lib/kinebox", "/var/lib/kinebox-vision"} <= set(paths)
    for path in paths:
        laid = [
            one for base in (OVERLAY, SHARED.parent) for one in (base / path[1:]).rglob("*") if one.is_file()
        ]
        assert {one.suffix for one in laid} <= {".nft"}, laid  # ours, and nobody else's to change


def test_hooks_make_a_system(system: System) -> None:
    system.lay(FIRMWARE, "/srv/firmware-config")
    system.lay(ROOT / "systemd", "/srv/release/systemd")
    system.lay(OVERLAY, "/")
    system.write("/srv/release/manifest.json", MANIFEST)
    system.write("/srv/release/manifest.sig", "")
    system.write("/srv/keys/release.pub", "a key")
    system.write("/boot/firmware/config.txt", "theirs")
    run = " && ".join(f"/srv/firmware-config/{hook.relative_to(FIRMWARE)} /" for hook in HOOKS)
    look = (
        "systemctl is-enabled nftables kinebox-factory kinebox.target; ls -A /opt/kinebox;"
        "stat -c '%a %n' /etc/NetworkManager/system-connections/*; cat /etc/kinebox/update-keys/release.pub;"
        "head -n 1 /boot/firmware/config.txt; cat /usr/lib/kinebox/factory/manifest.json; id -un kinebox"
    )
    settings = (
        "export LAYER_DIR=/srv/firmware-config/rpi-image-gen/layer IGconf_kinebox_release=/srv/release"
        " IGconf_kinebox_update_keys=/srv/keys"
    )
    done = system.run("sh", "-ec", f"{settings}; {run}; {look}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "enabled", "enabled", "enabled",
        "600 /etc/NetworkManager/system-connections/kinebox-wired.nmconnection",
        "a key" + PI.joinpath("config.txt").read_text().splitlines()[0],
        MANIFEST + "kinebox",
    ]  # fmt: skip
    missing = system.run("sh", "-ec", f"{settings}; rm /srv/release/manifest.sig; {run}")
    assert missing.returncode == 1
    assert "scripts/build-release" in missing.stderr


@pytest.fixture
def factory(tmp_path: Path) -> Path:
    """A release of an image."""
    made = tmp_path / "factory"
    (made / "bin").mkdir(parents=True)
    (made / "manifest.json").write_text(MANIFEST)
    (made / "bin/kinebox").write_text("#!/bin/sh\n")
    return made


def is_whole(home: Path, factory: Path) -> bool:
    names = {path.relative_to(factory) for path in factory.rglob("*")}
    current = home / "current"
    return current.is_symlink() and names == {path.relative_to(current) for path in current.rglob("*")}


def test_the_images_release_becomes_the_first_one_after_any_power_cut(factory: Path, tmp_path: Path) -> None:
    lines = FACTORY.read_text().splitlines()
    for number in range(len(lines) + 1):
        home = tmp_path / f"home-{number}"
        cut = tmp_path / "cut.sh"
        cut.write_text("\n".join(lines[:number]))
        subprocess.run(["sh", cut, factory, home], check=True)
        assert is_whole(home, factory) or not (home / "current").is_symlink()
        subprocess.run([FACTORY, factory, home], check=True)
        assert is_whole(home, factory)
        assert sorted(path.name for path in home.iterdir()) == ["current", "releases"]
        assert [path.name for path in (home / "releases").iterdir()] == ["0.1.0"]
