"""The explorer's numbers against Python's, for every law of the library."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bitlaw.criticism.beyond import distances
from bitlaw.criticism.extrapolation import extrapolation_findings
from bitlaw.criticism.risk import distance_reasons
from bitlaw.decisions.law_draws import law_draws, points_of
from bitlaw.decisions.on_offer import OnOffer, on_offer
from bitlaw.decisions.optimum import optimum, precision_question
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.decisions.predict import predict
from bitlaw.decisions.reoptimise import reoptimise
from bitlaw.inference.draws import loss_draws, points_frame
from bitlaw.inference.drift import drift_draws, structural_error
from bitlaw.inference.fit import Fit
from bitlaw.laws.registry import law_names, load_law
from bitlaw.reporting.answers import Answers
from bitlaw.reporting.explorer.embedded import Explorer, explorer
from browsers import explored, needs_node
from fits import OBSERVED_LOSS

pytestmark = needs_node

SIZES = ((4e7, 2e9), (1e9, 3e11), (2e6, 4e12), (1e12, 1e13))
"""Inside the data, beyond it, at an uncommon ratio, and where nothing supports an answer."""
PRECISIONS = ({}, {"bits_weights": 4.0, "bits_activations": 6.0}, {"bits_weights": 3.5, "bits_kv": 2.5})
POST = (None, 3.0)
FLOPS = 3e21
EXACT, SEARCHED = 1e-9, 1e-6


@dataclass(frozen=True)
class Explored:
    fit: Fit
    own: Explorer
    states: list[dict[str, Any]]
    answers: list[dict[str, Any]]


def drifting(fit: Fit) -> Fit:
    return replace(fit, drift=drift_draws(fit.samples(), 0, fit.law.name))


def states_of(own: Explorer) -> list[dict[str, Any]]:
    """Every size with some precision, with and without quantization after training."""
    read = [kind["column"] for kind in own.data["kinds"]]
    states = []
    for index, (n_params, tokens) in enumerate(SIZES):
        for post in POST if own.data["methods"] else (None,):
            bits = {
                name: value for name, value in PRECISIONS[index % len(PRECISIONS)].items() if name in read
            }
            loss = None if own.data["has_base"] else OBSERVED_LOSS
            options = own.data["offers"][0]["options"] if own.data["reads_format"] else [None]
            states.append(
                {"n": n_params, "d": tokens, "bits": bits, "post": post, "flops": FLOPS, "loss": loss}
                | {"option": index % len(options)}
            )
    return states


@pytest.fixture(scope="module")
def laws(
    law_fit: Callable[[str], Fit],
    answers_for: Callable[[Fit], Answers],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], Explored]:
    known: dict[str, Explored] = {}

    def of(name: str) -> Explored:
        if name not in known:
            fit = drifting(law_fit(name))
            own = explorer(fit, answers_for(fit))
            states = states_of(own)
            known[name] = Explored(
                own.fit, own, states, explored(own, states, tmp_path_factory.mktemp("node"))
            )
        return known[name]

    return of


def point_of(found: Explored, state: dict[str, Any]) -> pd.DataFrame:
    columns: dict[str, Any] = dict(state["bits"])
    if found.own.data["reads_format"]:
        columns = dict(offer_of(found)[state["option"]].columns) | columns
    if state["post"] is not None:
        columns |= {"bits_post": state["post"], "method_post": "gptq"}
    size = found.own.data["columns"]["group_size"]
    return points_frame(**{"n_params": state["n"], "tokens": state["d"], "group_size": size} | columns)


def offer_of(found: Explored) -> tuple[OnOffer, ...]:
    return on_offer(question_of(found), (found.fit,))


def question_of(found: Explored) -> Any:
    size = 128.0 if {"group_size", "block_size"} & found.fit.law.training_columns else None
    return precision_question((found.fit,), flops=FLOPS, group_size=size)


def decide(found: Explored, **asked: float) -> PrecisionDecision:
    return optimum(found.fit, group_size=question_of(found).group_size, **asked)


def numbers(values: list[Any]) -> np.ndarray:
    return np.array([float(value) for value in values])


@pytest.mark.parametrize("name", law_names())
def test_losses_and_intervals(laws: Callable[[str], Explored], name: str) -> None:
    found = laws(name)
    beyond = 0
    for state, answer in zip(found.states, found.answers, strict=True):
        point = point_of(found, state)
        draws = loss_draws(found.fit, point, seed=found.fit.provenance.seed, measured=state["loss"])
        run = answer["run"]
        for key, expected in (
            ("trained", draws.trained), ("gap", draws.degradation), ("newGap", draws.new_run_degradation),
            ("newTrained", draws.new_run - draws.new_run_degradation),
        ):  # fmt: skip
            np.testing.assert_allclose(
                numbers(run["draws"][key]), expected[:, 0], rtol=EXACT, atol=1e-11, err_msg=key
            )
        predicted = predict(found.fit, point, measured=state["loss"]).points[0]
        for key, interval in (("loss", predicted.law_mean), ("new_run", predicted.new_run)):
            shown = [run[key][end] for end in ("median", "lo", "hi")]
            np.testing.assert_allclose(shown, [interval.median, interval.lo, interval.hi], rtol=EXACT)
        beyond += bool(any(run["draws"]["away"]))
    assert beyond >= len(found.states) // 2


@pytest.mark.parametrize("name", law_names())
def test_distance_is_graded_alike(laws: Callable[[str], Explored], name: str) -> None:
    found = laws(name)
    grades = set()
    for state, answer in zip(found.states, found.answers, strict=True):
        point = point_of(found, state)
        distance = distances((found.fit,), point)[0]
        expected = distance_reasons(distance, extrapolation_findings(found.fit, point))
        risk = answer["run"]["risk"]
        assert risk["reasons"] == [text for _, text in expected]
        assert risk["grade"] == (str(expected[0][0]) if expected else "LOW")
        assert risk["unsupported"] == distance.is_beyond_support
        grades.add(risk["grade"])
    assert {"REFUSE"} < grades


@pytest.mark.parametrize("name", [name for name in law_names() if load_law(name).post])
def test_probability_of_staying_within_tolerance(laws: Callable[[str], Explored], name: str) -> None:
    found = laws(name)
    tolerance = found.own.data["start"]["tolerance"]
    for state, answer in zip(found.states, found.answers, strict=True):
        if state["post"] is not None:
            draws = loss_draws(found.fit, point_of(found, state), measured=state["loss"])
            assert answer["run"]["within"] == (draws.new_run_degradation <= tolerance).mean()
        for one in answer["after"]:
            point = point_of(found, {**state, "post": one["bits"]})
            expected = loss_draws(found.fit, point, measured=state["loss"]).degradation[:, 0]
            np.testing.assert_allclose(numbers(one["draws"]["gap"]), expected, rtol=EXACT, atol=1e-11)


TRAINED = [name for name in law_names() if load_law(name).training]


@pytest.mark.parametrize("name", TRAINED)
def test_cheapest_within_tolerance(laws: Callable[[str], Explored], name: str) -> None:
    found = laws(name)
    for state, answer in zip(found.states, found.answers, strict=True):
        decision = decide(found, n_params=state["n"], tokens=state["d"])
        for option, shown in zip(decision.options, answer["options"], strict=True):
            assert shown["best"] == pytest.approx(option.probability_best, rel=EXACT)
            assert shown["within"] == pytest.approx(option.probability_within, rel=EXACT)
            assert shown["loss"]["hi"] == pytest.approx(option.loss.hi, rel=EXACT)
            assert shown["supported"] == (not option.refused)
            assert shown["recommended"] == (option.key == decision.best)


@pytest.mark.parametrize("name", TRAINED)
def test_reoptimised_losses(laws: Callable[[str], Explored], name: str) -> None:
    found = laws(name)
    offer = offer_of(found)
    law = law_draws(found.fit, offer, None)
    expected, budget = reoptimise(law, FLOPS), found.answers[0]["budget"]
    known = ~law.no_capacity()
    own, n_params, tokens, loss = (
        np.stack([numbers(option["draws"][key]) for option in budget], axis=1)
        for key in ("own", "n", "d", "loss")
    )
    np.testing.assert_array_equal(np.isfinite(n_params), known)
    np.testing.assert_allclose(own[known], expected.loss[known], rtol=SEARCHED)
    np.testing.assert_allclose(np.log(n_params[known]), np.log(expected.n_params[known]), atol=5e-3)
    n_params, tokens = np.where(known, n_params, 1e8), np.where(known, tokens, 1e10)
    points = points_of(offer, [1.0] * len(offer), [1.0] * len(offer), {})
    drifted = law.loss(n_params, tokens, structural_error(found.fit, points, n_params, tokens))
    np.testing.assert_allclose(loss[known], drifted[known], rtol=EXACT)


@pytest.mark.parametrize("name", TRAINED)
def test_best_for_the_budget(laws: Callable[[str], Explored], name: str) -> None:
    found = laws(name)
    decision, budget = decide(found, flops=FLOPS), found.answers[0]["budget"]
    for option, shown in zip(decision.options, budget, strict=True):
        assert shown["label"] == (option.format or f"{option.bits:g} bits")
        assert shown["best"] == pytest.approx(option.probability_best, rel=EXACT)
        assert shown["supported"] == (not option.refused)
        assert shown["recommended"] == (option.key == decision.best)
        assert shown["regret"] == pytest.approx(option.expected_regret, rel=1e-3, abs=1e-5)


def test_a_measured_loss_takes_the_laws_place(laws: Callable[[str], Explored], tmp_path: Path) -> None:
    found = laws("kumar2024")
    state = {**found.states[1], "loss": 2.25}
    (answer,) = explored(found.own, [state], tmp_path)
    draws = loss_draws(found.fit, point_of(found, state), measured=2.25)
    np.testing.assert_allclose(numbers(answer["run"]["draws"]["gap"]), draws.degradation[:, 0], rtol=EXACT)
    assert answer["run"]["trained"]["median"] == 2.25


def test_a_term_of_a_users_own(
    law_fit: Callable[[str], Fit], answers_for: Callable[[Fit], Answers], tmp_path: Path
) -> None:
    def penalty(p: Any, columns: Any, log_n: Any, log_d: Any, xp: Any) -> Any:
        missing = xp.tanh((16.0 - xp.minimum(columns["bits_weights"], 16.0)) / p["c_w"])
        return p["k_w"] * missing * xp.where(log_d > log_n, xp.sqrt(xp.abs(log_d - log_n)), 0.0)

    fit = drifting(law_fit("bitlaw-default"))
    own_term = replace(fit.law.training[0], name="own", penalty=penalty)
    fit = replace(fit, law=replace(fit.law, training=(own_term,)))
    own = explorer(fit, answers_for(fit))
    state = {"n": 1e9, "d": 3e12, "bits": {"bits_weights": 5.0}, "post": None}
    (answer,) = explored(own, [state], tmp_path)
    point = points_frame(n_params=1e9, tokens=3e12, bits_weights=5.0)
    expected = loss_draws(own.fit, point)
    assert (expected.trained > loss_draws(own.fit, point.assign(bits_weights=16.0)).trained).all()
    np.testing.assert_allclose(numbers(answer["run"]["draws"]["trained"]), expected.trained[:, 0], rtol=EXACT)
