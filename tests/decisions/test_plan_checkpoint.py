"""Plans for bits after training of a model that is trained already, and was measured at some."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bitlaw.decisions.candidates import CHECKPOINT
from bitlaw.decisions.plan import plan, plan_across
from bitlaw.decisions.ptq import ptq
from bitlaw.errors import InputError
from bitlaw.finding import Status
from bitlaw.inference.draws import points_frame
from fits import collapsed_fit, kumar_constants

MODEL = {"n_params": 1e8, "tokens": 1e10}
LOSS = 3.0
NORMAL = 2 * 1.645
"""Width of a normal 90 % interval in standard deviations."""


@pytest.fixture(scope="module")
def fit():
    constants = kumar_constants() | {"kappa": 0.05, "nu_gap": 50.0}
    return collapsed_fit("kumar2024", constants, samples=4000, jitter=0.02, vocab_size=50000)


def points(*rows, **columns):
    bits, gaps = zip(*rows, strict=True)
    return pd.DataFrame({"bits_post": bits, "loss": LOSS + np.array(gaps)} | columns)


def of(fit, **question):
    return plan(fit, "ptq", **(MODEL | {"budget": 1e17, "loss": LOSS} | question))


def test_it_is_quantized_itself_at_the_bits_in_doubt(fit):
    found = of(fit)
    first = found.picks[0]
    assert first.inputs["run_id"] == CHECKPOINT
    assert found.quantity.endswith(f"quantized to {first.inputs['bits_post'][0]:g} bits")
    assert first.text.startswith("the checkpoint asked about (100M parameters on 10B tokens, 16 bits, ")
    assert first.cost == pytest.approx(2 * 1e8 * 1e7)
    option = ptq(fit, **MODEL, loss=LOSS).option(first.inputs["bits_post"][0])
    assert first.sd_after == pytest.approx(0.0005 / option.degradation.median, rel=0.15)
    planned = plan(fit, "ptq", **MODEL, budget=1e17)
    assert CHECKPOINT not in {one.inputs.get("run_id") for one in planned.offered}


def test_what_is_known_of_it_is_what_ptq_says(fit):
    measured = points((4.0, 0.02), (3.0, 0.1))
    for question in ({}, {"measured": measured}):
        found = of(fit, **question, bits=(3.5,))
        option = ptq(fit, **MODEL, loss=LOSS, **question, bits=(3.5,)).option(3.5)
        sd = math.log(option.degradation.hi / option.degradation.lo) / NORMAL
        assert found.sd == pytest.approx(sd, rel=0.12)
    assert of(fit, measured=measured, bits=(3.5,)).sd < 0.6 * of(fit, bits=(3.5,)).sd


def test_what_was_measured_is_not_asked_again(fit):
    doubt = of(fit).quantity
    bits = float(doubt.split()[-2])
    found = of(fit, measured=points((bits, 0.004)))
    assert found.quantity != doubt
    own = [one.inputs["bits_post"] for one in found.offered if one.inputs.get("run_id") == CHECKPOINT]
    assert own
    assert [bits] not in own


def test_a_plan_for_what_was_measured_says_so(fit):
    found = of(fit, measured=points((5.0, 0.02), loss_se=0.001), bits=(5,))
    assert found.picks == ()
    assert found.sentence().startswith(
        "The degradation of 100M parameters on 10B tokens quantized to 5 bits was measured on this very checkpoint "
        "(0.02 nats/token at 5 bits"
    )
    assert found.sd == pytest.approx(0.001 / 0.02, rel=0.05)
    finding = next(finding for finding in found.findings if finding.code == "plan.measured")
    assert finding.status is Status.PASS
    assert found.to_dict()["measured"].startswith("0.02 nats/token")
    below = of(fit, measured=points((5.0, 0.5)), bits=(5, 4, 3))
    assert below.picks == ()  # 5 bits are not safe, so fewer are out of the question
    above = of(fit, measured=points((4.0, 0.5)), bits=(5, 4, 3))
    assert above.quantity.endswith("quantized to 5 bits")
    assert above.picks


def test_a_fitted_run_in_place_of_sizes(fit):
    run = fit.rows.loc[fit.rows["bits_post"].notna(), "run_id"].iloc[0]
    found = plan(fit, "ptq", run_id=run, budget=1e17, bits=(4.5, 3.5))
    assert found.picks[0].inputs["run_id"] == run
    assert found.quantity.startswith(f"the degradation of run {run} (")
    own = [one for one in found.offered if one.inputs.get("run_id") == run]
    assert len(own) == 2
    logged = sorted(fit.rows.loc[(fit.rows["run_id"] == run), "bits_post"].dropna())
    settled = plan(fit, "ptq", run_id=run, budget=1e17, bits=logged)
    assert settled.picks == ()
    assert settled.measured
    with pytest.raises(InputError, match="run_id says n_params, tokens already"):
        plan(fit, "ptq", run_id=run, **MODEL, budget=1e17)
    with pytest.raises(InputError, match="is no run of the fit"):
        plan(fit, "ptq", run_id="none", budget=1e17)
    with pytest.raises(InputError, match="degradation is a loss less that of the same checkpoint"):
        plan(fit, "ptq", **MODEL, measured=points((4.0, 0.02)), budget=1e17)


def test_under_several_laws(fit):
    other = replace(fit, law=replace(fit.law, name="another"))
    question = MODEL | {"budget": 1e17, "loss": LOSS, "measured": points((4.0, 0.02))}
    across = plan_across((fit, other), "ptq", **question)
    assert across.stack.picks[0].inputs["run_id"] == CHECKPOINT
    assert {answer.quantity for answer in across.by_law.values()} == {across.stack.quantity}


def test_candidates_of_ones_own_that_are_not_quantized_tell_nothing(fit):
    found = of(fit, candidates=points_frame(n_params=[5e7], tokens=1e9), budget=1e19)
    assert found.picks == ()
    advice = next(finding.advice for finding in found.findings if finding.code == "plan.nothing")
    assert "bits_post" in advice
