"""What this box shall run, as the cloud signed it: checked, and kept on the disk for whoever acts upon it.

Nothing is installed here. The file `desired.json` in the state folder is the envelope as it came; whoever reads it
checks the signature again.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from edge.errors import ConfigError
from wire.desired import MAX_ENVELOPE, DesiredRefusedError, unseal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wire.desired import DesiredState

log = logging.getLogger(__name__)

FILE = "desired.json"


def load_key(path: Path) -> Ed25519PublicKey:
    """The public key in a PEM file. Raises `ConfigError` for what is none."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError(
            f"The key {path} cannot be used: {error}", "See `desired_key` in [uplink]"
        ) from error
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigError(f"The key {path} is of another kind than Ed25519", "See `desired_key` in [uplink]")
    return key


class Desired:
    """The newest desired state. A state that is not newer, or not for this box, or not signed, changes nothing."""

    def __init__(
        self, folder: Path, device: str, key: Ed25519PublicKey, utc: Callable[[], float | None]
    ) -> None:
        """`utc`: the time in UTC seconds, None while the clock is not known."""
        self.state: DesiredState | None = None
        """What was kept last; None: what the software came with."""
        self.refused: Counter[str] = Counter()
        """Refused envelopes by reason."""
        self._path = folder / FILE
        self._device = device
        self._key = key
        self._utc = utc
        self._data = b""
        self._lock = threading.Lock()
        self._read()

    @property
    def serial(self) -> int:
        """That of the state, 0 without one."""
        return 0 if self.state is None else self.state.serial

    def take(self, data: bytes) -> bool:
        """Check an envelope and keep it; whether it is a new one. From any thread."""
        with self._lock:
            if (
                not data or data == self._data
            ):  # nothing is retained; or what the broker says at each connection
                return False
            try:
                state = self._open(data, self.serial)
                self._write(data)
            except DesiredRefusedError as error:
                self.refused[error.reason] += 1
                log.warning("a desired state is refused (%s): %s", error.reason, error)
                return False
            except OSError as error:
                self.refused["disk"] += 1
                log.error("a desired state cannot be kept: %s", error)
                return False
            self.state, self._data = state, data
            log.info("desired state %d is kept", state.serial)
            return True

    def _open(self, data: bytes, after: int) -> DesiredState:
        return unseal(data, device=self._device, after=after, now=self._utc(), is_signed=self._is_signed)

    def _is_signed(self, signature: bytes, data: bytes) -> bool:
        try:
            self._key.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    def _read(self) -> None:
        try:
            with self._path.open("rb") as file:
                data = file.read(MAX_ENVELOPE + 1)
            self.state = self._open(data, 0)
        except FileNotFoundError:
            return
        except (OSError, DesiredRefusedError) as error:
            # Changed by somebody, or signed by a key that was replaced since: the cloud tells it again.
            log.warning("%s is not used: %s", self._path, error)
            return
        self._data = data

    def _write(self, data: bytes) -> None:
        """Whole or not at all, whenever the power goes."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._path.with_suffix(".new")
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
