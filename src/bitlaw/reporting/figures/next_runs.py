"""Which runs to log next: what is left unknown as they are logged, and where they lie among the candidates."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bitlaw.decisions.plan_decision import PlanDecision
from bitlaw.reporting.style import DEFAULT_STYLE, Style, drawing, log_counts, padded
from bitlaw.units import LOSS_UNIT

_MOST_NUMBERED = 9
_APART = 4.0
"""Percent of the budget between picks whose numbers can be told apart."""
_LARGEST, _SMALLEST = 130.0, 6.0
_UNITS = {
    "loss": (100.0, "% of the loss"),
    "optimum": (1.0, LOSS_UNIT),
    "ptq": (100.0, "% of the degradation"),
}


def figure(plan: PlanDecision, rows: pd.DataFrame, style: Style = DEFAULT_STYLE) -> Figure:
    """The expected standard deviation against compute spent, and the candidates by size.

    Parameters
    ----------
    plan
        The plan.
    rows
        Fitted rows.
    style
        The style.
    """
    with drawing(style):
        drawn = Figure(figsize=(style.width, 3.5), dpi=style.dpi, layout="constrained")
        left, right = drawn.subplots(1, 2)
        _spending(left, plan, style)
        _map(right, plan, rows, style)
        handles, labels = right.get_legend_handles_labels()
        drawn.legend(
            handles, labels, loc="outside upper left", ncols=4, columnspacing=1.2, handletextpad=0.3,
            borderaxespad=0.0,
        )  # fmt: skip
    return drawn


def _spending(axis: Axes, plan: PlanDecision, style: Style) -> None:
    scale, unit = _UNITS[plan.decision]
    spent = np.array([0.0, *(100.0 * pick.spent / plan.budget.flops for pick in plan.picks)])
    left = scale * np.array([plan.sd, *(pick.sd_after for pick in plan.picks)])
    axis.step([*spent, 100.0], [*left, left[-1]], where="post", color=style.colours[0])
    axis.plot(spent[1:], left[1:], linestyle="", marker="o", color=style.colours[0])
    last = -np.inf
    for number, (x, y) in enumerate(zip(spent[1:], left[1:], strict=True)):
        if number < _MOST_NUMBERED and x - last > _APART:
            _number(axis, number, float(x), float(y), style)
            last = float(x)
    if plan.offered:
        _all_candidates(axis, plan, scale, style)
    axis.set_ylim(0.0, 1.12 * float(left[0]) if left[0] > 0 else 1.0)
    axis.set_xlabel(f"spent, % of {plan.cost_text(plan.budget.flops)}")
    axis.set_title(f"expected SD, {unit}")


def _all_candidates(axis: Axes, plan: PlanDecision, scale: float, style: Style) -> None:
    """What all candidates would leave."""
    axis.axhline(scale * plan.sd_all, color=style.ink, linewidth=1.0, linestyle=(0, (4, 3)))
    axis.annotate(
        f"all {len(plan.offered)} candidates",
        (0.0, scale * plan.sd_all),
        xytext=(3, -4),
        textcoords="offset points",
        va="top",
        fontsize=style.small,
        color=style.quiet,
    )


def _map(axis: Axes, plan: PlanDecision, rows: pd.DataFrame, style: Style) -> None:
    sizes = np.array([[one.inputs["n_params"], one.inputs["tokens"]] for one in plan.offered]).reshape(-1, 2)
    share = np.array([one.share for one in plan.offered])
    runs = rows.drop_duplicates("run_id")
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.plot(runs["n_params"], runs["tokens"], linestyle="", marker="x", color=style.quiet, markersize=4.0,
              label="logged")  # fmt: skip
    area = _SMALLEST + (_LARGEST - _SMALLEST) * share / max(float(share.max(initial=0.0)), 1e-12)
    axis.scatter(sizes[:, 0], sizes[:, 1], s=area, color=style.colours[5], alpha=0.6, linewidth=0.0,
                 label="candidate, by what it removes" if len(sizes) else None)  # fmt: skip
    picked = sizes[[pick.candidate for pick in plan.picks]] if plan.picks else np.zeros((0, 2))
    axis.plot(
        picked[:, 0],
        picked[:, 1],
        linestyle="",
        marker="o",
        color=style.colours[0],
        markeredgecolor="white",
        label="pick" if plan.picks else None,
    )
    first = {tuple(place): number for number, place in reversed(list(enumerate(picked)))}
    for place, number in first.items():
        if number < _MOST_NUMBERED:
            _number(axis, number, place[0], place[1], style)
    asked = np.array(plan.asked)
    axis.plot(asked[:, 0], asked[:, 1], linestyle="", marker="*", markersize=10.0, color=style.colours[1],
              label="asked about")  # fmt: skip
    every = np.concatenate([sizes, asked, runs[["n_params", "tokens"]].to_numpy(np.float64)])
    for which, limits, column in ((axis.xaxis, axis.set_xlim, 0), (axis.yaxis, axis.set_ylim, 1)):
        lo, hi = float(every[:, column].min()), float(every[:, column].max())
        limits(*padded(lo, hi))
        log_counts(which, np.geomspace(lo, hi, 40) if hi > lo else [lo], most=4)
    axis.set_xlabel("parameters")
    axis.set_title("tokens")


def _number(axis: Axes, number: int, x: float, y: float, style: Style) -> None:
    axis.annotate(
        f"{number + 1}",
        (x, y),
        xytext=(4, 4),
        textcoords="offset points",
        fontsize=style.small,
        color=style.ink,
    )
