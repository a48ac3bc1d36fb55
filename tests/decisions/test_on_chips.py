"""One budget on several chips, side by side, with the words that two questions on chips share."""

import json

import numpy as np
import pytest

from bitlaw.decisions.budget import budget
from bitlaw.decisions.budget_across import budget_across
from bitlaw.decisions.on_chips import budget_on_chips, chosen, optimum_on_chips
from bitlaw.errors import InputError
from bitlaw.finding import Status
from bitlaw.inference.draws import points_frame
from fits import collapsed_fit, kumar_constants, measured_everywhere

FLOPS = 6e18
SPEEDS = {"h100": {"bf16": 400.0, "fp8": 440.0}}


@pytest.fixture(scope="module")
def fit():
    return measured_everywhere(collapsed_fit("kumar2024", kumar_constants(), samples=40, jitter=0.02))


def test_every_chip_has_the_answer_that_it_has_alone(fit):
    chips = budget_on_chips(fit, ["H100", "b200"], flops=FLOPS, speeds=SPEEDS)
    assert list(chips.by_chip) == ["h100", "b200"]
    for name, answer in chips.by_chip.items():
        assert answer == budget(fit, flops=FLOPS, hardware=name, speeds=SPEEDS)
    assert chips.status is Status.WARN
    assert [chosen(decision) for decision in chips.decisions.values()] == ["16 bits", "8 bits"]
    assert chips.turns
    start = chips.sentence().split("\n\n")[0]
    assert start.startswith("The answer turns with the chip: ")
    for name, answer in chips.by_chip.items():
        assert f"{answer.answer} on {name}" in start
        assert answer.sentence() in chips.sentence()


def test_table_and_json_name_the_chips(fit):
    plans = points_frame(n_params=1e8, tokens=1e10).assign(name="ours")
    chips = budget_on_chips(fit, ["h100", "b200"], gpu_hours=2.0, plans=plans)
    table = chips.table()
    assert table.columns[0] == "hardware"
    assert table[table["plan"] == "ours"]["hardware"].tolist() == ["h100", "b200"]
    content = json.loads(json.dumps(chips.to_dict()))
    assert content["options"] == content["hardware"]["h100"]["options"]
    by_chip = content["hardware"].values()
    assert [answer["question"]["hardware"] for answer in by_chip] == ["h100", "b200"]
    flops = [answer["question"]["flops"] for answer in by_chip]
    assert flops[1] / flops[0] == pytest.approx(2250 / 989)


def test_the_same_precision_at_other_sizes_is_no_turn(fit):
    chips = budget_on_chips(fit, ["h100", "b200"], gpu_hours=2.0, bits=(8,))
    assert not chips.turns
    assert chips.turns_text().startswith("The precision is the same on every chip, 8 bits: ")
    same = optimum_on_chips(fit, ["h100", "h200"], flops=FLOPS)
    assert (
        same.turns_text()
        == f"The answer is the same on every chip: {same.decisions['h100'].answer} on h100, h200."
    )


def test_which_chip_buys_most(fit):
    chips = budget_on_chips(fit, ["h100", "b200"], gpu_hours=2.0, bits=(16,))
    losses = [decision.options[0].loss.median for decision in chips.decisions.values()]
    assert losses[1] < losses[0]
    assert chips.least_text() == (
        f"Its loss is the lowest on b200: {losses[1]:.4g} nats/token at the median, against {losses[0]:.4g} on h100."
    )
    assert chips.least_text() in chips.sentence()
    assert budget_on_chips(fit, ["h100", "h200"], gpu_hours=2.0).least_text() == ""
    fixed = optimum_on_chips(fit, ["h100", "b200"], n_params=1e9, tokens=1e11, bits=(16,))
    hours = [6e20 / (0.4e12 * peak) / 3600 for peak in (989, 2250)]
    assert fixed.least_text() == (
        f"It takes the fewest GPU-hours on b200: {hours[1]:.0f}, against {hours[0]:.0f} on h100."
    )


def test_refused_on_every_chip():
    far = collapsed_fit("kumar2024", kumar_constants(), samples=20)
    chips = budget_on_chips(far, ["h100", "b200"], flops=1e30)
    assert chips.status is Status.REFUSED
    assert chips.turns_text() == "REFUSED on every chip: h100, b200."
    assert chips.least_text() == ""
    assert [finding.message[:5] for finding in chips.findings if finding.status is Status.REFUSED] == [
        "h100:",
        "b200:",
    ]


def test_several_laws_on_several_chips(fit, monkeypatch):
    monkeypatch.setattr("bitlaw.decisions.budget_across.law_weights", lambda fits: np.array([0.5, 0.5]))
    coupled = {
        "mean_loss": 3.3,
        "floor_share": 0.6,
        "n_share": 0.4,
        "slope_n": 0.06,
        "slope_d": 0.08,
        "g": 0.5,
    }
    fits = [fit, collapsed_fit("kumar2024-coupled", kumar_constants() | coupled, samples=40, jitter=0.02)]
    chips = budget_on_chips(fits, ["h100", "b200"], flops=FLOPS)
    across = budget_across(fits, flops=FLOPS, hardware="b200")
    assert chips.by_chip["b200"].stack == across.stack == chips.decisions["b200"]
    assert set(chips.table()["law"]) == set(across.table()["law"])


def test_every_chip_at_its_own_price_and_by_the_clock(fit):
    prices = {"H100": 2.0, "b200": 4.0}
    chips = budget_on_chips(fit, ["h100", "b200"], money=80.0, price=prices, gpus=8)
    questions = [decision.to_dict()["question"] for decision in chips.decisions.values()]
    assert [question["gpu_hours"] for question in questions] == pytest.approx([40.0, 20.0])
    assert [question["wall_clock"] for question in questions] == pytest.approx([5.0, 2.5])
    assert "a budget of 80 at 4 per GPU-hour on 8 b200 for 2.5 hours (20 GPU-hours, " in chips.sentence()


def test_the_clock_of_a_run_in_each_precision(fit):
    chips = optimum_on_chips(fit, ["h100"], n_params=1e9, tokens=1e11, speeds=SPEEDS, gpus=8)
    sixteen, eight = chips.decisions["h100"].options
    assert sixteen.wall_clock == pytest.approx(6e20 / 400e12 / 3600 / 8)
    assert eight.wall_clock == pytest.approx(sixteen.wall_clock / 1.1)
    assert "wall-clock hours" in chips.table()
    assert "on 8 at once)" in chips.sentence()
    alone = optimum_on_chips(fit, ["h100"], n_params=1e9, tokens=1e11)
    assert alone.decisions["h100"].options[0].wall_clock is None
    assert "wall-clock hours" not in alone.table()


@pytest.mark.parametrize(
    ("chips", "question", "message"),
    [
        (["h100", "H100"], {}, "each once"),
        ([], {}, "hardware is empty"),
        (["h100", "b20"], {}, 'unknown chip "b20"; did you mean "b200"'),
        (["b200", "h100"], {"bits": (16, 4)}, "h100 does not multiply in 4 bits"),
        (["b200", "h100"], {"price": -1.0}, "price is -1"),
        (["b200", "h100"], {"gpu_hours": 1.0}, "are budgets both"),
        (["b200", "h100"], {"price": {"h100": 2.0}}, "price is of h100; valid: also of b200"),
        (["h100"], {"price": {"h10": 2.0}}, 'unknown chip "h10"'),
        (["h100"], {"gpus": 0}, "gpus is 0; valid: a whole number from 1"),
    ],
)
def test_bad_questions(fit, chips, question, message):
    with pytest.raises(InputError, match=message) as caught:
        budget_on_chips(fit, chips, flops=FLOPS, **question)
    assert len(caught.value.problems) == 1
