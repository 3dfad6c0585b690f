"""Releases of somebody who is not to be trusted: nothing of them reaches the disk."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import tarfile
from typing import TYPE_CHECKING

import pytest

from edge.device.keys import new_key, sign, signing_key, trusted_keys
from edge.device.manifest import FILE, MAX_BYTES, SIGNATURE, Entry, Manifest, decode, encode
from edge.device.release_build import pack
from edge.device.unpack import opened, unpack
from edge.errors import UpdateError
from tests.device.releases import Maker, software

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge.device.tree import Tree


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return software(tmp_path / "opt")


def install(source: Path, maker: Maker, tree: Tree) -> None:
    with opened(source, trusted_keys(maker.trusted)) as release:
        unpack(release, tree)


def refused(source: Path, maker: Maker, tree: Tree, why: str) -> None:
    """It is refused, and nothing of it is left."""
    with pytest.raises(UpdateError, match=why) as raised:
        install(source, maker, tree)
    assert raised.value.remedy
    assert not tree.releases.exists() or not list(tree.releases.iterdir())
    assert not (tree.root.parent / "outside").exists()


def archive(maker: Maker, change: Callable[[tarfile.TarFile], None], *, head: bool = True) -> Path:
    """A release as one file, whose archive goes on otherwise than its manifest says."""
    folder, path = maker.make("1", 1), maker.folder / "changed.tar"
    with tarfile.open(path, "w") as tar:
        for name in (FILE, SIGNATURE) if head else ():
            tar.add(folder / name, name)
        change(tar)
    return path


def member(name: str, content: bytes = b"", **fields: object) -> tuple[tarfile.TarInfo, io.BytesIO]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, io.BytesIO(content)


@pytest.mark.parametrize("packed", [False, True])
def test_a_release_arrives_as_it_was_made(maker: Maker, tree: Tree, *, packed: bool) -> None:
    source = maker.packed("1", 1) if packed else maker.make("1", 1)
    install(source, maker, tree)
    made = maker.folder / "1"
    for path in made.rglob("*"):
        twin = tree.release("1") / path.relative_to(made)
        assert twin.is_dir() or (twin.read_bytes(), twin.stat().st_mode) == (
            path.read_bytes(),
            path.stat().st_mode,
        )
    assert [path.name for path in tree.releases.iterdir()] == ["1"]


def test_whose_key_is_not_trusted_installs_nothing(maker: Maker, tree: Tree, tmp_path: Path) -> None:
    other = Maker(tmp_path / "other")
    refused(other.packed("1", 1), maker, tree, "not signed by a key that this box trusts")
    (other.folder / "1" / SIGNATURE).write_bytes(b"")
    refused(other.folder / "1", maker, tree, "not signed")
    (other.folder / "1" / SIGNATURE).write_bytes(b"A" * 88 + b"\n" + b"\xff\n")
    refused(other.folder / "1", maker, tree, "not signed")


def test_while_a_key_is_replaced_either_is_enough(maker: Maker, tree: Tree, tmp_path: Path) -> None:
    new_key(tmp_path / "new.pem")
    folder = maker.make("1", 1)
    keys = [signing_key(tmp_path / "new.pem"), signing_key(maker.key)]
    (folder / SIGNATURE).write_bytes(sign((folder / FILE).read_bytes(), keys))
    install(folder, maker, tree)
    (maker.trusted / "maker.pub").unlink()
    with pytest.raises(UpdateError, match="nobody may sign updates"):
        trusted_keys(maker.trusted)
    shutil.copy(tmp_path / "new.pub", maker.trusted)
    with opened(folder, trusted_keys(maker.trusted)) as release:
        assert release.signed_by == "new"


def test_a_changed_manifest_is_refused(maker: Maker, tree: Tree) -> None:
    folder = maker.make("1", 1)
    text = (folder / FILE).read_text()
    (folder / FILE).write_text(text.replace('"serial": 1', '"serial": 2'))
    refused(folder, maker, tree, "not signed")


@pytest.mark.parametrize("name", ["bin/kinebox", "lib/data"])
def test_a_changed_file_is_refused(maker: Maker, tree: Tree, name: str) -> None:
    folder = maker.make("1", 1)
    content = bytearray((folder / name).read_bytes())
    content[-1] ^= 1
    (folder / name).write_bytes(content)
    refused(folder, maker, tree, "is not what was signed")
    pack(folder, maker.folder / "changed.tar.gz")
    refused(maker.folder / "changed.tar.gz", maker, tree, "is not what was signed")
    (folder / name).write_bytes(bytes(content) + b"more")
    refused(folder, maker, tree, "is not what was signed")
    (folder / name).unlink()
    refused(folder, maker, tree, "missing or no plain file")


def test_a_link_in_a_folder_leads_nowhere(maker: Maker, tree: Tree, tmp_path: Path) -> None:
    folder = maker.make("1", 1)
    shutil.copy(folder / "lib/data", tmp_path / "data")
    (folder / "lib/data").unlink()
    (folder / "lib/data").symlink_to(tmp_path / "data")
    refused(folder, maker, tree, "no plain file")
    (folder / "lib/data").unlink()
    os.mkfifo(folder / "lib/data")
    refused(folder, maker, tree, "no plain file")


HOSTILE = {
    "a way out": member("../../outside", b"x"),
    "an absolute path": member("/outside", b"x"),
    "a file that nobody signed for": member("lib/extra", b"x"),
    "a symbolic link": member("lib/data", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    "a hard link": member("lib/data", type=tarfile.LNKTYPE, linkname="manifest.json"),
    "a device": member("lib/data", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
    "a pipe": member("lib/data", type=tarfile.FIFOTYPE),
    "a folder": member("lib", type=tarfile.DIRTYPE),
    "another size": member("lib/data", b"x"),
    "the manifest again": member("manifest.json", b"{}"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_does_not_belong_into_an_archive_is_refused(maker: Maker, tree: Tree, what: str) -> None:
    refused(
        archive(maker, lambda tar: tar.addfile(*HOSTILE[what])), maker, tree, "its manifest does not name"
    )


def test_an_archive_that_lacks_or_repeats_files_is_refused(maker: Maker, tree: Tree) -> None:
    refused(archive(maker, lambda _: None), maker, tree, "lacks 'bin/kinebox'")
    content = (maker.folder / "1/lib/data").read_bytes()

    def twice(tar: tarfile.TarFile) -> None:
        for _ in range(2):
            tar.addfile(*member("lib/data", content))

    refused(archive(maker, twice), maker, tree, "twice")


def test_an_archive_that_breaks_off_is_refused(maker: Maker, tree: Tree) -> None:
    whole = maker.packed("1", 1)
    data = whole.read_bytes()
    for share in (0.1, 0.5, 0.9):
        whole.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(UpdateError):
            install(whole, maker, tree)
        assert not tree.releases.exists() or not list(tree.releases.iterdir())


def test_what_is_no_release_is_told(maker: Maker, tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    refused(tmp_path / "text", maker, tree, "cannot be read|does not begin with")
    refused(tmp_path / "absent", maker, tree, "No such file")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", maker, tree, "cannot be read")
    refused(
        archive(maker, lambda tar: tar.addfile(*member("a", b"x")), head=False), maker, tree, "does not begin"
    )


@pytest.mark.parametrize("where", ["before", "in the name"])
def test_a_small_file_that_unpacks_to_very_much_does_not(maker: Maker, tree: Tree, where: str) -> None:
    """The archive is of no known maker: what it may take before that is known is little."""
    path = maker.folder / "bomb.tar.gz"
    kind = tarfile.REGTYPE if where == "before" else tarfile.XHDTYPE
    header = tarfile.TarInfo(FILE)
    header.size, header.type = 2**31, kind
    with gzip.open(path, "wb") as file:
        file.write(header.tobuf())
        for _ in range(4 * MAX_BYTES // 2**20):
            file.write(bytes(2**20))
    refused(path, maker, tree, "does not begin with|more than it should")


@pytest.mark.parametrize(
    "path", ["/etc/x", "../x", "a/../../x", "a//b", "./a", "", "a/", "a\\b", "a\nb", "a\0b", FILE, SIGNATURE]
)
def test_no_manifest_names_a_path_that_leaves(path: str) -> None:
    entry = Entry(sha256="0" * 64, size=1, mode="0644")
    fine = Manifest(name="kinebox", version="1", serial=1, python="any", platform="any", files={"a": entry})
    assert decode(encode(fine)) == fine
    bad = Manifest(name="kinebox", version="1", serial=1, python="any", platform="any", files={path: entry})
    with pytest.raises(UpdateError, match="a path that no release may have"):
        decode(encode(bad))


def test_a_file_is_no_folder() -> None:
    entry = Entry(sha256="0" * 64, size=1, mode="0644")
    files = {"a/b": entry, "a": entry}
    with pytest.raises(UpdateError, match="'a'"):
        decode(
            encode(Manifest(name="kinebox", version="1", serial=1, python="any", platform="any", files=files))
        )


def test_a_newer_kind_of_manifest_is_told_from_a_damaged_one() -> None:
    with pytest.raises(UpdateError, match="newer kind"):
        decode(b'{"schema":2,"everything":"else"}')
    for data in (b"{", b"[]", b"\xff", b'{"schema":1}', b'{"schema":1,"version":"../x"}'):
        with pytest.raises(UpdateError, match="is none"):
            decode(data)


def test_the_machine_of_a_platform() -> None:
    for platform, machine in (
        ("manylinux_2_28_aarch64", "aarch64"),
        ("manylinux_2_28_x86_64", "x86_64"),
        ("manylinux2014_armv7l", "armv7l"),
    ):
        assert (
            Manifest(
                name="kinebox", version="1", serial=1, python="3.13", platform=platform, files={}
            ).machine
            == machine
        )


def test_keys_are_not_replaced_and_are_what_they_should_be(tmp_path: Path, maker: Maker) -> None:
    assert maker.key.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UpdateError, match="is there already"):
        new_key(maker.key)
    (maker.trusted / "bad.pub").write_text("hello")
    with pytest.raises(UpdateError, match=r"bad\.pub cannot be used"):
        trusted_keys(maker.trusted)
    with pytest.raises(UpdateError, match="cannot be used"):
        signing_key(tmp_path / "absent")
