"""The linter of the files that a board reads before there is a system."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from edge.device.bootfiles import check
from edge.device.bootfiles.__main__ import main
from edge.errors import ConfigError
from tests.firmware.places import BAD, JETSON, PI

OURS = [*sorted(PI.glob("*.txt")), JETSON / "nvpmodel-kinebox.conf"]
BOARDS_OWN = """\
< PARAM TYPE=FILE NAME=CPU_ONLINE >
CORE_0 /sys/devices/system/cpu/cpu0/online

< PARAM TYPE=CLOCK NAME=EMC >
MAX_FREQ /sys/kernel/nvpmodel_clk_cap/emc

< POWER_MODEL ID=0 NAME=15W >
CPU_ONLINE CORE_0 1
EMC MAX_FREQ 2133000000

# mandatory section to configure the default mode
< PM_CONFIG DEFAULT=0 >
"""


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_ours_are_right(path: Path) -> None:
    assert check(path) == []


def test_all_of_ours_are_looked_at() -> None:
    assert {path.name for path in OURS} == {
        "autoboot.txt", "cmdline.txt", "config.txt", "nvpmodel-kinebox.conf",
    }  # fmt: skip


def test_what_is_wrong_is_told_with_file_line_and_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(BAD)
    assert main(["autoboot.txt", "cmdline.txt", "config.txt", "nvpmodel.conf"]) == 1
    assert capsys.readouterr().out == Path("faults.txt").read_text()


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("cmdline.txt", "rootwait", "root= is missing"),
        ("cmdline.txt", "root=LABEL=rootfs rootwait\n\n", None),
        ("cmdline.txt", "root=sda2 rootwait", "root=sda2"),
        ("cmdline.txt", "root=LABEL=rootfs rootwait quiet=1", "quiet=1"),
        ("cmdline.txt", 'root=LABEL="rootfs" rootwait', "quotes"),
        ("cmdline.txt", "root=LABEL=rootfs rootwait usbhid.mousepoll=0", None),
        ("config.txt", "[pi4]\narm_boost=1\n[pi5]\narm_freq=2400\n[all]\n", None),
        ("config.txt", "[tryboot]\nboot_delay=1\n[all]\nboot_delay=2", None),
        ("config.txt", "[tryboot]\nboot_delay=1", "the file ends under [tryboot]"),
        ("config.txt", "dtoverlay=imx708\ndtoverlay=\ndtparam=audio=off", None),
        ("config.txt", "initramfs initrd.img followkernel", None),
        ("config.txt", "dtparam=nvme=on", "dtparam=nvme=on"),
        ("config.txt", "dtparam=i2c_arm,spi=on", None),
        ("config.txt", "[pi5", "[pi5 is no filter"),
        ("autoboot.txt", "tryboot_a_b=1\n", "boot_partition is missing under [all]"),
        ("autoboot.txt", "boot_partition=2\ntryboot_a_b=yes", "tryboot_a_b=yes"),
        ("autoboot.txt", "boot_partition=two", "boot_partition=two"),
        ("autoboot.txt", "boot_partition=2\n" + "#" * 500, "longer than 512 bytes"),
        ("autoboot.txt", "tryboot_a_b=1\nboot_partition=2\n[tryboot]\nboot_partition=2", "[tryboot] tries"),
        ("nvpmodel.conf", "", "no power mode"),
        ("nvpmodel.conf", BOARDS_OWN, None),
        ("nvpmodel.conf", BOARDS_OWN.replace("< PM_CONFIG DEFAULT=0 >", ""), "< PM_CONFIG DEFAULT=... > is missing"),
        ("nvpmodel.conf", BOARDS_OWN.replace("CORE_0 1", "CORE_1 1"), "unknown argument CPU_ONLINE CORE_1"),
        ("nvpmodel.conf", BOARDS_OWN.replace("EMC MAX", "GPU MAX"), "unknown parameter GPU"),
    ],
)  # fmt: skip
def test_single_lines(tmp_path: Path, name: str, text: str, what: str | None) -> None:
    (tmp_path / name).write_text(text)
    told = [fault.what for fault in check(tmp_path / name)]
    assert len(told) == (what is not None), told
    assert all(one.startswith(what or "") for one in told)


@pytest.mark.parametrize("name", ["fstab", "config.txt"])
def test_a_file_that_is_none_of_these_is_told(tmp_path: Path, name: str) -> None:
    if name == "config.txt":
        (tmp_path / name).write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError) as told:
        check(tmp_path / name)
    assert str(tmp_path / name) in str(told.value)
    assert told.value.remedy


def install(*arguments: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [JETSON / "install-nvpmodel", *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture
def board(tmp_path: Path) -> Path:
    """A board's own file, with every parameter that our mode sets."""
    ours = (JETSON / "nvpmodel-kinebox.conf").read_text().splitlines()
    settings = [line.split()[:2] for line in ours if line and line[0].isalpha()]
    text = "# NVIDIA's own\n"
    for parameter in dict.fromkeys(parameter for parameter, _ in settings):
        arguments = [argument for name, argument in settings if name == parameter]
        text += f"< PARAM TYPE=FILE NAME={parameter} >\n" + "".join(
            f"{one} /sys/{one}\n" for one in arguments
        )
    path = tmp_path / "nvpmodel_board.conf"
    path.write_text(
        text + "\n< POWER_MODEL ID=0 NAME=15W >\nCPU_ONLINE CORE_0 1\n\n< PM_CONFIG DEFAULT=0 >\n"
    )
    return path


def test_the_mode_is_added_to_a_boards_own_once(board: Path) -> None:
    link = board.with_name("nvpmodel.conf")
    link.symlink_to(board.name)
    before = board.read_text()
    for _ in range(2):
        done = install(link)
        assert done.returncode == 0, done.stderr
        assert check(board) == []
        text = board.read_text()
        assert text.startswith(before.split("\n< PM_CONFIG")[0])
        assert text.count("NAME=KINEBOX") == 1
        assert text.endswith("< PM_CONFIG DEFAULT=8 >\n")
    assert link.is_symlink()
    assert sorted(path.name for path in board.parent.iterdir()) == [
        "nvpmodel.conf", board.name, f"{board.name}.before-kinebox",
    ]  # fmt: skip
    assert board.with_name(f"{board.name}.before-kinebox").read_text() == before


def test_a_changed_mode_takes_the_place_of_the_one_before(board: Path) -> None:
    install(board)
    changed = board.with_name("mode.conf")
    changed.write_text(
        (JETSON / "nvpmodel-kinebox.conf").read_text().replace("GPU MAX_FREQ 408000000", "GPU MAX_FREQ -1")
    )
    assert install(board, changed).returncode == 0
    assert check(board) == []
    assert board.read_text().count("GPU MAX_FREQ") == 1


def test_another_mode_with_this_number_is_kept(board: Path) -> None:
    text = board.read_text().replace("ID=0 NAME=15W", "ID=8 NAME=THEIRS").replace("DEFAULT=0", "DEFAULT=8")
    board.write_text(text)
    done = install(board)
    assert done.returncode == 1
    assert "another mode 8" in done.stderr
    assert board.read_text() == text


def test_the_linter_is_found_where_the_docs_say(tmp_path: Path) -> None:
    shutil.copy(BAD / "autoboot.txt", tmp_path)
    assert main([]) == 2
    assert main([str(tmp_path / "autoboot.txt")]) == 1
    assert main([str(PI / "autoboot.txt")]) == 0
