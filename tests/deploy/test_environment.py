"""What the artefacts tell the services are settings that the services have, with values that they take."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import typer
import yaml
from pydantic import ValidationError

from cloud.api.admin import app as admin
from cloud.api.settings import Settings as ApiSettings
from cloud.ingest.settings import Settings as IngestSettings
from cloud.schema.__main__ import app as schema
from tests.deploy.places import DEPLOY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pydantic_settings import BaseSettings

LIBPQ = {"PGSERVICEFILE"}
"""Read by the database's own library."""
FILES = {
    "KINEBOX_INGEST_MQTT_CA": "ca.pem",
    "KINEBOX_INGEST_MQTT_CERTIFICATE": "ingest-0.pem",
    "KINEBOX_API_SECRET_FILE": "api-secret",
    "KINEBOX_API_SIGNING_KEY_FILE": "signing-key.pem",
}
"""Settings that are files, and the secret that lies there."""
SETTINGS: dict[str, type[BaseSettings]] = {"ingest": IngestSettings, "api": ApiSettings}
COMMANDS = {"schema": schema, "admin": admin}


def known(service: str) -> dict[str, bool]:
    """Name of each setting, and whether it is needed."""
    if service in SETTINGS:
        cls = SETTINGS[service]
        prefix = cls.model_config["env_prefix"]
        return {
            str(field.validation_alias or f"{prefix}{name.upper()}"): field.is_required()
            for name, field in cls.model_fields.items()
        }
    command: Any = typer.main.get_command(COMMANDS[service])
    commands = getattr(command, "commands", {"": command}).values()
    return {p.envvar: p.required for one in commands for p in one.params if getattr(p, "envvar", None)}


def mistakes(service: str, given: Mapping[str, str]) -> set[str]:
    """Names that the service does not know, or misses."""
    names = known(service)
    return (given.keys() - names.keys() - LIBPQ) | (
        {n for n, needed in names.items() if needed} - given.keys()
    )


def compose(service: str) -> dict[str, str]:
    text = (DEPLOY / "compose.yaml").read_text()
    example = re.findall(r"^#?(KINEBOX_\w+)=(.*)$", (DEPLOY / "env.example").read_text(), re.MULTILINE)
    values = dict(example)
    text = re.sub(r"\$\{(\w+)(?::[-?][^}]*)?\}", lambda found: values[found[1]], text)
    return {
        name: str(value) for name, value in yaml.safe_load(text)["services"][service]["environment"].items()
    }


def unit(service: str) -> dict[str, str]:
    text = (DEPLOY / f"systemd/kinebox-{service}.service").read_text()
    found = dict(re.findall(r"^Environment=(\w+)=(.*)$", text, re.MULTILINE))
    if "EnvironmentFile=/etc/kinebox/cloud.env" in text:
        shared = dict(re.findall(r"^(\w+)=(.*)$", (DEPLOY / "systemd/cloud.env").read_text(), re.MULTILINE))
        # The file is all services'; each takes its own.
        found |= {name: value for name, value in shared.items() if name in known(service)}
    return found


def pod(service: str) -> dict[str, str]:
    base = DEPLOY / "kubernetes/base"
    shared = yaml.safe_load((base / "settings.yaml").read_text())["data"]
    spec = next(yaml.safe_load_all((base / f"{service}.yaml").read_text()))["spec"]["template"]["spec"]
    env = spec["containers"][0]["env"]
    return {e["name"]: e.get("value") or shared.get(e["name"]) or "kinebox-ingest-0" for e in env}


ALL = [
    *((compose, service) for service in ("schema", "ingest", "api", "admin")),
    *((unit, service) for service in ("schema", "ingest", "api")),
    *((pod, service) for service in ("schema", "ingest", "api")),
]


@pytest.mark.parametrize(("where", "service"), ALL)
def test_every_name_is_a_setting_and_none_is_missing(where: Any, service: str) -> None:
    assert mistakes(service, where(service)) == set()


def test_a_misspelt_name_is_found() -> None:
    given = compose("ingest")
    given["KINEBOX_INGEST_MQTT_CERT"] = given.pop("KINEBOX_DATABASE_URL")
    assert mistakes("ingest", given) == {"KINEBOX_INGEST_MQTT_CERT", "KINEBOX_DATABASE_URL"}


@pytest.mark.parametrize(("where", "service"), [one for one in ALL if one[1] in SETTINGS])
def test_the_services_take_the_values(
    where: Any, service: str, monkeypatch: pytest.MonkeyPatch, secrets: Path
) -> None:
    for name, value in where(service).items():
        monkeypatch.setenv(name, str(secrets / FILES[name]) if name in FILES else value)
    settings: Any = SETTINGS[service]()
    assert settings.database_url.path == "/kinebox"
    if service == "api":
        assert settings.secure
    else:
        assert settings.mqtt_url.scheme == "mqtts"
    monkeypatch.setenv("KINEBOX_DATABASE_URL", "mysql://database/kinebox")
    with pytest.raises(ValidationError):
        SETTINGS[service]()


@pytest.mark.parametrize(("where", "service"), ALL)
def test_no_password_is_told(where: Any, service: str) -> None:
    for value in where(service).values():
        assert not re.search(r"://[^/]*:[^/]*@", str(value))
