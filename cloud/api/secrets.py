"""Passwords, random tokens and signed access tokens."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from typing import TYPE_CHECKING, Any

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

if TYPE_CHECKING:
    from pathlib import Path

    from cloud.api.who import Who

PASSWORD_LENGTH = 12
"""Characters of a password, at least; NIST SP 800-63B asks for length, not for kinds of characters."""
_hasher = PasswordHasher()  # argon2id with the parameters of RFC 9106's low-memory recommendation
_NOBODY = _hasher.hash(secrets.token_urlsafe())
_ALGORITHM = "HS256"
_ISSUER = "kinebox"


async def hash_password(password: str) -> str:
    """The argon2id hash of a password, with its salt and parameters."""
    return await asyncio.to_thread(_hasher.hash, password)


async def is_password(password: str, hashed: str | None) -> bool:
    """Whether it is the password. Without a hash it takes as long: who there is cannot be told by the time."""
    try:
        await asyncio.to_thread(_hasher.verify, hashed or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return hashed is not None


def new_token() -> str:
    """256 random bits, as text for links and headers."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """What is kept of a random token: SHA-256 is enough, there is nothing to guess."""
    return hashlib.sha256(token.encode(errors="replace")).digest()


class Signer:
    """Makes and reads access tokens."""

    def __init__(self, secret_file: Path, lifetime_s: float) -> None:
        self._secret = secret_file.read_bytes()
        self.lifetime_s = lifetime_s

    def sign(self, who: Who) -> str:
        """An access token."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": _ISSUER, "iat": now, "exp": now + int(self.lifetime_s),
            "sub": who.name, "ten": who.tenant_id, "rol": who.role,
        }  # fmt: skip
        return jwt.encode(claims, self._secret, _ALGORITHM)

    def read(self, token: str) -> dict[str, Any] | None:
        """The claims of a token that is ours and still good."""
        try:
            claims: dict[str, Any] = jwt.decode(
                token, self._secret, [_ALGORITHM], issuer=_ISSUER,
                options={"require": ["exp", "iat", "sub", "ten", "rol"]},
            )  # fmt: skip
        except jwt.InvalidTokenError:
            return None
        return claims
