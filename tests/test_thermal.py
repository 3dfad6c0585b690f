"""Boards that slow themselves down, as their /sys tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge.thermal import Heat, Thermometer

if TYPE_CHECKING:
    from pathlib import Path

FIRMWARE = "devices/platform/soc/soc:firmware/get_throttled"
ZONE = "class/thermal/thermal_zone0"
FREQUENCY = "devices/system/cpu/cpu{}/cpufreq"


def lay(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


@pytest.mark.parametrize(
    ("state", "causes"),
    [
        ("0", ()), ("1", ("power",)), ("4", ("heat",)), ("8", ("heat",)), ("2", ("capped",)),
        ("5", ("heat", "power")), ("e0008", ("heat",)), ("f0000", ()),  # bits from 16 on are of the past
        ("50005", ("heat", "power")), ("nonsense", ()), ("", ()),
    ],
)  # fmt: skip
def test_a_raspberry_pi_tells_by_bits(state: str, causes: tuple[str, ...], tmp_path: Path) -> None:
    assert Thermometer(lay(tmp_path, {FIRMWARE: state})).read().causes == causes


def test_a_weak_supply_has_an_alarm_of_its_own(tmp_path: Path) -> None:
    lay(tmp_path, {"class/hwmon/hwmon1/name": "rpi_volt", "class/hwmon/hwmon1/in0_lcrit_alarm": "1"})
    assert Thermometer(tmp_path).read().causes == ("power",)


@pytest.mark.parametrize(
    ("millidegrees", "hot"), [("60000", False), ("94999", False), ("95000", True), ("99000", True)]
)
def test_a_jetson_is_hot_at_its_passive_trip_point(millidegrees: str, hot: bool, tmp_path: Path) -> None:
    files = {
        f"{ZONE}/temp": millidegrees,
        f"{ZONE}/trip_point_0_type": "critical", f"{ZONE}/trip_point_0_temp": "104500",
        f"{ZONE}/trip_point_1_type": "passive", f"{ZONE}/trip_point_1_temp": "95000",
        f"{ZONE}/trip_point_2_type": "active", f"{ZONE}/trip_point_2_temp": "50000",  # a fan
    }  # fmt: skip
    heat = Thermometer(lay(tmp_path, files)).read()
    assert heat.causes == (("heat",) if hot else ())
    assert heat.celsius == int(millidegrees) / 1000


@pytest.mark.parametrize(
    ("kind", "counts"), [("cpufreq-cpu0", True), ("thermal-cpufreq-0", True), ("pwm-fan", False)]
)
def test_cooling_by_being_slower_counts_and_a_fan_does_not(kind: str, counts: bool, tmp_path: Path) -> None:
    lay(
        tmp_path, {"class/thermal/cooling_device0/type": kind, "class/thermal/cooling_device0/cur_state": "2"}
    )
    assert Thermometer(tmp_path).read().causes == (("heat",) if counts else ())


def test_the_kernel_holding_the_processor_back_counts_but_a_mode_that_was_set_does_not(
    tmp_path: Path,
) -> None:
    def allow(khz: int) -> None:
        for core in (0, 1):
            folder = FREQUENCY.format(core)
            lay(tmp_path, {f"{folder}/scaling_max_freq": str(khz), f"{folder}/scaling_cur_freq": "600000"})
            lay(tmp_path, {f"{folder}/cpuinfo_max_freq": "2201600"})

    allow(1_510_400)  # nvpmodel
    thermometer = Thermometer(tmp_path)
    assert thermometer.read() == Heat((), None, 600.0, 1510.4)
    allow(1_400_000)
    assert thermometer.read().causes == ()
    allow(900_000)
    assert thermometer.read().causes == ("capped",)
    allow(1_510_400)
    assert thermometer.read().causes == ()


def test_a_machine_that_tells_nothing_is_not_throttled(tmp_path: Path) -> None:
    assert Thermometer(tmp_path / "none").read() == Heat()
    assert isinstance(Thermometer().read(), Heat)  # this one, whatever it tells
