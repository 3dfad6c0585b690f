"""Settings of the API, from the environment: KINEBOX_API_… and the database's address."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 (pydantic reads the annotations)

from pydantic import AnyHttpUrl, Field, PostgresDsn, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from cloud.fleet.signing import load_signer

SECRET_BYTES = 32


class Settings(BaseSettings):
    """Every setting, with what it is for."""

    model_config = SettingsConfigDict(env_prefix="KINEBOX_API_", frozen=True)

    database_url: PostgresDsn = Field(validation_alias="KINEBOX_DATABASE_URL")
    host: str = Field(
        default="127.0.0.1", description="where it listens; TLS is the business of a proxy before it"
    )
    port: int = Field(default=8000, ge=0, le=65535)
    public_url: AnyHttpUrl = Field(
        default=AnyHttpUrl("http://127.0.0.1:8000"),
        description="the address that browsers see; with https:// cookies are sent encrypted only",
    )
    secret_file: Path = Field(description=f"at least {SECRET_BYTES} random bytes, which sign tokens")
    signing_key_file: Path | None = Field(
        default=None, description="Ed25519 private key (PEM, PKCS 8) that signs the desired states of boxes"
    )
    pool_size: int = Field(default=10, description="database connections, at most", ge=1, le=200)
    access_minutes: float = Field(default=10.0, description="how long an access token is good", gt=0, le=60)
    refresh_days: float = Field(default=30.0, description="how long one stays signed in unseen", gt=0, le=365)
    max_body: int = Field(default=8 * 1024 * 1024, description="bytes of a request, at most", ge=1024)
    trusted_proxies: str = Field(
        default="127.0.0.1", description="whose X-Forwarded-For is believed, separated by commas"
    )
    step_s: float = Field(default=60.0, description="how often rollouts are judged", gt=0)

    @field_validator("secret_file")
    @classmethod
    def _long_enough(cls, path: Path) -> Path:
        try:
            size = len(path.read_bytes())
        except OSError as error:
            raise ValueError(f"cannot be read: {error.strerror}") from error
        if size < SECRET_BYTES:
            raise ValueError(
                f"holds {size} bytes, at least {SECRET_BYTES} are needed: openssl rand -out FILE 48"
            )
        return path

    @field_validator("signing_key_file")
    @classmethod
    def _signs(cls, path: Path | None) -> Path | None:
        if path is not None:
            load_signer(path)
        return path

    @property
    def origin(self) -> str:
        """Scheme, host and port of the pages, as a browser's Origin header gives it."""
        url = self.public_url
        default = {"http": 80, "https": 443}[url.scheme]
        return f"{url.scheme}://{url.host}" + (f":{url.port}" if url.port not in (None, default) else "")

    @property
    def secure(self) -> bool:
        """Whether browsers reach us by TLS."""
        return self.public_url.scheme == "https"
