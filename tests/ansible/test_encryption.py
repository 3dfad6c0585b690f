"""The role that encrypts data, on a box of its own: as far as a container goes, which has no device mapper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ansible.fleet import PROGRAM, Fleet
from tests.conftest import missing

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(900)

HERE = Path(__file__).parent
NAME, DATA = "sealed", "/root/data"
FIRMWARE = """\
#!/bin/sh
# rpi-fw-crypto hmac --in IN --key-id 1 --out OUT
[ "$1" = hmac ] || exit 0
exec openssl dgst -sha256 -mac hmac -macopt "key:$(cat /root/one-time-memory)" -binary -out "$7" "$3"
"""
"""In place of the Raspberry Pi's."""


@pytest.fixture
def fleet(boxes: None, tmp_path: Path) -> Iterator[Fleet]:
    """One box that cloud-init has left."""
    if not PROGRAM.exists():
        missing("Ansible (make test installs it)")
    (tmp_path / "releases").mkdir()
    with Fleet(tmp_path, tmp_path / "releases", {}, names=(NAME,)) as one:
        yield one


def test_encrypted_data_opens_with_the_key_of_this_board_alone(fleet: Fleet) -> None:
    box = fleet.boxes[NAME]
    box.write("/usr/bin/rpi-fw-crypto", FIRMWARE, 0o755)
    box.write("/root/one-time-memory", "this board")
    box.run(f"truncate -s 32M {DATA}")
    options = (
        "--limit",
        NAME,
        "-e",
        f"data_encryption_device={DATA}",
        "-e",
        "data_encryption_recovery=open-sesame",
    )
    made = fleet.play("data are encrypted", str(HERE / "encrypt.yml"), *options)
    assert made.status == 0, made.output[-3000:]
    assert "open-sesame" not in made.output
    again = fleet.play("and stay so", str(HERE / "encrypt.yml"), *options)
    assert again.changed == {NAME: 0}, again.output[-3000:]

    opens = f"cryptsetup open --test-passphrase --key-file=- {DATA}"
    assert box.run(f"/usr/local/lib/kinebox/board-key | {opens}", check=False).returncode == 0
    assert box.run(opens, stdin="open-sesame", check=False).returncode == 0
    box.write("/root/one-time-memory", "another board")
    assert box.run(f"/usr/local/lib/kinebox/board-key | {opens}", check=False).returncode == 2
    assert not box.run("ls -d /run/kinebox-key.*", check=False).stdout

    box.run(f"rm {DATA}; truncate -s 8M {DATA}; mkswap {DATA}")
    kept = fleet.play("what holds data is left alone", str(HERE / "encrypt.yml"), *options)
    assert kept.failed == {NAME}
    assert "holds swap" in kept.output
