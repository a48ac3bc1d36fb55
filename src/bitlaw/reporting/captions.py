"""What each figure shows, in one sentence with its numbers."""

import numpy as np
import pandas as pd

from bitlaw.decisions.intervals import interval_of, interval_text, nats_text
from bitlaw.decisions.post_training_decision import PostTrainingDecision
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.inference.draws import loss_draws
from bitlaw.inference.fit import Fit
from bitlaw.reporting.curves import PROB, penalty_band, points_like
from bitlaw.reporting.figures.penalty_against_bits import KINDS, measured_kinds
from bitlaw.reporting.observed import most_common, token_range, trained_rows
from bitlaw.reporting.words import joined, range_text, share_text, symbol
from bitlaw.units import LOSS_UNIT, Interval, format_bits, format_count, format_probability

_HALF = 0.5


def data_and_fit(fit: Fit) -> str:
    """How far the loss falls with tokens at the most logged size."""
    trained = trained_rows(fit)
    size = float(most_common(trained["n_params"], np.nan))  # type: ignore[arg-type]
    lo, hi = token_range(trained)
    mean = loss_draws(fit, points_like(fit, n_params=size, tokens=[lo, hi])).mean
    fewer, more = (np.median(mean[:, index]) for index in (0, 1))
    fall = interval_of(mean[:, 0] - mean[:, 1], PROB, LOSS_UNIT)
    return (
        f"At 16 bits and {format_count(size)} parameters the law's loss falls from {fewer:.3f} at "
        f"{format_count(lo)} tokens to {more:.3f} at {format_count(hi)}: by {interval_text(fall)}."
    )


def penalty_against_bits(fit: Fit) -> str:
    """What 4 bits (or the fewest logged, if more) cost, tensor kind by tensor kind."""
    largest = fit.largest_run()
    kinds = measured_kinds(fit)
    bits = max(4.0, max(fewest for fewest in kinds.values()))
    parts = []
    for name in kinds:
        law = penalty_band(fit, largest["n_params"], largest["tokens"], KINDS[name], np.array([bits]))
        interval = Interval(float(law.median[0]), float(law.lo[0]), float(law.hi[0]))
        parts.append(f"{range_text(interval)} for {name}")
    return (
        f"Training in {format_bits(bits)} bits instead of 16 adds to the loss of "
        f"{format_count(largest['n_params'])} "
        f"parameters on {format_count(largest['tokens'])} tokens, in {LOSS_UNIT} (median, 90 % ETI): "
        f"{joined(parts)}."
    )


def degradation_against_tokens(fit: Fit) -> str:
    """What doubling tokens, and ten times the parameters, does to the degradation."""
    doubling = interval_of(2.0 ** fit.draws("gamma_D"), PROB)
    tenfold = interval_of(10.0 ** -fit.draws("gamma_N"), PROB)
    return (
        f"Training on twice the tokens multiplies the degradation by {doubling}; ten times the parameters "
        f"multiply it by {tenfold}."
    )


def posterior_against_prior(constants: pd.DataFrame) -> str:
    """How many constants the data narrowed, and which the least."""
    own = constants[constants["kind"] == "constant"].sort_values("contraction")
    narrowed = int((own["contraction"] > _HALF).sum())
    least = [
        f"{symbol(name)} ({share_text(value)})"
        for name, value in own[["name", "contraction"]].head(3).to_numpy()
    ]
    return (
        f"The data took away more than half of the prior's variance for {narrowed} of {len(own)} "
        "constants; they "
        f"say least about {joined(least)}."
    )


def predicted_against_observed(residuals: pd.DataFrame) -> str:
    """How many losses lie in their intervals, and how far the law misses."""
    post = residuals["bits_post"].notna()
    parts = []
    for rows, what in (
        (residuals[~post], "losses as trained"),
        (residuals[post], "losses after quantization"),
    ):
        if rows.empty:
            continue
        inside = int(rows["observed"].between(rows["lo"], rows["hi"]).sum())
        miss = 100.0 * float(rows["residual"].abs().median())
        parts.append(
            f"{inside} of {len(rows)} {what} ({100 * inside / len(rows):.0f} %) lie in the 90 % interval "
            "of a new "
            f"run, with a median miss of {miss:.2g} % of the loss"
        )
    return f"{'; '.join(parts)}."


def precision_options(fixed: PrecisionDecision | None, free: PrecisionDecision | None) -> str:
    """The answers, and what the others risk."""
    parts = []
    if fixed is not None:
        within = [
            f"{format_bits(option.bits)} bits {format_probability(option.probability_within or 0.0)}"
            for option in fixed.options
            if option.bits < 16
        ]
        parts.append(
            "With parameters and tokens fixed, the probability of staying within "
            f"{fixed.question.tolerance:g} "
            f"{LOSS_UNIT} of 16 bits: {', '.join(within)}."
        )
    if free is not None and free.best is not None:
        best = free.option(free.best)
        parts.append(
            f"With compute fixed, {format_bits(best.bits)} bits is best with probability "
            f"{format_probability(best.probability_best)} and has an expected regret of "
            f"{nats_text(best.expected_regret)} {LOSS_UNIT}."
        )
    return " ".join(parts)


def post_training_options(decision: PostTrainingDecision) -> str:
    """The probability of staying within tolerance at each bit-width."""
    safe = [
        f"{format_bits(option.bits_post)} bits {format_probability(option.probability_safe)}"
        for option in decision.options
    ]
    return (
        f"The probability that quantizing after training costs at most {decision.tolerance:g} {LOSS_UNIT}: "
        f"{', '.join(safe)}."
    )
