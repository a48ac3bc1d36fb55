"""Which training precision: every draw's exact optimum over the options on offer."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from bitlaw.decisions.caveats import caveats, guessing, one_law_finding
from bitlaw.decisions.chip_offer import chip_offer
from bitlaw.decisions.groups import group_columns
from bitlaw.decisions.hardware_findings import hardware_findings
from bitlaw.decisions.law_draws import points_of, require_own_loss, require_training_term
from bitlaw.decisions.on_offer import OnOffer, default_offer, default_tensors, on_offer
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.decisions.precision_draws import PrecisionDraws, precision_draws
from bitlaw.decisions.precision_summary import summarise
from bitlaw.decisions.question import TENSORS, PrecisionQuestion, largest_first
from bitlaw.decisions.risk import evidence_of, refusal
from bitlaw.decisions.spending import Price, budget_of, pricing_of
from bitlaw.decisions.support import precision_risk, supported_options
from bitlaw.inference.fit import Fit


def optimum(
    fit: Fit,
    *,
    flops: float | None = None,
    gpu_hours: float | None = None,
    money: float | None = None,
    n_params: float | None = None,
    tokens: float | None = None,
    hardware: str | None = None,
    speeds: str | Path | Mapping[str, Mapping[str, float]] | None = None,
    price: Price | None = None,
    gpus: int | None = None,
    bits: Sequence[float] | None = None,
    formats: Sequence[str] | None = None,
    group_size: float | None = None,
    tensors: Sequence[str] | None = None,
    tolerance: float = 0.01,
    near: float | None = None,
    prob: float = 0.9,
    group: str | None = None,
    seed: int | None = None,
    drift: bool = True,
) -> PrecisionDecision:
    """Decide on a training precision.

    Three questions: a budget alone (parameters, tokens and precision are free); ``n_params`` and a budget
    (each option trains on the tokens the budget buys); ``n_params`` and ``tokens`` (more bits never lose, so
    the cheapest option within ``tolerance`` of 16 bits). The cost is (6/16) N D P of arXiv 2411.04330, or on
    a chip 6 N D in proportion to the time a FLOP takes there.

    Parameters
    ----------
    fit
        The fit.
    flops, gpu_hours, money
        The budget, one of them: FLOP at 16 bits, hours on ``hardware``, or money at ``price``.
    n_params, tokens
        What is fixed besides: one of the three combinations above.
    hardware
        Chip of the hardware table (``bitlaw.decisions.hardware.chip_names``) that decides what is on offer and
        what it costs; None for a cost in proportion to bits.
    speeds
        Measured end-to-end speeds, a TOML file or a mapping (``load_speeds``); they come before peaks.
    price
        Money per GPU-hour; or of every chip its own, by its name.
    gpus
        How many of the chip train at once, for the wall-clock time.
    bits
        Joint training bits on offer; fractions are allowed. Without ``bits`` and ``formats``: 16, 8,
        6, 5, 4 and 3, or for a law that knows formats only the fitted ones and 16 bits; on a chip, what it
        runs (``chip_offer``).
    formats
        Number formats on offer: what runs of the table were trained in, by their label, or a name
        such as ``mxfp4``. They cost their effective bits, the scales of their blocks included; as
        logged, those of the wider operand of a multiplication.
    group_size
        Elements that share one scale, for laws that read it; by default what all quantized runs of the
        table share.
    tensors
        Tensor kinds trained at these bits, of ``weights``, ``activations``, ``kv`` and ``gradients``;
        the others stay at 16. By default those of the first three that the table quantizes. A cost in
        proportion to bits is so whichever they are; a chip multiplies in the wider of weights and activations.
    tolerance
        Acceptable loss above the 16-bit run where both sizes are fixed, nats/token.
    near
        Expected regret of a near-optimal option, nats/token; by default 1 % of the median
        reducible loss of the best option, or ``tolerance`` where both sizes are fixed.
    prob
        Probability inside every interval.
    group
        Group of a pooled fit.
    seed
        Recorded with the decision; nothing is drawn at random here. By default the fit's.
    drift
        Include the law's structural error beyond the data in losses, regret and probabilities.
        Parameters and tokens are chosen by the law itself (see ``precision_draws``).

    Raises
    ------
    InputError
        For an invalid question, a law without a term for training precision or for an option, a format
        it was not fitted to, a missing group, an unknown chip, a precision it does not run, or a budget that
        trains no model.
    """
    question = precision_question(
        (fit,),
        flops=flops,
        gpu_hours=gpu_hours,
        money=money,
        n_params=n_params,
        tokens=tokens,
        hardware=hardware,
        speeds=speeds,
        price=price,
        gpus=gpus,
        bits=bits,
        formats=formats,
        group_size=group_size,
        tensors=tensors,
        tolerance=tolerance,
        near=near,
        prob=prob,
        group=group,
    )
    offer = on_offer(question, (fit,))
    seed = fit.provenance.seed if seed is None else seed
    posterior, prior = (precision_draws(fit, question, offer, under, drift) for under in (False, True))
    decision = decide(fit, question, offer, posterior, prior, seed)
    return replace(decision, findings=(*decision.findings, one_law_finding()))


def precision_question(
    fits: Sequence[Fit],
    *,
    flops: float | None = None,
    gpu_hours: float | None = None,
    money: float | None = None,
    n_params: float | None = None,
    tokens: float | None = None,
    hardware: str | None = None,
    speeds: str | Path | Mapping[str, Mapping[str, float]] | None = None,
    price: Price | None = None,
    gpus: int | None = None,
    bits: Sequence[float] | None = None,
    formats: Sequence[str] | None = None,
    group_size: float | None = None,
    tensors: Sequence[str] | None = None,
    tolerance: float = 0.01,
    near: float | None = None,
    prob: float = 0.9,
    group: str | None = None,
    needs_term: bool = True,
) -> PrecisionQuestion:
    """The question to put to fits of the same rows, with what is on offer; arguments as for ``optimum``.

    Without ``needs_term`` a law may have no term for training precision: 16 bits are on offer where none has.
    """
    for fit in fits:
        (require_training_term if needs_term else require_own_loss)(fit.law)
    pricing = pricing_of(hardware, speeds, price, gpus)
    quantized = default_tensors(fits) if tensors is None else tuple(tensors)
    left_out: tuple[tuple[str, str], ...] = ()
    if bits is None and formats is None:
        if pricing.chip is None or not any(fit.law.training for fit in fits):
            bits, formats = default_offer(fits)
        else:
            known = [name for name in quantized if name in TENSORS]
            bits, formats, left_out = chip_offer(fits, pricing, known, group_size)
    return PrecisionQuestion(
        budget=budget_of(pricing, flops, gpu_hours, money),
        n_params=n_params,
        tokens=tokens,
        bits=largest_first(() if bits is None else bits),
        formats=() if formats is None else tuple(formats),
        group_size=group_size,
        tensors=quantized,
        tolerance=tolerance,
        near=near,
        prob=prob,
        group=group,
        pricing=pricing,
        left_out=left_out,
    )


def decide(
    fit: Fit,
    question: PrecisionQuestion,
    offer: tuple[OnOffer, ...],
    posterior: PrecisionDraws,
    prior: PrecisionDraws,
    seed: int,
) -> PrecisionDecision:
    """The decision under one law from its draws, with its risk, what criticism found, and under its prior."""
    supported = supported_options((fit,), question, offer, posterior)
    decision, under_prior = (
        summarise(fit.law.name, question, offer, draws, supported, fit, seed) for draws in (posterior, prior)
    )
    risk = precision_risk(evidence_of(fit), decision, offer, posterior, prior)
    lowest = min(option.loss.median for option in decision.options)
    findings = caveats(fit, _answer_points(fit, decision, offer))
    findings += guessing(fit, question.group, lowest, "optimum") + hardware_findings(question, offer)
    return replace(decision, findings=findings + refusal(risk), risk=risk, under_prior=under_prior)


def _answer_points(fit: Fit, decision: PrecisionDecision, offer: Sequence[OnOffer]) -> pd.DataFrame:
    """The near-optimal options and the best one, as points at their median sizes.

    Where there is none, as of a refused answer, that with the lowest expected regret.
    """
    wanted = {*decision.near_optimal} | ({decision.best} if decision.best is not None else set())
    wanted = wanted or {min(decision.options, key=lambda option: option.expected_regret).key}
    known = [
        (option, item)
        for option, item in zip(decision.options, offer, strict=True)
        if option.key in wanted and np.isfinite([option.n_params.median, option.tokens.median]).all()
    ]
    return points_of(
        [item for _, item in known],
        [option.n_params.median for option, _ in known],
        [option.tokens.median for option, _ in known],
        group_columns(fit, decision.question.group),
    )
