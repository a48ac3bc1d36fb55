"""What each figure shows, in one sentence with its numbers."""

import numpy as np
import pandas as pd

from bitlaw.decisions.intervals import interval_of, interval_text, nats_text
from bitlaw.decisions.plan_decision import PlanDecision
from bitlaw.decisions.post_training_decision import PostTrainingDecision
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.inference.draws import law_parameters, loss_draws
from bitlaw.inference.fit import Fit
from bitlaw.inference.levels import NEW_LEVEL
from bitlaw.reporting.curves import PROB, penalty_band, points_like
from bitlaw.reporting.figures.penalty_against_bits import KINDS, measured_kinds
from bitlaw.reporting.observed import most_common, shown_group, token_range, trained_rows
from bitlaw.reporting.shrinkage import APART
from bitlaw.reporting.words import bits_text, joined, precision_text, range_text, share_text, symbol
from bitlaw.units import LOSS_UNIT, Interval, decimals_for, format_count, format_probability

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
        f"At 16 bits and {format_count(size)} parameters{shown_group(fit)} the law's loss falls from "
        f"{fewer:.3f} at {format_count(lo)} tokens to {more:.3f} at {format_count(hi)}: by "
        f"{interval_text(fall)}."
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
        f"Training in {bits_text(bits)} instead of 16 adds to the loss of "
        f"{format_count(largest['n_params'])} parameters on {format_count(largest['tokens'])} "
        f"tokens{shown_group(fit)}, in {LOSS_UNIT} (median, 90 % ETI): {joined(parts)}."
    )


def degradation_against_tokens(fit: Fit) -> str:
    """What doubling tokens, and ten times the parameters, does to the degradation."""
    p = law_parameters(fit, points_like(fit, n_params=1.0, tokens=1.0))
    doubling = interval_of(2.0 ** p["gamma_D"][:, 0], PROB)
    tenfold = interval_of(10.0 ** -p["gamma_N"][:, 0], PROB)
    return (
        f"Training on twice the tokens multiplies the degradation{shown_group(fit)} by {doubling}; ten "
        f"times the parameters multiply it by {tenfold}."
    )


def degradation_against_bits(fit: Fit) -> str:
    """What a bit less does to the degradation, and how far that differs between methods."""
    name = next(name for name in ("gamma_post", "gamma_P") if name in fit.posterior)
    draws = fit.draws(name)
    factor = np.exp(1.0 / draws) if name == "gamma_post" else 2.0**draws
    methods = len(fit.levels("method_post"))
    over = f", the common value of {methods} methods" if methods > 1 else ""
    step = "Each bit more divides" if name == "gamma_post" else "Twice the bits divide"
    return f"{step} the degradation by {interval_of(factor, PROB)}{over}."


def formats(table: pd.DataFrame) -> str:
    """The formats that keep the most and the least."""
    parts = []
    for factor, own in table[table["format"] != NEW_LEVEL].groupby("factor", sort=False):
        what = "parameters" if factor == "eff_N" else "tokens"
        ends = [own.iloc[0]] if len(own) == 1 else [own.iloc[0], own.iloc[-1]]
        said = [f"{one['format']} {interval_of_row(one)}" for one in ends]
        most = f"the most {what} effective is {said[0]}"
        least = f", the one that leaves the least {said[1]}" if len(said) > 1 else ""
        parts.append(f"Of {len(own)} formats the one that leaves {most}{least}")
    return f"{'; '.join(parts)}."


def interval_of_row(row: pd.Series) -> Interval:
    """The interval in the columns ``median``, ``lo`` and ``hi``."""
    return Interval(float(row["median"]), float(row["lo"]), float(row["hi"]), PROB)


def shrinkage(table: pd.DataFrame, column: str) -> str:
    """Which constants the data tell the groups of a column apart in, and which they do not."""
    own = table[table["column"] == column]
    constants = own.drop_duplicates("name").sort_values("separation", ascending=False, kind="stable")
    what = f"the {own['group'].nunique()} {_GROUPS.get(column, f'groups of {column}')}"
    said = [_spread(one) for one in constants.to_dict("records")]
    count = int((constants["separation"] > APART).sum())
    apart, alike = said[:count], said[count:]
    if not apart:
        return f"The data do not tell {what} apart; they come closest in {joined(alike[:2])}."
    more = f", and in {count - 3} more" if count > 3 else ""
    little = f", but not in {joined(alike[:2])}" if alike else ""
    return f"The data tell {what} apart in {joined(apart[:3])}{more}{little}."


_GROUPS = {"corpus": "corpora", "family": "families", "method_post": "methods of quantizing after training"}


def _spread(one: dict) -> str:
    """A constant with the spread between its groups, in percent where that is of its logarithm."""
    ends = [one["spread"], one["spread_lo"], one["spread_hi"]]
    percent = [100.0 * float(np.expm1(end)) for end in ends] if one["scale"] else ends
    unit = " %" if one["scale"] else ""
    digits = decimals_for(percent[1], percent[2])
    median, lo, hi = (f"{end:.{digits}f}" for end in percent)
    return f"{symbol(one['name'])} (spread {median}{unit}, 90 % ETI {lo} to {hi}{unit})"


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
        f"constants; they say least about {joined(least)}."
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
            f"of a new run, with a median miss of {miss:.2g} % of the loss"
        )
    return f"{'; '.join(parts)}."


def precision_options(fixed: PrecisionDecision | None, free: PrecisionDecision | None) -> str:
    """The answers, and what the others risk."""
    parts = []
    if fixed is not None:
        within = [
            f"{precision_text(option.key)} {format_probability(option.probability_within or 0.0)}"
            for option in fixed.options
            if option.bits < 16
        ]
        parts.append(
            "With parameters and tokens fixed, the probability of staying within "
            f"{fixed.question.tolerance:g} {LOSS_UNIT} of 16 bits: {', '.join(within)}."
        )
    if free is not None and free.best is not None:
        best = free.option(free.best)
        parts.append(
            f"With compute fixed, {precision_text(best.key)} is best with probability "
            f"{format_probability(best.probability_best)} and has an expected regret of "
            f"{nats_text(best.expected_regret)} {LOSS_UNIT}."
        )
    return " ".join(parts)


def next_runs(plan: PlanDecision) -> str:
    """What the plan costs, and what it is expected to leave."""
    if plan.measured:
        return f"{plan.quantity[:1].upper()}{plan.quantity[1:]} was measured: no run is needed to know it."
    if not plan.picks:
        number = len(plan.offered)
        within = f"{number} candidates within {plan.cost_text(plan.budget.flops)}"
        return f"None of {within} is expected to narrow {plan.quantity}."
    runs = "One run" if len(plan.picks) == 1 else f"{len(plan.picks)} runs"
    return (
        f"{runs} for {plan.cost_text(plan.spent)} {'is' if len(plan.picks) == 1 else 'are'} expected to bring the "
        f"standard deviation of {plan.quantity} from {plan.sd_text(plan.sd)} to {plan.sd_text(plan.sd_after)}."
    )


def post_training_options(decision: PostTrainingDecision) -> str:
    """The probability of staying within tolerance at each bit-width."""
    safe = [
        f"{bits_text(option.bits_post)} {format_probability(option.probability_safe)}"
        for option in decision.options
    ]
    return (
        f"The probability that quantizing after training costs at most {decision.tolerance:g} {LOSS_UNIT}: "
        f"{', '.join(safe)}."
    )
