from pathlib import Path

import pytest

from kafkasim.errors import ValidationError
from kafkasim.scenario.hardware import Cpu, Hardware, Link
from kafkasim.scenario.hardware_presets import PRESETS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "hardware.md"
COLUMNS = (
    ("link", "bandwidth_mb_per_s"),
    ("link", "delay_ms"),
    ("cpu", "request_ms"),
    ("cpu", "mb_ms"),
    ("disk", "bandwidth_mb_per_s"),
)


def test_what_a_source_does_not_state_stands_at_its_default() -> None:
    hardware = Hardware.preset("linkedin_2014")

    assert hardware == Hardware(link=Link(bandwidth_mb_per_s=125.0), cpu=Cpu())


def test_sizes_of_aws_are_mebibytes() -> None:
    bandwidth = Hardware.preset("aws_m5_large").link.bandwidth_mb_per_s

    assert bandwidth == 96 * 2**20 / 10**6


def test_the_cluster_of_kafka_sim_takes_a_millisecond_and_four_tenths() -> None:
    hardware = Hardware.preset("kafka_sim")

    assert hardware.link.delay_ms == 0.2
    assert (hardware.cpu.request_ms, hardware.cpu.mb_ms) == (1.0, 0.0)


def test_a_name_that_is_not_there_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValidationError, match="did you mean aws_m5_large"):
        Hardware.preset("aws_m5_larg")


@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_stands_with_its_numbers_on_the_page(name: str) -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    (row,) = [line for line in lines if line.startswith(f"| `{name}` |")]
    preset = PRESETS[name]
    cells = [cell.strip() for cell in row.strip("|").split("|")]

    assert cells[1] == preset.what
    assert preset.source
    for shown, (part, field) in zip(cells[2:7], COLUMNS, strict=True):
        stated = getattr(preset, part).get(field)
        if stated is None:
            assert shown == ""
        elif stated == 1e12:
            assert shown == "no limit"
        else:
            assert float(shown) == round(stated, 2)
