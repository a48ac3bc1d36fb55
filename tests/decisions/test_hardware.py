"""The hardware table, measured speeds, and what training costs on a chip."""

import math
from pathlib import Path

import pytest

from bitlaw.decisions.hardware import chip_names, load_chip, load_speeds, parse_chips
from bitlaw.decisions.pricing import FLOP_BITS, Pricing
from bitlaw.errors import InputError

PUBLISHED = {
    "a100": {"bf16": 312, "int8": 624, "int4": 1248},
    "h100": {"bf16": 989, "fp8-e4m3": 1979, "int8": 1979},
    "h200": {"bf16": 989, "fp8-e4m3": 1979, "int8": 1979},
    "b200": {"bf16": 2250, "fp8-e4m3": 4500, "nvfp4": 9000, "mxfp4": 9000, "mxfp6": 4500},
    "mi300x": {"bf16": 1300, "fp8-e4m3": 2610, "int8": 2600},
    "tpu-v5e": {"bf16": 197},
    "tpu-v5p": {"bf16": 459, "int8": 918},
    "tpu-v6e": {"bf16": 918, "int8": 1836},
    "tpu-v7": {"fp8-e4m3": 4614},
}
"""Dense peaks, TFLOP/s; those of MI300X rounded."""

ENTRY = """
[x1]
title = "X1"
source = "its page"
read = 2026-01-01
memory_gb = 80
utilisation = 0.4
peak = {{ {peak} }}
"""


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_peaks(name: str) -> None:
    chip = load_chip(name)
    for own, peak in PUBLISHED[name].items():
        assert chip.peak[own] == pytest.approx(peak, rel=0.01)


def test_fp4_of_gb300_is_six_times_its_16_bits() -> None:
    assert Pricing(load_chip("gb300")).cost(4.5, "nvfp4") == pytest.approx(1 / 6)


def test_every_chip_has_source_day_memory_and_utilisation() -> None:
    for chip in map(load_chip, chip_names()):
        assert chip.source
        assert chip.read.year >= 2026
        assert chip.memory_gb > 0
        assert 0 < chip.utilisation <= 1


def test_an_unknown_chip_is_told_the_near_names() -> None:
    with pytest.raises(InputError, match='unknown chip "h10"; did you mean "h100"'):
        load_chip("h10")


@pytest.mark.parametrize(
    ("peak", "message"),
    [
        ("int8 = 10", "x1.peak.bf16: missing"),
        ("bf16 = 10, posit8 = 20", "x1.peak.posit8: unknown format"),
        ("bf16 = -1", "x1: peak.bf16: input should be greater than 0"),
    ],
)
def test_mistakes_in_the_table_name_file_and_key(peak: str, message: str) -> None:
    with pytest.raises(InputError, match=f"table.toml: {message}"):
        parse_chips(ENTRY.format(peak=peak), "table.toml")


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_measured_speeds_go_by_the_chips_names(tmp_path: Path) -> None:
    path = write(tmp_path / "s.toml", "[H100]\nbf16 = 410\nfp8 = 488\n")
    assert load_speeds(path) == {"h100": {"bf16": 410.0, "fp8-e4m3": 488.0}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[h101]\nbf16 = 410", 's.toml: unknown chip "h101"'),
        ("[h100]\nbf16 = 410\nnvfp4 = 600", "s.toml: h100.nvfp4: not run; h100 runs bf16"),
        ("[h100]\nbf16 = 0", "s.toml: h100.bf16: input should be greater than 0"),
        ('[h100]\nbf16 = "fast"', "s.toml: h100.bf16: input should be a valid number"),
        ("[h100]\nbf16 = nan", "s.toml: h100.bf16: input should be"),
        ("[h100]\nfp8 = 488", "s.toml: h100.bf16: missing"),
        ("[h100]\nbf16 = 41000", "above the peak of 989"),
        ("[h100]\nbf16 = 410\nfp8 = 480\nfp8-e5m2 = 490", "h100.fp8-e4m3: given twice"),
        ("bf16 = 410", "s.toml: bf16: input should be a valid dictionary"),
        ("", "s.toml: no chip"),
        ("[h100", "s.toml: not valid TOML"),
    ],
)
def test_mistakes_in_speeds_name_file_and_key(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path / "s.toml", text)
    with pytest.raises(InputError) as caught:
        load_speeds(path)
    assert any(message in problem for problem in caught.value.problems)
    assert all("\n" not in problem for problem in caught.value.problems)


def test_cost_relative_to_16_bits() -> None:
    h100 = Pricing(load_chip("h100"))
    assert h100.cost(16.0) == h100.cost(16.0, "fp16") == 1.0
    assert h100.cost(8.0) == h100.cost(8.0, "fp8-e5m2") == pytest.approx(989 / 1979)
    assert Pricing(load_chip("b200")).cost(6.25, "mxfp6") == 0.5
    assert FLOP_BITS.cost(8.25, "mxfp8") == 8.25 / 16


def test_measured_speeds_come_before_peaks() -> None:
    b200 = Pricing(load_chip("b200"), {"bf16": 800.0, "mxfp8": 952.0})
    assert b200.cost(8.25, "mxfp8") == pytest.approx(1 / 1.19)
    assert b200.cost(8.0) == pytest.approx(1 / 1.19)
    assert b200.cost(4.5, "nvfp4") == 0.25
    assert b200.is_measured(8.25, "mxfp8")
    assert not b200.is_measured(4.5, "nvfp4")
    assert b200.at_peaks().cost(8.25, "mxfp8") == 0.5


@pytest.mark.parametrize(("bits", "name"), [(4.0, None), (5.0, None), (4.5, "nvfp4"), (4.0, "nf4")])
def test_what_a_chip_does_not_run_is_an_error(bits: float, name: str | None) -> None:
    with pytest.raises(InputError, match="h100 does not multiply in .*; h100 runs bf16, fp8-e4m3, int8"):
        Pricing(load_chip("h100")).cost(bits, name)


def test_hours_and_money_of_flops_and_back() -> None:
    pricing = Pricing(load_chip("h100"), {"bf16": 400.0}, price=2.5)
    assert pricing.gpu_hours(1.44e21) == pytest.approx(1000.0)
    assert pricing.money(1.44e21) == pytest.approx(2500.0)
    assert pricing.flops(gpu_hours=1000.0) == pricing.flops(money=2500.0) == pytest.approx(1.44e21)
    assert Pricing(load_chip("h100")).gpu_hours(1e21) == pytest.approx(1e21 / (0.4 * 989e12 * 3600))
    assert Pricing(load_chip("h100")).money(1e21) is None
    assert FLOP_BITS.gpu_hours(1e21) is None


@pytest.mark.parametrize(
    ("pricing", "budget", "message"),
    [
        (Pricing(load_chip("h100")), {"money": 5.0}, "price"),
        (Pricing(load_chip("h100")), {}, "one of gpu_hours and money"),
        (Pricing(load_chip("h100"), price=1.0), {"gpu_hours": 1.0, "money": 1.0}, "one of"),
        (Pricing(load_chip("h100")), {"gpu_hours": 0.0}, "gpu_hours is 0"),
        (Pricing(load_chip("h100")), {"gpu_hours": math.inf}, "gpu_hours is inf"),
        (FLOP_BITS, {"gpu_hours": 5.0}, "hardware"),
    ],
)
def test_budgets_that_say_too_little_or_too_much(
    pricing: Pricing, budget: dict[str, float], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        pricing.flops(**budget)


@pytest.mark.parametrize("price", [0.0, -2.0, math.nan])
def test_a_price_is_positive(price: float) -> None:
    with pytest.raises(InputError, match="price is"):
        Pricing(load_chip("h100"), price=price)
