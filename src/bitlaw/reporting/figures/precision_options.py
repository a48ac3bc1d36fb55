"""Each training bit-width on offer: how probably it is within tolerance or best, and its regret."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bitlaw.decisions.intervals import nats_text
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.decisions.precision_option import PrecisionOption
from bitlaw.reporting.figures.bars import labelled_bars
from bitlaw.reporting.style import DEFAULT_STYLE, Style, drawing
from bitlaw.reporting.words import precision_text
from bitlaw.units import LOSS_UNIT, format_probability

_PROBABILITY_AXIS = (0.0, 1.36)


def figure(
    fixed: PrecisionDecision | None, free: PrecisionDecision | None, style: Style = DEFAULT_STYLE
) -> Figure:
    """Up to three panels that share the bit-widths.

    Parameters
    ----------
    fixed
        The decision for fixed parameters and tokens, or None.
    free
        The decision with parameters and tokens re-optimised, or None.
    style
        The style.
    """
    draw = ([(fixed, _within)] if fixed else []) + ([(free, _best), (free, _regret)] if free else [])
    most = max(len(decision.options) for decision, _ in draw)
    with drawing(style):
        drawn = Figure(figsize=(style.width, 0.29 * most + 1.25), dpi=style.dpi, layout="constrained")
        axes = drawn.subplots(1, len(draw), squeeze=False)[0]
        for axis, (decision, panel) in zip(axes, draw, strict=True):
            panel(axis, decision, style)
            labels = [precision_text(option.key) for option in decision.options]
            axis.set_yticks(range(len(labels)), labels)
            if axis is not axes[0] and panel is not _best:
                axis.tick_params(labelleft=False)
    return drawn


def _within(axis: Axes, decision: PrecisionDecision, style: Style) -> None:
    values = [option.probability_within or 0.0 for option in decision.options]
    _probabilities(axis, values, decision, style)
    axis.axvline(decision.confidence, color=style.ink, linewidth=1.0, linestyle=(0, (4, 3)))
    axis.set_title("N and D fixed")
    axis.set_xlabel(f"P(within {decision.question.tolerance:g} nats of 16 bits)")


def _best(axis: Axes, decision: PrecisionDecision, style: Style) -> None:
    _probabilities(axis, [option.probability_best for option in decision.options], decision, style)
    axis.set_title(_free_title(decision))
    axis.set_xlabel("P(lowest loss)")


def _regret(axis: Axes, decision: PrecisionDecision, style: Style) -> None:
    values = [option.expected_regret for option in decision.options]
    labelled_bars(axis, values, [nats_text(value) for value in values], _colours(decision, style), style)
    axis.axvline(decision.near, color=style.ink, linewidth=1.0, linestyle=(0, (4, 3)))
    axis.set_xlim(0.0, 1.42 * max(*values, decision.near))
    axis.set_title(_free_title(decision))
    axis.xaxis.set_major_locator(MaxNLocator(4))
    axis.set_xlabel(f"expected regret, {LOSS_UNIT}")


def _free_title(decision: PrecisionDecision) -> str:
    return "compute fixed" if decision.question.n_params is None else "N and compute fixed"


def _probabilities(axis: Axes, values: list[float], decision: PrecisionDecision, style: Style) -> None:
    texts = [format_probability(value) for value in values]
    labelled_bars(axis, values, texts, _colours(decision, style), style)
    axis.set_xlim(*_PROBABILITY_AXIS)
    axis.set_xticks([0.0, 0.5, 1.0], ["0", "50 %", "100 %"])


def _colours(decision: PrecisionDecision, style: Style) -> list[str]:
    return [style.colours[0] if _stands_out(option, decision) else style.faded for option in decision.options]


def _stands_out(option: PrecisionOption, decision: PrecisionDecision) -> bool:
    """The answer, and where sizes are free everything as good as it."""
    if option.probability_within is not None:
        return option.key == decision.best
    return option.key == decision.best or option.key in decision.near_optimal
