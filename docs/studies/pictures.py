"""The figures of the study of the law library."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from section import Section

from bitlaw.reporting.figures import shrinkage
from bitlaw.reporting.style import DEFAULT_STYLE as STYLE
from bitlaw.reporting.style import drawing

_DPI = 140
_LINEAR = 0.2
_LINEAR_CORPORA = 5.0
_LIGHT = "#f3c9a8"
_GROWTH = {
    "wide": "families apart, any level",
    "free": "families apart, default width",
    "pooled": "families alike (default)",
    "prior": "prior",
}


def figures(sections: dict[str, Section]) -> dict[str, Figure]:
    """Every figure by file name."""
    corpora = sections["corpora"].shown
    return {
        "quest_qat.png": residuals_by_scheme(sections["quest_qat"]),
        "ptq_tables.png": slopes_and_growth(sections["ptq_tables"]),
        "tiny_sweep.png": support_by_kind(sections["tiny_sweep"].numbers),
        "corpora_constants.png": _resized(shrinkage.figure(corpora["shrinkage"])),
        "corpora_new.png": new_corpora(corpora["predicted"]),
    }


def residuals_by_scheme(section: Section) -> Figure:
    """Each run's residual of log loss by the bits it was trained in, one panel per law."""
    shown: dict[str, pd.DataFrame] = section.shown["residuals"]
    schemes = [row["scheme"] for row in section.numbers["by_scheme"]]
    laws = [name for name in ("bitlaw-default", "kumar2024-coupled", "frantar2025-coupled") if name in shown]
    with drawing(STYLE):
        drawn = _figure(3.2)
        axes = list(drawn.subplots(1, len(laws), sharex=True, sharey=True, squeeze=False).flat)
        for axis, name, colour in zip(axes, laws, STYLE.colours, strict=False):
            labels = section.shown["schemes"]
            for row, scheme in enumerate(schemes):
                own = 100 * shown[name]["of_law"][labels == scheme].to_numpy()
                spread = row + np.linspace(-0.22, 0.22, len(own)) if len(own) > 1 else [row]
                axis.plot(own, spread, "o", color=colour, markersize=4, markeredgecolor="white", alpha=0.85)
                axis.plot([own.mean()] * 2, [row - 0.38, row + 0.38], color=STYLE.ink, linewidth=1.6)
            axis.axvline(0.0, color=STYLE.quiet, linewidth=0.9)
            axis.set_xscale("symlog", linthresh=_LINEAR)
            axis.xaxis.set_major_locator(FixedLocator([-5, -1, -0.2, 0.2, 1, 5]))
            axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.xaxis.set_minor_locator(NullLocator())
            axis.set_title(name)
            axis.set_yticks(range(len(schemes)), schemes)
            axis.grid(axis="y", visible=False)
        axes[0].invert_yaxis()
        axes[len(axes) // 2].set_xlabel(
            "measured loss less the law's, % (logarithmic beyond ±0.2 %); bars are means"
        )
    return drawn


def slopes_and_growth(section: Section) -> Figure:
    """Slope in bits of each method, and what families say about growth with tokens."""
    slopes = [row for row in section.numbers["methods"] if row["constant"] == "gamma_post"]
    growth = {name: section.shown["gamma_D"][name] for name in _GROWTH}
    with drawing(STYLE):
        drawn = _figure(2.9)
        left, right = drawn.subplots(1, 2)
        for row, slope in enumerate(slopes):
            colour = STYLE.ink if slope["method"] == "common value" else STYLE.colours[0]
            _interval(left, row, slope["median"], slope["lo"], slope["hi"], colour)
        left.set_yticks(range(len(slopes)), [f"{slope['method']} ({slope['rows']})" for slope in slopes])
        left.invert_yaxis()
        left.set_xlabel("bits that shrink δ by a factor e")
        left.set_title("γ_post by method (rows)")
        for row, (name, draws) in enumerate(growth.items()):
            lo, median, hi = np.quantile(draws, (0.05, 0.5, 0.95))
            _interval(right, row, median, lo, hi, STYLE.quiet if name == "prior" else STYLE.colours[1])
        right.set_yticks(range(len(growth)), list(_GROWTH.values()))
        right.invert_yaxis()
        right.axvline(0.0, color=STYLE.quiet, linewidth=0.9)
        right.set_xlabel("growth of δ with tokens")
        right.set_title("γ_D, prior and posteriors")
        for axis in (left, right):
            axis.grid(axis="y", visible=False)
    return drawn


def support_by_kind(numbers: dict[str, Any]) -> Figure:
    """Difference of elpd between the two structures, by what a run quantizes in training."""
    rows = {
        "all rows": numbers["all"]["by_kind"]["kumar2024-coupled"],
        "rows as trained": numbers["as_trained"]["by_kind"]["kumar2024-coupled"],
    }
    kinds = [row["kind"] for row in rows["all rows"]]
    with drawing(STYLE):
        drawn = _figure(2.9)
        axis = drawn.subplots()
        for offset, (label, found), colour, marker in zip(
            (-0.13, 0.13), rows.items(), STYLE.colours, STYLE.markers, strict=False
        ):
            where = np.arange(len(found)) + offset
            middle = np.array([row["difference"] for row in found])
            error = 2 * np.array([row["se"] for row in found])
            axis.errorbar(
                middle, where, xerr=error, fmt=marker, color=colour, label=label, elinewidth=1.6, capsize=0
            )
        counts = {row["kind"]: row["runs"] for row in rows["all rows"]}
        axis.set_yticks(range(len(kinds)), [f"{kind} ({counts[kind]})" for kind in kinds])
        axis.invert_yaxis()
        axis.axvline(0.0, color=STYLE.quiet, linewidth=0.9)
        axis.set_xlabel("elpd of the additive penalty less that of effective parameters, nats (± 2 SE)")
        axis.set_ylabel("quantized in training (runs)")
        axis.grid(axis="y", visible=False)
        drawn.legend(loc="outside upper left", ncols=2)
    return drawn


def new_corpora(predicted: dict[str, pd.DataFrame]) -> Figure:
    """Each corpus' losses against 90 % intervals, its runs in the fit and as a corpus never seen."""
    with drawing(STYLE):
        drawn = _figure(3.0)
        axes = list(drawn.subplots(1, len(predicted), sharey=True, squeeze=False).flat)
        for axis, (corpus, own) in zip(axes, predicted.items(), strict=True):
            compute = own["compute"].to_numpy(float)
            centre = own["new_median"].to_numpy(float)
            for name, colour, width in (("new", _LIGHT, 5.0), ("seen", STYLE.colours[0], 3.0)):
                ends = [100 * np.expm1(own[f"{name}_{end}"].to_numpy(float) - centre) for end in ("lo", "hi")]
                axis.vlines(compute, *ends, color=colour, linewidth=width)
            measured = 100 * np.expm1(np.log(own["loss"].to_numpy(float)) - centre)
            axis.plot(compute, measured, "o", color=STYLE.ink, markersize=2.6)
            axis.set_yscale("symlog", linthresh=_LINEAR_CORPORA)
            axis.yaxis.set_major_locator(FixedLocator([-30, -10, -5, 0, 5, 10, 30, 80]))
            axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.yaxis.set_minor_locator(NullLocator())
            axis.set_xscale("log")
            axis.xaxis.set_major_locator(FixedLocator([1e16, 1e18, 1e20, 1e22]))
            axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"1e{np.log10(value):.0f}"))
            axis.xaxis.set_minor_locator(NullLocator())
            axis.set_title(corpus)
        axes[0].set_ylabel("% above the median for\na new corpus (log beyond ±5)")
        axes[len(axes) // 2].set_xlabel("training compute 6ND, FLOP")
        handles: list[Line2D | Patch] = [
            Line2D([], [], color=STYLE.ink, marker="o", linestyle="", label="measured"),
            Patch(color=_LIGHT, label="new corpus, 90 %"),
            Patch(color=STYLE.colours[0], label="corpus in the fit, 90 %"),
        ]
        drawn.legend(handles=handles, loc="outside upper left", ncols=3)
    return drawn


def _figure(height: float) -> Figure:
    return Figure(figsize=(STYLE.width, height), dpi=_DPI, layout="constrained")


def _resized(figure: Figure) -> Figure:
    figure.set_dpi(_DPI)
    return figure


def _interval(axis: Axes, row: float, median: float, lo: float, hi: float, colour: str) -> None:
    axis.plot([lo, hi], [row, row], color=colour, linewidth=2.4, solid_capstyle="butt")
    axis.plot([median], [row], "o", color=colour, markersize=6, markeredgecolor="white")
