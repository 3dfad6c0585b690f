"""deploy/systemd, judged by systemd itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.deploy.places import DEPLOY
from tests.testbed.rootfs import rootfs

UNITS = DEPLOY / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))


@pytest.fixture(scope="module", autouse=True)
def _systemd() -> None:
    if shutil.which("systemd-analyze") is None:
        missing("systemd-analyze")


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units, with programs that are there."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for path in (*UNITS.glob("*.service"), *UNITS.glob("*.target")):
        text = path.read_text().replace("/opt/kinebox/bin/", f"{programs}/")
        (tmp_path / path.name).write_text(text)
    for name in ("kinebox-schema", "kinebox-ingest", "kinebox-api"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    return tmp_path


def verify(folder: Path) -> subprocess.CompletedProcess[str]:
    files = [str(path) for path in (*folder.glob("*.service"), *folder.glob("*.target"))]
    return subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *files], capture_output=True, text=True, check=False,
        env=os.environ | {"SYSTEMD_LOG_LEVEL": "info"},
    )  # fmt: skip


def exposure(unit: Path) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", unit.name]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=unit.parent)


def complaints(folder: Path) -> list[str]:
    done = verify(folder)
    lines = (done.stdout + done.stderr).splitlines()
    return [line for line in lines if str(folder) in line or "kinebox" in line]


def test_they_are_valid(units: Path) -> None:
    assert complaints(units) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("ProtectClock=yes", "ProtectClocks=yes"),
        ("/kinebox-ingest\n", "/kinebox-injest\n"),
        ("Type=exec", "Type=exe"),
    ],
)
def test_what_is_not_valid_is_found(units: Path, right: str, wrong: str) -> None:
    unit = units / "kinebox-ingest.service"
    text = unit.read_text()
    assert right in text
    unit.write_text(text.replace(right, wrong))
    assert complaints(units)


@pytest.mark.parametrize("service", SERVICES)
def test_they_expose_little(units: Path, service: str) -> None:
    done = exposure(units / service)
    assert done.returncode == 0, done.stdout.splitlines()[-1]


def test_too_much_exposure_is_found(units: Path) -> None:
    unit = units / "kinebox-api.service"
    lines = unit.read_text().splitlines(keepends=True)
    unit.write_text("".join(line for line in lines if not line.startswith(("Protect", "SystemCallFilter"))))
    assert exposure(unit).returncode == 1


def test_users_and_folders_are_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    users = subprocess.run(
        ["systemd-sysusers", f"--root={tmp_path}", str(UNITS / "sysusers.conf")], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert users.returncode == 0, users.stderr
    with (tmp_path / "etc/group").open("a") as group:
        group.write("mosquitto:x:600:\n")  # Debian's package
    names = {line.split(":")[0] for line in (tmp_path / "etc/passwd").read_text().splitlines()}
    assert names == {f"kinebox-{name}" for name in ("schema", "ingest", "api")}
    made = subprocess.run(
        ["systemd-tmpfiles", "--create", f"--root={tmp_path}", str(UNITS / "tmpfiles.conf")], capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "etc/kinebox/secrets").stat().st_mode & 0o777 == 0o700


def test_a_service_is_the_database_user_of_its_name() -> None:
    roles = (DEPLOY / "postgres/roles.sql").read_text()
    for service in SERVICES:
        name = service.removesuffix(".service")
        assert f"User={name}\n" in (UNITS / service).read_text()
        assert f'create role "{name}" login' in roles


def test_credentials_are_secrets_that_are_made(secrets: Path) -> None:
    found = 0
    for service in SERVICES:
        text = (UNITS / service).read_text()
        for line in text.splitlines():
            if line.startswith("LoadCredential="):
                name, _, path = line.partition("=")[2].partition(":")
                assert (secrets / Path(path).relative_to("/etc/kinebox/secrets")).is_file()
                assert f"=%d/{name}\n" in text
                found += 1
    assert found == 4


def test_debians_broker_with_our_changes(tmp_path: Path) -> None:
    debian = rootfs() / "usr/lib/systemd/system/mosquitto.service"
    if not debian.exists():
        missing("the test bed (as root: scripts/testbed build)")
    # Read one behind the other they mean what unit and drop-in mean.
    unit = tmp_path / "mosquitto.service"
    unit.write_text(debian.read_text() + (UNITS / "mosquitto.service.d/kinebox.conf").read_text())
    assert effective(unit, "ExecStart") == ["/usr/sbin/mosquitto -c /etc/mosquitto/kinebox/mosquitto.conf"]
    # Debian's make folders as root; as the user that we give they would fail at the second boot.
    assert effective(unit, "ExecStartPre") == []
    assert effective(unit, "User") == ["mosquitto"]
    assert exposure(unit).returncode == 0
    unit.write_text(unit.read_text().replace("/usr/sbin/mosquitto -c", f"{shutil.which('true')} -c"))
    done = verify(tmp_path)
    assert "mosquitto" not in done.stdout + done.stderr


def effective(unit: Path, setting: str) -> list[str]:
    """Values of a setting; an empty one forgets those before it."""
    values: list[str] = []
    for line in unit.read_text().splitlines():
        if line.startswith(f"{setting}="):
            value = line.partition("=")[2]
            values = [*values, value] if value else []
    return values
