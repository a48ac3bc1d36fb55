"""Where a budget is best spent, in parameters and tokens beside the fitted runs, and what each plan loses."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bitlaw.decisions.budget_decision import BudgetDecision
from bitlaw.decisions.budget_option import BudgetOption
from bitlaw.decisions.budget_question import BudgetQuestion
from bitlaw.decisions.costs import tokens_bought
from bitlaw.decisions.reoptimise import sizes_at
from bitlaw.decisions.spending_plans import CandidatePlan
from bitlaw.inference.fit import Fit
from bitlaw.inference.hull import convex_hull
from bitlaw.reporting.style import DEFAULT_STYLE, Style, count_ticks, drawing, log_counts, padded
from bitlaw.reporting.words import precision_text
from bitlaw.units import LOSS_UNIT, Interval

MOST_PLANS = 6
_MOST_OPTIONS = 3
_WORTH_SHOWING = 0.05
_LINE_DECADES = 0.8
_PLAN, _STAR = 2, 13


def figure(fit: Fit, decision: BudgetDecision, style: Style = DEFAULT_STYLE) -> Figure:
    """The map of sizes, and the losses of the plans on it.

    Parameters
    ----------
    fit
        A fit to the runs, for where they are.
    decision
        The decision.
    style
        The style.
    """
    options, plans = shown_options(decision), decision.plans[:MOST_PLANS]
    rows = len(options) + len(plans) + (decision.more is not None)
    with drawing(style):
        drawn = Figure(
            figsize=(style.width, max(3.7, 0.29 * rows + 1.6)), dpi=style.dpi, layout="constrained"
        )
        left, right = drawn.subplots(1, 2, width_ratios=(1.45, 1.0))
        _map(left, fit, decision, options, plans, style)
        _losses(right, decision, options, plans, style)
        drawn.legend(
            loc="outside upper left",
            ncols=4,
            alignment="left",
            columnspacing=1.2,
            handlelength=1.6,
            borderaxespad=0.0,
        )
    return drawn


def shown_options(decision: BudgetDecision) -> tuple[BudgetOption, ...]:
    """The recommended option and those that may well be best, at most three; of a refused answer the likeliest."""
    ordered = sorted(
        decision.options,
        key=lambda option: (option.key != decision.best, option.refused, -option.probability_best),
    )
    likely = [option for option in ordered[1:] if option.probability_best >= _WORTH_SHOWING]
    return tuple(
        [ordered[0], *(one for one in likely if not one.refused or decision.refused)][:_MOST_OPTIONS]
    )


def _map(
    axis: Axes,
    fit: Fit,
    decision: BudgetDecision,
    options: Sequence[BudgetOption],
    plans: Sequence[CandidatePlan],
    style: Style,
) -> None:
    runs = fit.rows[["n_params", "tokens"]].drop_duplicates().to_numpy(np.float64)
    outline = 10.0 ** convex_hull(fit.hull)
    axis.fill(*outline.T, color=style.quiet, alpha=style.band, linewidth=0)
    axis.plot(*runs.T, "o", color=style.ink, markersize=3.2, label="fitted runs")
    seen = [runs]
    for option, colour in zip(options, _colours(decision, options, style), strict=True):
        line, likely = (_line(decision.question, option, room) for room in (_LINE_DECADES, 0.0))
        axis.plot(*line, color=colour, linewidth=0.9)
        axis.plot(*likely, color=colour, linewidth=4.5, solid_capstyle="butt", label=_option_label(option))
        seen += [np.stack(likely, axis=1), np.array([[option.n_params, option.tokens]])]
    for plan, marker in zip(plans, style.markers * MOST_PLANS, strict=False):
        axis.plot(
            plan.n_params,
            plan.tokens,
            marker,
            color="none" if plan.over_budget or plan.refused else style.colours[_PLAN],
            markeredgecolor=style.colours[_PLAN],
            markersize=6,
        )
        seen.append(np.array([[plan.n_params, plan.tokens]]))
    if decision.best is not None:
        best = decision.option(decision.best)
        axis.plot(
            best.n_params,
            best.tokens,
            "*",
            color=style.colours[0],
            markersize=_STAR,
            markeredgecolor="white",
            label="recommended plan",
        )
    _axes(axis, np.concatenate(seen))


def _axes(axis: Axes, sizes: np.ndarray) -> None:
    axis.set_xscale("log")
    axis.set_yscale("log")
    for which, values, label in (
        (axis.xaxis, sizes[:, 0], "non-embedding parameters N"),
        (axis.yaxis, sizes[:, 1], "training tokens D"),
    ):
        lo, hi = padded(float(values.min()), float(values.max()))
        (axis.set_xlim if which is axis.xaxis else axis.set_ylim)(lo, hi)
        log_counts(which, count_ticks(lo, hi) or (lo, hi))
        which.set_label_text(label)


def _losses(
    axis: Axes,
    decision: BudgetDecision,
    options: Sequence[BudgetOption],
    plans: Sequence[CandidatePlan],
    style: Style,
) -> None:
    rows: list[tuple[str, Interval, str, str, bool]] = [
        (precision_text(option.key), option.loss, colour, "*" if option.key == decision.best else "o", True)
        for option, colour in zip(options, _colours(decision, options, style), strict=True)
    ]
    rows += [
        (
            f"{_short(plan.name)}{' (over)' if plan.over_budget else ''}",
            plan.loss,
            style.colours[_PLAN],
            marker,
            not (plan.over_budget or plan.refused),
        )
        for plan, marker in zip(plans, style.markers * MOST_PLANS, strict=False)
    ]
    if decision.more is not None and not decision.more.refused:
        rows.append((f"{decision.more.factor:g}x budget", decision.more.loss, style.quiet, "o", True))
    for row, (_, loss, colour, marker, filled) in enumerate(rows):
        axis.plot([loss.lo, loss.hi], [row, row], color=colour, linewidth=2.2, solid_capstyle="butt")
        axis.plot(
            [loss.median],
            [row],
            marker,
            color=colour if filled else "white",
            markersize=_STAR if marker == "*" else 7,
            markeredgecolor="white" if filled else colour,
        )
    axis.set_yticks(range(len(rows)), [label for label, *_ in rows])
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.grid(axis="y", visible=False)
    axis.tick_params(axis="y", length=0)
    axis.locator_params(axis="x", nbins=4)
    axis.set_xlabel(f"loss of the plan, {LOSS_UNIT}")


def _line(question: BudgetQuestion, option: BudgetOption, room: float) -> tuple[np.ndarray, np.ndarray]:
    """What the budget buys in an option around its optima, with some decades of tokens to spare."""
    product = float(tokens_bought(question.flops, 1.0, option.cost))
    served = float(tokens_bought(question.served(option.cost), 1.0, option.cost))
    ends = [option.best_tokens.hi * 10.0**room, option.best_tokens.lo * 10.0**-room]
    ends = ends if np.isfinite(ends).all() else [option.tokens * 10.0**room, option.tokens * 10.0**-room]
    return sizes_at(np.log(product / np.geomspace(ends[0], ends[1], 60)), product, served)


def _colours(decision: BudgetDecision, options: Sequence[BudgetOption], style: Style) -> list[str]:
    others = iter((style.colours[1], style.colours[3], style.colours[4]))
    return [style.colours[0] if option.key == decision.best else next(others) for option in options]


def _option_label(option: BudgetOption) -> str:
    return f"optimum in {precision_text(option.key)}, {100 * option.loss.prob:g} %"


def _short(name: str) -> str:
    return name if len(name) <= 14 else f"{name[:13]}…"
