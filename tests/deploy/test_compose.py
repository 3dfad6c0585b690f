"""deploy/compose.yaml: valid, hardened, and made of what deploy/ has. No engine is needed, so none is run here."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.deploy.places import DEPLOY

if TYPE_CHECKING:
    from pathlib import Path

COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ENDING = ("schema", "admin")
"""They do their work and end."""


def validate(file: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_it_follows_the_specification() -> None:
    done = validate(DEPLOY / "compose.yaml")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("right", "wrong"), [("read_only: true", "readonly: true"), ("mem_limit: 2g", "mem_limit: [2g]")]
)
def test_what_does_not_follow_it_is_found(tmp_path: Path, right: str, wrong: str) -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    assert right in text
    (tmp_path / "compose.yaml").write_text(text.replace(right, wrong))
    assert validate(tmp_path / "compose.yaml").returncode == 1


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_has_little_power(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "https" else [])
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert not {"privileged", "network_mode", "pid", "ipc", "devices"} & service.keys()
    assert not any("docker.sock" in str(volume) for volume in service.get("volumes", []))


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_comes_back_and_says_how_it_is(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == {"schema": "on-failure:5", "admin": "no"}.get(name, "unless-stopped")
    if name not in (*ENDING, "https"):
        assert service["healthcheck"]["test"]
        assert service["stop_grace_period"]


def test_only_broker_and_proxies_are_published() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {
        "broker": ["${KINEBOX_MQTT_PUBLISH:-8883}:8883"],
        "api": ["${KINEBOX_API_PUBLISH:-127.0.0.1:8000}:8000"],
        "https": ["80:80", "443:443", "443:443/udp"],
    }


def test_the_database_is_reached_from_inside_alone() -> None:
    assert COMPOSE["networks"]["database"]["internal"] is True
    assert SERVICES["database"]["networks"] == ["database"]
    assert "database" not in [*SERVICES["broker"]["networks"], *SERVICES["https"]["networks"]]


def test_secrets_are_those_that_are_made(secrets: Path) -> None:
    for name, secret in COMPOSE["secrets"].items():
        assert secret["file"].startswith("./secrets/")
        assert (secrets / secret["file"].removeprefix("./secrets/")).is_file(), name


def test_each_container_gets_its_own_secrets() -> None:
    got = {
        name: sorted(s if isinstance(s, str) else s["source"] for s in service.get("secrets", []))
        for name, service in SERVICES.items()
    }
    assert got == {
        "database": ["database-api", "database-ingest", "database-schema", "database-superuser"],
        "broker": ["broker-certificate", "broker-key", "ca", "crl"],
        "schema": ["database-schema"],
        "ingest": ["ca", "database-ingest", "ingest-certificate"],
        "api": ["api-secret", "database-api", "signing-key"],
        "admin": ["database-schema"],
        "https": [],
    }


def test_the_broker_finds_its_files_where_its_configuration_says() -> None:
    service = SERVICES["broker"]
    there = {secret["target"] for secret in service["secrets"]} | {
        v.split(":")[1] for v in service["volumes"]
    }
    configuration = (DEPLOY / "mosquitto/mosquitto.conf").read_text().splitlines()
    named = {
        word for line in configuration if line[:1] != "#" for word in line.split() if word.startswith("/")
    }
    assert named <= there
    assert service["entrypoint"][-1] in there
    assert service["working_dir"] in there  # where it saves its state


def test_mounted_files_are_there() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (DEPLOY / source).is_file()
                assert volume.endswith(":ro")
            else:
                assert source in COMPOSE["volumes"]


def test_images_of_others_have_a_version() -> None:
    for service in SERVICES.values():
        if not service["image"].startswith("kinebox-cloud:"):
            _, _, tag = service["image"].rstrip("}").rpartition(":")
            assert tag[0].isdigit(), service["image"]


def test_every_variable_is_in_the_example() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    used = {part.split("}")[0].split(":")[0] for part in text.split("${")[1:]}
    example = {line.lstrip("#").split("=")[0] for line in (DEPLOY / "env.example").read_text().splitlines()}
    assert used <= example
