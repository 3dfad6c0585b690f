"""The key that signs desired states. Who has it decides what every box runs: it is in the API's memory alone."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from wire.desired import seal

if TYPE_CHECKING:
    from pathlib import Path

    from wire.desired import DesiredState

MAKE_ONE = "openssl genpkey -algorithm ed25519 -out FILE"


class DesiredSigner:
    """Seals desired states."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.key_id = hashlib.sha256(key.public_key().public_bytes_raw()).hexdigest()[:16]
        """Names the key in envelopes, for people who look for which one it was."""

    def seal(self, state: DesiredState) -> bytes:
        """The envelope of a state, as JSON. Raises ValueError where it is too large."""
        return seal(state, self.key_id, self._key.sign)


def load_signer(path: Path) -> DesiredSigner:
    """The signer with the key in a file. Raises ValueError for what is no Ed25519 private key without a password."""
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(f"holds no private key in PEM without a password: {MAKE_ONE}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"holds a key of another kind than Ed25519: {MAKE_ONE}")  # noqa: TRY004 (of a file, not of a caller)
    return DesiredSigner(key)
