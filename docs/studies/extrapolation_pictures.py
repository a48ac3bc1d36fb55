"""The figures of the study on extrapolation."""

from typing import Any

import numpy as np
from drifts import SHIPPED
from extrapolation_numbers import COMMON, DRIFT, FIRST, NO_DRIFT, Draws
from forecasts import COUPLED, HeldOut
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from penalty_drift import SPREAD, Errors
from penalty_drift import STATED as STATED_PENALTY
from penalty_splits import DISTANCES, RATIO

from bitlaw.criticism.fold_scores import PROB, PROBS
from bitlaw.reporting.style import DEFAULT_STYLE as STYLE
from bitlaw.reporting.style import drawing

_DPI = 140
_ORDER = (DRIFT, NO_DRIFT, "chinchilla", COMMON, FIRST)
_PALE = 0.35
_BAR, _THIN, _PANEL = 3.6, 0.4, 70.0
"""Points: widest bar with drift, the share of it without, and what the bars of a panel share in the fan chart."""
_SHOWN = 0.5
"""Share of the runs that is fitted in the fan chart."""


def figures(
    held_out: tuple[HeldOut, ...], draws: dict[str, Draws], errors: list[Errors], numbers: dict[str, Any]
) -> dict[str, Figure]:
    """Every figure by file name."""
    return {
        "extrapolation_coverage.png": coverage(numbers),
        "extrapolation_ratios.png": score_ratios(numbers),
        "extrapolation_errors.png": errors_against_distance(held_out),
        "extrapolation_fans.png": fans(held_out, draws),
        "extrapolation_penalty.png": penalties(errors),
    }


def coverage(numbers: dict[str, Any]) -> Figure:
    """Coverage against nominal, with its interval over tables."""
    rows = {row["competitor"]: row for row in numbers["over_tables"]}
    with drawing(STYLE):
        drawn = _figure(3.2)
        axis = drawn.subplots()
        axis.plot([40, 100], [40, 100], color=STYLE.quiet, linewidth=0.9)
        for shift, name, colour, marker in zip(
            (-1.2, -0.6, 0.0, 0.6, 1.2), _ORDER, STYLE.colours, STYLE.markers, strict=False
        ):
            found = [rows[name][f"coverage_{100 * prob:.0f}"] for prob in PROBS]
            middle = 100 * np.array([one["mean"] for one in found])
            ends = 100 * np.array([[one["mean"] - one["lo"], one["hi"] - one["mean"]] for one in found]).T
            axis.errorbar(
                100 * np.array(PROBS) + shift, middle, yerr=ends, fmt=marker, color=colour, label=name
            )
        axis.set_xlabel("nominal probability, %")
        axis.set_ylabel("held-out runs inside, %")
        axis.xaxis.set_major_locator(FixedLocator([100 * prob for prob in PROBS]))
        drawn.legend(loc="outside upper left", ncols=3)
    return drawn


def score_ratios(numbers: dict[str, Any]) -> Figure:
    """Scores of the law with drift over those of others, table by table."""
    with drawing(STYLE):
        drawn = _figure(3.2)
        axes = list(drawn.subplots(1, 2, sharex=True, sharey=True).flat)
        tables = list(numbers["ratios"][NO_DRIFT]["crps"]["by_table"])
        for axis, score, title in zip(
            axes, ("crps", "interval_score"), ("CRPS", "interval score"), strict=True
        ):
            for shift, other, colour, marker in zip(
                (-0.12, 0.12), (NO_DRIFT, COMMON), STYLE.colours[1:], STYLE.markers, strict=False
            ):
                found = numbers["ratios"][other][score]
                where = [tables.index(table) + shift for table in found["by_table"]]
                label = f"over {other}"
                axis.plot(list(found["by_table"].values()), where, marker, color=colour, label=label)
                axis.axvline(found["mean"], color=colour, linewidth=0.9, linestyle="--")
            axis.axvline(1.0, color=STYLE.quiet, linewidth=0.9)
            axis.set_xscale("log")
            axis.xaxis.set_major_locator(FixedLocator([0.2, 0.5, 1, 2]))
            axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.xaxis.set_minor_locator(NullLocator())
            axis.set_title(title)
            axis.set_yticks(range(len(tables)), tables)
            axis.grid(axis="y", visible=False)
        axes[0].invert_yaxis()
        drawn.supxlabel(
            f"score of {DRIFT} over that of another; dashed: geometric mean", fontsize=STYLE.small
        )
        drawn.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return drawn


def errors_against_distance(held_out: tuple[HeldOut, ...]) -> Figure:
    """Errors of the median against the distance from the fitted sizes, and the drift as shipped."""
    with drawing(STYLE):
        drawn = _figure(3.2)
        axis = drawn.subplots()
        tables = list(dict.fromkeys(one.table for one in held_out))
        for number, table in enumerate(tables):
            own = [one for one in held_out if one.table == table]
            distance = np.concatenate([np.linalg.norm(one.vector, axis=1) for one in own])
            error = np.concatenate(
                [one.measured - np.median(one.laws[COUPLED].location, axis=0) for one in own]
            )
            colour = STYLE.colours[number % len(STYLE.colours)]
            marker = STYLE.markers[number // len(STYLE.colours) % len(STYLE.markers)]
            axis.plot(distance, 100 * error, marker, color=colour, markersize=3.2, alpha=0.7, label=table)
        along = np.linspace(0, axis.get_xlim()[1], 100)
        rng = np.random.default_rng(0)
        shift = (
            SHIPPED.scale * np.exp(SHIPPED.spread * rng.standard_normal(20_000)) * rng.standard_normal(20_000)
        )
        half = np.quantile(np.abs(shift), 0.9) * np.sqrt(along)
        axis.fill_between(along, -100 * half, 100 * half, color=STYLE.quiet, alpha=0.2, linewidth=0)
        axis.axhline(0.0, color=STYLE.quiet, linewidth=0.9)
        axis.set_xlabel("distance from the hull of the fitted sizes, decades (band: 90 % of the drift alone)")
        axis.set_ylabel("measured less predicted\nlog loss, x100")
        drawn.legend(loc="outside upper left", ncols=4)
    return drawn


def fans(held_out: tuple[HeldOut, ...], drawn_by: dict[str, Draws]) -> Figure:
    """Each table's held-out runs against intervals with and without drift, about the predicted median."""
    own = [one for one in held_out if f"{100 * _SHOWN:.0f} %" in one.label] or list(held_out)
    columns = 4
    with drawing(STYLE):
        drawn = _figure(4.6)
        axes = list(drawn.subplots(-(-len(own) // columns), columns, squeeze=False).flat)
        for axis, one in zip(axes, own, strict=False):
            order = np.argsort(one.compute_ratio)
            posterior = one.laws[COUPLED]
            middle = np.median(posterior.location, axis=0)
            room = min(_BAR, _PANEL / len(order))
            for name, colour, width in (
                (DRIFT, STYLE.colours[0], room),
                (NO_DRIFT, STYLE.colours[1], _THIN * room),
            ):
                draws = drawn_by[name](one)
                if draws is None:
                    continue
                lo, hi = 100 * (np.quantile(draws, [0.05, 0.95], axis=0) - middle)
                alpha = _PALE if name == DRIFT else 1.0
                label = f"90 %, {name}"
                axis.vlines(
                    np.arange(len(order)), lo[order], hi[order], color=colour, linewidth=width, alpha=alpha,
                    label=label,
                )  # fmt: skip
            axis.plot(
                100 * (one.measured - middle)[order], "o", color=STYLE.ink, markersize=1.8, label="measured"
            )
            axis.set_title(one.table, fontsize=8)
            axis.set_xticks([])
        for axis in axes[len(own) :]:
            axis.set_visible(False)
        drawn.supylabel("log loss less the predicted median, x100", fontsize=STYLE.small)
        drawn.supxlabel("held-out runs, by compute", fontsize=STYLE.small)
        widest = axes[min(range(len(own)), key=lambda number: len(own[number].measured))]
        drawn.legend(*widest.get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return drawn


def penalties(errors: list[Errors]) -> Figure:
    """Errors of ln δ against either distance beyond the rows that have the penalty, and the stated drift."""
    rng = np.random.default_rng(0)
    shift = STATED_PENALTY * np.exp(SPREAD * rng.standard_normal(20_000)) * rng.standard_normal(20_000)
    half = np.quantile(np.abs(shift), PROB)
    with drawing(STYLE):
        drawn = _figure(3.6)
        axes = list(drawn.subplots(1, len(DISTANCES), sharex=True, sharey=True).flat)
        tables = list(dict.fromkeys(one.split.table for one in errors))
        directions = list(dict.fromkeys(one.split.direction for one in errors))
        for axis, distance in zip(axes, DISTANCES, strict=True):
            for one in errors:
                jitter = rng.uniform(-0.03, 0.03, len(one.error))
                axis.plot(
                    np.sqrt(one.beyond[distance]) + jitter, one.error,
                    STYLE.markers[directions.index(one.split.direction)],
                    color=STYLE.colours[tables.index(one.split.table)],
                    markersize=3.0, alpha=0.6, label=f"{one.split.table}, {one.split.direction}",
                )  # fmt: skip
            along = np.linspace(0, axis.get_xlim()[1], 50)
            axis.fill_between(along, -half * along, half * along, color=STYLE.quiet, alpha=0.2, linewidth=0)
            axis.axhline(0.0, color=STYLE.quiet, linewidth=0.9)
            axis.set_title(f"decades of {'D/N' if distance == RATIO else 'size'}")
        axes[0].set_ylabel("ln(measured / predicted penalty)")
        drawn.supxlabel(
            "√(decades + bits beyond the rows with the penalty); band: 90 % of the drift alone",
            fontsize=STYLE.small,
        )
        drawn.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=4)
    return drawn


def _figure(height: float) -> Figure:
    return Figure(figsize=(STYLE.width, height), dpi=_DPI, layout="constrained")
