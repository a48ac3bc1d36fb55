"""The figure of the study on which run to log next."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from replay import RULES

from bitlaw.reporting.style import DEFAULT_STYLE as STYLE
from bitlaw.reporting.style import drawing


def money(numbers: dict[str, Any]) -> Figure:
    """Error and interval width at the held-out runs against money spent, one column per table."""
    tables = numbers["tables"]
    with drawing(STYLE):
        drawn = Figure(figsize=(STYLE.width, 5.2), dpi=140, layout="constrained")
        axes = drawn.subplots(2, len(tables), squeeze=False, sharex=True)
        for column, table in enumerate(tables):
            for row, part in enumerate(("error", "width")):
                axis = axes[row, column]
                for place, rule in enumerate(RULES):
                    own = [one for one in table["rows"] if one["rule"] == rule]
                    spent = [100 * one["spent"]["mean"] for one in own]
                    middle = 100 * np.array([one[part]["mean"] for one in own])
                    ends = 100 * np.array([[one[part]["lo"], one[part]["hi"]] for one in own]).T
                    axis.errorbar(
                        np.array(spent) * (1 + 0.03 * (place - 1.5)),
                        middle,
                        yerr=np.abs(ends - middle),
                        marker=STYLE.markers[place],
                        color=STYLE.colours[place],
                        linewidth=1.2,
                        elinewidth=0.8,
                        label=rule if row == column == 0 else None,
                    )
                axis.axhline(
                    100 * table["whole"][part], color=STYLE.ink, linewidth=1.0, linestyle=(0, (4, 3))
                )
                axis.axhline(
                    100 * table["start"][part]["mean"], color=STYLE.quiet, linewidth=1.0, linestyle=":"
                )
                axis.set_xscale("log")
                axis.set_ylim(0.0)
                axis.xaxis.set_major_locator(FixedLocator([3, 5, 10, 25]))
                axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
                axis.xaxis.set_minor_locator(NullLocator())
            axes[0, column].set_title(f"{table['table']}, {table['starts']} starts")
        axes[0, 0].set_ylabel("error of log loss, %")
        axes[1, 0].set_ylabel("width of 90 % interval, %")
        drawn.supxlabel("spent, % of what all other runs cost", fontsize=STYLE.small)
        drawn.legend(loc="outside upper left", ncols=4)
    return drawn
