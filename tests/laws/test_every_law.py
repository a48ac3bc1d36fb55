"""One table: every law of the library, and compositions of every term, against every property."""

import re
from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pytest

from bitlaw.inference.prior import frozen, prior_draws
from bitlaw.laws.evaluate import train
from bitlaw.laws.law import Law
from bitlaw.laws.library import BASE_TERMS, POST_TERMS, TRAINING_TERMS
from laws.properties import CHECKS, LAWS, REFERENCE, random_columns

INTERVAL = re.compile(r"90 % between ([\d.]+)( %)? and ([\d.]*\d)( %)?")
"""How a prior's reason states its 90 % interval."""


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_law(law: Law, check: Callable[[Law], None]) -> None:
    check(law)


def test_the_table_uses_every_term() -> None:
    used = {term.name for law in LAWS.values() for term in law.terms}
    assert used >= {*BASE_TERMS, *TRAINING_TERMS, *POST_TERMS}


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_every_constant_and_term_is_explained(law: Law) -> None:
    names = [parameter.name for parameter in law.sampled]
    assert len(set(names)) == len(names)
    assert {prior.name for prior in law.priors} == set(names) - set(law.ties)
    assert all(parameter.meaning for parameter in (*law.sampled, *law.parameters))
    assert all(prior.reason and prior.source for prior in law.priors)
    assert all(term.equation and term.source for term in law.terms)
    assert all(term.cannot for term in law.terms[1:])


@pytest.mark.parametrize(
    "law", [law for law in LAWS.values() if "P0_w" in [parameter.name for parameter in law.sampled]]
)
def test_zero_capacity_gives_the_loss_of_guessing(law: Law) -> None:
    p = {name: values[:, None] for name, values in prior_draws(law, REFERENCE, 100, seed=1).items()}
    p["P0_w"] = np.full_like(p["P0_w"], 2.0)
    at_floor = random_columns() | {"bits_weights": np.full(40, 2.0), "ceiling": np.full(40, np.log(5e6))}
    loss = train(law, p, at_floor, REFERENCE, np)
    below = loss.unquantized < np.log(5e6)
    assert below.mean() > 0.9
    np.testing.assert_allclose(loss.loss[below], np.log(5e6))


@pytest.mark.parametrize("law", [law for name, law in LAWS.items() if "alpha = beta" in name])
def test_equal_exponents_are_equal_in_every_draw(law: Law) -> None:
    draws = prior_draws(law, REFERENCE, 200, seed=2)
    np.testing.assert_allclose(draws["alpha"], draws["beta"], rtol=1e-12)
    if "slope" in draws:
        step = 1e-6
        p = {name: values[:50] for name, values in draws.items()}
        up, down = (np.log(law.base.loss(p, sign * step, sign * step, np)) for sign in (1, -1))
        np.testing.assert_allclose(-(up - down) / (2 * step), p["slope"], rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_the_intervals_that_reasons_state_are_those_of_the_priors(law: Law) -> None:
    for prior in law.priors:
        stated = INTERVAL.match(prior.reason)
        if stated is None or prior.times:
            continue
        found = frozen(prior, REFERENCE).ppf([0.05, 0.95])
        # A percent sign may stand once, behind the second number.
        scale = 0.01 if stated.group(4) else 1.0
        for number, value in zip(stated.group(1, 3), found, strict=True):
            last_digit = 10.0 ** int(Decimal(number).as_tuple().exponent)
            assert float(number) == pytest.approx(value / scale, rel=0.03, abs=0.55 * last_digit), prior.name
