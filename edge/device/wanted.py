"""The releases that the cloud wants this box to run, and where the owner says that they come from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import msgspec

from edge.device.hub import STATE
from edge.device.manifest import MODELS, SOFTWARE
from edge.device.tree import ROOT, trees
from edge.errors import ConfigError
from edge.uplink.desired import FILE, Desired, load_key
from edge.uplink.identity import device_id
from edge.uplink.settings import config_file, load_settings
from models.load import DEFAULT_MODEL

if TYPE_CHECKING:
    from edge.device.tree import Tree

CACHE = Path("/var/cache/kinebox")
FETCHED = "fetched"
"""Folder of the cache with what was fetched."""
TRIED = "refused.json"
"""Beside `update.json` of the software or the models."""
POSE = "pose"
"""The role that a release of models has in a desired state."""


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section [updates] of `config.toml`. Without it a box fetches nothing."""

    url: str
    """`https://host/folder`: releases lie there as VERSION.tar.gz, those of models as models/VERSION.tar.gz."""
    ca: Path | None = None
    """PEM file of the authority that signed the server's certificate; without it the system's own."""

    def __post_init__(self) -> None:
        """Raise `ConfigError` for an address that is none, or that everybody on the way could change."""
        parts = urlsplit(self.url)
        if parts.scheme != "https" or not parts.hostname or parts.username or parts.query or parts.fragment:
            raise ConfigError(
                f"{self.url!r} is no address of releases", 'Write url = "https://host/folder" in [updates]'
            )

    def place(self, one: Wanted) -> str:
        """Where a release lies. Raises ConfigError where the cloud names a place that is not the owner's."""
        base = self.url.rstrip("/") + "/"
        if one.url is None:
            return f"{base}{'models/' if one.kind == MODELS else ''}{one.version}.tar.gz"
        if not one.url.startswith(base) or "/." in one.url:
            raise ConfigError(
                f"{one} shall come from {one.url}, which is not below {base}",
                "Put it there, or change `url` in [updates]",
            )
        return one.url


class _File(msgspec.Struct):
    updates: Source | None = None


class Wanted(NamedTuple):
    """A release that shall run here."""

    serial: int
    """Of the desired state."""
    version: str
    sha256: str
    """Of the file that it comes in."""
    url: str | None
    since: float
    """UTC seconds, as far as the box knows the time: when the hub heard of it."""
    kind: str = SOFTWARE
    """As in the release's manifest: the software, or the models."""
    unknown: str = ""
    """Why there is no release for it; empty for all that this Kinebox knows."""

    def __str__(self) -> str:
        """As it is called in messages."""
        return called(self.kind, self.version)


def called(kind: str, version: str) -> str:
    """A release in words."""
    return f"models {version}" if kind == MODELS else version


def source() -> Source | None:
    """What the owner says; None without [updates]. Raises ConfigError."""
    path = config_file()
    try:
        return msgspec.toml.decode(path.read_bytes(), type=_File, dec_hook=_path).updates
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}", "See docs/updates.md for [updates]") from error


def wanted(folder: Path | None = None) -> list[Wanted]:
    """The releases in the desired state that the hub keeps in its state folder, if its signature is good.

    Models first: newer software may need them. Raises ConfigError where the settings cannot be read.
    """
    folder = folder or Path(os.environ.get("KINEBOX_STATE") or STATE)
    settings = load_settings().uplink
    if settings is None or settings.desired_key is None or not (folder / FILE).exists():
        return []
    device = settings.device or device_id(folder)
    state = Desired(folder, device, load_key(settings.desired_key), lambda: None).state
    if state is None:
        return []
    since = (folder / FILE).stat().st_mtime
    named = [(MODELS, _unknown(role, one.name), one) for role, one in state.models.items()]
    named += [(SOFTWARE, "", state.software)] if state.software else []
    return [
        Wanted(state.serial, one.version, one.sha256, one.url, since, kind, unknown)
        for kind, unknown, one in named
    ]


def _unknown(role: str, name: str) -> str:
    """Why a model is none that comes in a release of models; empty where it is."""
    if (role, name) == (POSE, DEFAULT_MODEL):
        return ""
    return f"{name} is wanted as {role}, and this Kinebox knows {DEFAULT_MODEL} as {POSE} only"


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What a desired state came to that this box did not take: it is not tried again."""

    serial: int
    version: str
    reason: str


def tried(tree: Tree) -> Tried | None:
    """The last one that was refused."""
    try:
        return msgspec.json.decode((tree.root / TRIED).read_bytes(), type=Tried)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def is_settled(one: Wanted, root: Path = ROOT) -> str:
    """Why there is nothing to do about a release that is wanted; empty where there is."""
    tree = trees(root)[one.kind]
    if tree.version(tree.current) == one.version:
        return f"{one} is used already"
    last, refused = tree.state().last, tried(tree)
    if (
        last is not None
        and last.version == one.version
        and last.result != "interrupted"
        and last.at >= one.since  # else it is wanted anew
    ):
        return f"{one} was used here and went back: it is not tried again"
    if refused is not None and (refused.serial, refused.version) == (one.serial, one.version):
        return f"{one} was refused: {refused.reason}"
    return ""


def is_previous(one: Wanted, root: Path = ROOT) -> bool:
    """Whether it is what ran here before, and is here still."""
    tree = trees(root)[one.kind]
    return tree.version(tree.previous) == one.version


def _path(kind: type, value: object) -> Path:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise TypeError(f"a {kind.__name__} cannot be made of {value!r}")
