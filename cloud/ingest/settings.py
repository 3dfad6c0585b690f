"""Settings of the service, from the environment: KINEBOX_INGEST_… and the two addresses."""

from __future__ import annotations

from typing import Annotated

from pydantic import AnyUrl, Field, FilePath, PostgresDsn, UrlConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

MqttUrl = Annotated[AnyUrl, UrlConstraints(allowed_schemes=["mqtt", "mqtts"], host_required=True)]


class Settings(BaseSettings):
    """Every setting, with what it is for."""

    model_config = SettingsConfigDict(env_prefix="KINEBOX_INGEST_", frozen=True)

    database_url: PostgresDsn = Field(validation_alias="KINEBOX_DATABASE_URL")
    mqtt_url: MqttUrl = Field(
        validation_alias="KINEBOX_MQTT_URL", description="mqtt:// or mqtts://, with user:password"
    )
    mqtt_ca: FilePath | None = Field(
        default=None, description="certificates that the broker's is checked against"
    )
    mqtt_certificate: FilePath | None = Field(
        default=None, description="client certificate and its key, in one file"
    )
    client_id: str = Field(
        default="kinebox-ingest-0",
        description="fixed, and another one for each replica: the broker keeps what arrives while it is away",
    )
    group: str = Field(default="kinebox-ingest", description="replicas of one group share the messages")
    session_expiry_s: int = Field(default=7 * 86400, description="how long the broker keeps them", ge=60)
    batch: int = Field(default=5000, description="messages of a transaction, at most", ge=1, le=15_000)
    linger_s: float = Field(
        default=0.2, description="how long the first message of a batch waits for others", gt=0
    )
    future_s: float = Field(default=600.0, description="a time further ahead than this is refused", gt=0)
    past_days: float = Field(default=400.0, description="a time further back than this is refused", gt=0)
    keep_days: float = Field(
        default=400.0, description="windows older than this are dropped; rollups stay", gt=0
    )
    upkeep_s: float = Field(default=60.0, description="how often rollups and retention run", gt=0)
    http_host: str = Field(default="127.0.0.1", description="where /healthz and /metrics listen")
    http_port: int = Field(default=9109, ge=0, le=65535)
