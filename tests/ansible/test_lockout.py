"""Rules of the firewall that lock Ansible out take themselves back, and the box never boots with them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.ansible.fleet import _CLOUD_INIT, ANSIBLE, PROGRAM, ROOT
from tests.box.running import until
from tests.conftest import missing
from tests.testbed.box import boot
from tests.testbed.network import Network

if TYPE_CHECKING:
    from pathlib import Path

    from tests.testbed.box import Box

pytestmark = pytest.mark.skipif(
    os.environ.get("KINEBOX_FULL_SIZE") != "1", reason="minutes (set KINEBOX_FULL_SIZE=1)"
)

OVERLAY = ROOT / "firmware-config/shared/etc"
PATIENT_S, HASTY_S = 150, 20
PLAYBOOK = f"""\
- hosts: kinebox
  become: true
  roles: [{ANSIBLE}/roles/network]
"""


def play(folder: Path, network: Network, box: Box, **variables: object) -> subprocess.CompletedProcess[str]:
    """The network role alone, over ssh."""
    settings = {
        "ansible_host": network.address(box), "ansible_user": "kinebox-admin",
        "ansible_ssh_private_key_file": str(folder / "id"),
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={folder / 'known'} -o ConnectTimeout=3",
        "network_overlay": str(OVERLAY), **variables,
    }  # fmt: skip
    (folder / "hosts").write_text("[kinebox]\nbox\n")
    (folder / "play.yml").write_text(PLAYBOOK)
    command = (
        str(PROGRAM),
        "-i",
        str(folder / "hosts"),
        str(folder / "play.yml"),
        "-e",
        json.dumps(settings),
    )
    return subprocess.run(
        network.enter(*command), cwd=ANSIBLE, capture_output=True, text=True, check=False, timeout=500,
        stdin=subprocess.DEVNULL,
        env=os.environ | {"ANSIBLE_HOME": str(folder / "home"), "ANSIBLE_NOCOLOR": "1", "HOME": str(folder)},
    )  # fmt: skip


def test_who_locks_himself_out_gets_in_again(boxes: None, tmp_path: Path) -> None:
    if not PROGRAM.exists() or shutil.which("ssh") is None:
        missing("Ansible (make test installs it), or ssh")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "id"], check=True)
    layer = tmp_path / "layer"
    shutil.copytree(OVERLAY, layer / "etc")
    (layer / "etc/nftables.d").mkdir()
    subprocess.run(["chown", "-R", "root:root", layer], check=True)
    layer.chmod(0o755)
    with Network() as network, boot("box", layer, network=network) as box:

        def rules() -> str:
            return box.run("nft list ruleset").stdout

        box.run(_CLOUD_INIT, stdin=(tmp_path / "id.pub").read_text())
        good = play(tmp_path, network, box, network_undo_s=PATIENT_S)
        assert good.returncode == 0, good.stdout[-3000:]
        before = rules()
        assert "tcp dport 22" in before

        locked_out = play(tmp_path, network, box, network_undo_s=HASTY_S, network_open=[])
        assert locked_out.returncode != 0
        assert "The new firewall rules were not kept (timed out" in locked_out.stdout
        until(lambda: rules() == before, "the rules of before are back")
        box.run("systemctl restart nftables.service")
        assert rules() == before

        mended = play(tmp_path, network, box, network_undo_s=PATIENT_S)
        assert mended.returncode == 0, mended.stdout[-3000:]
        assert rules() == before
        assert "zz-undone" not in box.run("ls /etc/nftables.d").stdout

        with ThreadPoolExecutor() as pool:  # the power goes while rules are on trial
            trying = pool.submit(play, tmp_path, network, box, network_undo_s=PATIENT_S, network_open=[])
            until(lambda: "tcp dport 22" not in rules(), "the new rules are in force", PATIENT_S)
            box.cut()
            box.start()
            until(lambda: rules() == before, "the rules of before are what boots")
            late = trying.result()
        assert late.returncode != 0
        assert "not kept (Ansible came back too late, or the box has started anew)" in late.stdout
        assert rules() == before
