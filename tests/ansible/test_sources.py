"""The playbooks as text: the linter's strictest profile, nothing forgotten of what boxes are configured with."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.ansible.fleet import ANSIBLE, PROGRAM, ROOT
from tests.conftest import missing

if TYPE_CHECKING:
    from pathlib import Path

OVERLAY = ROOT / "firmware-config/shared/etc"


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.timeout(900)
def test_ansible_lint_at_its_production_profile(tmp_path: Path) -> None:
    linter = PROGRAM.with_name("ansible-lint")
    if not linter.exists():
        missing("ansible-lint (make test installs it)")
    done = subprocess.run(
        [str(linter), "--nocolor", "--offline", "--profile", "production"], cwd=ANSIBLE, check=False,
        capture_output=True, text=True, stdin=subprocess.DEVNULL,
        env=os.environ | {"ANSIBLE_HOME": str(tmp_path), "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Passed: 0 failure(s), 0 warning(s)" in done.stdout + done.stderr


def test_only_what_ansible_itself_brings_is_used() -> None:
    for path in ANSIBLE.rglob("*.yml"):
        for word in path.read_text(encoding="utf-8").split():
            if word.endswith(":") and word.count(".") == 2 and word[0].isalpha():
                assert word.startswith("ansible.builtin."), (path, word)


def test_every_file_of_the_boards_overlay_reaches_boxes() -> None:
    brought = {
        row["path"]
        for row in read(ANSIBLE / "roles/base/defaults/main.yml")["base_files"]
        if "from" not in row
    }
    brought.add(
        "NetworkManager/system-connections/kinebox-wired.nmconnection"
    )  # role network: it may be another one
    there = {
        str(path.relative_to(OVERLAY))
        for path in OVERLAY.rglob("*")
        if path.is_file() and path.name != ".gitkeep"
    }
    assert brought == there


def test_every_setting_of_the_example_is_one_of_a_role() -> None:
    known = {"ansible_user", "ansible_host", "vault_wifi_psk", "vault_camera_login"}
    for defaults in ANSIBLE.glob("roles/*/defaults/main.yml"):
        known |= read(defaults).keys()
    files = [
        file
        for kind in ("group_vars", "host_vars")
        for file in ANSIBLE.glob(f"inventory/*/{kind}/**/*.y*ml*")
    ]
    assert len(files) > 4
    for path in files:
        assert read(path).keys() <= known, path


@pytest.mark.parametrize("login", [True, False])
def test_a_cameras_login_is_refused_where_every_service_could_read_it(tmp_path: Path, *, login: bool) -> None:
    """The role's first task, tried on nobody's box: with --check nothing changes on this one."""
    if not PROGRAM.exists():
        missing("Ansible (make test installs it)")
    role = ANSIBLE / "roles/kinebox"
    settings = read(role / "defaults/main.yml") | {
        "kinebox_release_on_box": "/nowhere", "kinebox_update_keys": ["/nowhere/acme.pub"],
        "kinebox_env": {"KINEBOX_CAMERA_LOGIN": "bob:secret"} if login else {"KINEBOX_THREADS": "2"},
    }  # fmt: skip
    first = read(role / "tasks/main.yml")[:1]
    assert "ansible.builtin.assert" in first[0]
    play = tmp_path / "play.json"
    play.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": first}]))
    done = subprocess.run(
        [str(PROGRAM), "-i", "localhost,", "-c", "local", "--check", "-e", json.dumps(settings), str(play)],
        cwd=ANSIBLE, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL,
        env=os.environ | {"ANSIBLE_HOME": str(tmp_path), "ANSIBLE_NOCOLOR": "1"},
    )  # fmt: skip
    assert (done.returncode != 0) is login, done.stdout + done.stderr
    said = done.stdout + done.stderr
    assert ("a camera's login is kinebox_rtsp_login, nothing in kinebox_env" in said) is login
    assert "secret" not in said
