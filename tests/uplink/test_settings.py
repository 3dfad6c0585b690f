"""What may stand in the configuration, and what is refused because it would be unsafe or cannot be meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.errors import ConfigError
from edge.uplink import settings as module
from edge.uplink.consent import may_leave
from edge.uplink.identity import device_id
from edge.uplink.settings import Settings, load_settings

UPLINK = '[uplink]\ntenant = "acme"\nsite = "gym-1"\n'


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config.toml"
    monkeypatch.setenv("KINEBOX_CONFIG", str(path))
    return path


def test_a_complete_one(config: Path) -> None:
    config.write_text(
        UPLINK + 'url = "mqtts://broker.example"\nca = "/a.pem"\ncertificate = "/b.pem"\nkey = "/c.pem"\n'
        'unknown_subjects = "anonymous"\nmax_days = 7\n'
        '[home_assistant]\nurl = "mqtt://localhost:1884"\nlanguage = "ko"\n[camera]\nflip = true\n'
    )
    settings = load_settings()
    assert settings.uplink is not None
    assert settings.home_assistant is not None
    assert (settings.uplink.host, settings.uplink.port, settings.uplink.tls) == ("broker.example", 8883, True)
    assert settings.uplink.key == Path("/c.pem")
    assert (settings.home_assistant.host, settings.home_assistant.port) == ("localhost", 1884)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('url = "mqtt://broker.example"', "not encrypted"),
        ('url = "mqtt://192.168.1.5"', "not encrypted"),
        ('url = "mqtt://127.0.0.1.evil.example"', "not encrypted"),
        ('url = "http://broker"', "no address"),
        ('url = "mqtts://"', "no address"),
        ('url = "mqtts://b:99999"', "no address"),
        ('url = "mqtts://b/topic"', "no address"),
        ('url = "mqtts://me:secret@b"', "password"),
        ('url = "mqtts://b"\ncertificate = "/x"', "belong together"),
        ('url = "mqtts://b"\nunknown_subjects = "everything"', "everything"),
        ('url = "mqtts://b"\nurll = "x"', "urll"),
        ('url = "mqtts://b"\nmax_days = 0', "max_days"),
        ('url = "mqtts://b"\ntenant = "x"', "config.toml"),
        ('url = "mqtts://b"\ndevice = "box"', "device"),
        ("", "url"),
        ("url = ", "config.toml"),
    ],
)
def test_refused(config: Path, text: str, says: str) -> None:
    config.write_text(UPLINK + text)
    with pytest.raises(ConfigError) as refused:
        load_settings()
    assert says in str(refused.value)
    assert refused.value.remedy


@pytest.mark.parametrize("segment", ["", "Acme", "a/b", "+", "#", "a b"])
def test_a_site_that_would_be_another_topic(config: Path, segment: str) -> None:
    config.write_text(f'[uplink]\ntenant = "acme"\nurl = "mqtts://b"\nsite = "{segment}"\n')
    with pytest.raises(ConfigError, match="site"):
        load_settings()


@pytest.mark.parametrize("url", ["mqtt://127.0.0.1", "mqtt://[::1]:1883", "mqtt://localhost"])
def test_this_machine_needs_no_encryption(config: Path, url: str) -> None:
    config.write_text(UPLINK + f'url = "{url}"')
    settings = load_settings().uplink
    assert settings is not None
    assert settings.port == 1883
    assert settings.unknown_subjects == "nothing"


def test_unencrypted_to_another_machine_only_when_asked_for(config: Path) -> None:
    config.write_text(UPLINK + 'url = "mqtt://192.168.1.5"\nplain = true')
    assert load_settings().uplink is not None


def test_without_a_file_nothing_leaves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("KINEBOX_CONFIG", raising=False)
    monkeypatch.setattr(module, "SYSTEM_FILE", tmp_path / "none")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert load_settings() == Settings()
    (tmp_path / "kinebox").mkdir()
    (tmp_path / "kinebox" / "config.toml").write_text(UPLINK + 'url = "mqtts://user"')
    assert load_settings().uplink is not None
    monkeypatch.setattr(module, "SYSTEM_FILE", tmp_path / "system.toml")
    (tmp_path / "system.toml").write_text("")
    assert load_settings().uplink is None


def test_a_file_that_was_named_must_be_there(config: Path) -> None:
    with pytest.raises(ConfigError, match="There is no"):
        load_settings()


def test_password_from_its_file(config: Path, tmp_path: Path) -> None:
    config.write_text(UPLINK + f'url = "mqtts://b"\nusername = "box"\npassword_file = "{tmp_path}/secret"')
    settings = load_settings().uplink
    assert settings is not None
    with pytest.raises(ConfigError, match="password file"):
        settings.password()
    (tmp_path / "secret").write_text("hush\n")
    assert settings.password() == "hush"


def test_consent_is_a_table() -> None:
    assert not may_leave("window", "nothing")
    assert not may_leave("session", "nothing")
    assert may_leave("window", "anonymous")
    assert not may_leave("picture", "anonymous")


def test_the_device_has_one_name_for_ever(tmp_path: Path) -> None:
    first = device_id(tmp_path / "state")
    assert device_id(tmp_path / "state") == first
    assert device_id(tmp_path / "other") != first
    assert [file.name for file in (tmp_path / "state").iterdir()] == ["device-id"]
    (tmp_path / "state" / "device-id").write_text("broken")
    with pytest.raises(ConfigError, match="device id"):
        device_id(tmp_path / "state")
