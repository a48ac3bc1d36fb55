"""Predicted losses point by point: of a new run, of the law's mean, and what the prior alone would say."""

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bitlaw.decisions.prediction import PointPrediction, Prediction
from bitlaw.reporting.style import DEFAULT_STYLE, Style, drawing
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.units import LOSS_UNIT, Interval, format_bits, format_count

MOST_POINTS = 20
_OPERANDS = ("bits_weights", "bits_activations", "bits_kv")


def figure(prediction: Prediction, style: Style = DEFAULT_STYLE) -> Figure:
    """One row per point, the first twenty; hollow where nothing measured supports it.

    Parameters
    ----------
    prediction
        The prediction.
    style
        The style.
    """
    points = prediction.points[:MOST_POINTS]
    with drawing(style):
        drawn = Figure(figsize=(style.width, 0.34 * len(points) + 1.35), dpi=style.dpi, layout="constrained")
        axis = drawn.subplots()
        prob = f"{100 * prediction.prob:g} % ETI"
        for row, point in enumerate(points):
            colour = style.quiet if point.risk.refused else style.colours[0]
            for interval, width, alpha, what in (
                (point.new_run, 3.0, 0.45, "a new run"),
                (point.law_mean, 6.5, 1.0, "the law's mean"),
            ):
                axis.plot([interval.lo, interval.hi], [row, row], color=colour, alpha=alpha, linewidth=width,
                          solid_capstyle="butt", label=f"{what}, {prob}" if row == 0 else "_")  # fmt: skip
            axis.plot(
                [point.new_run.median], [row], "o", color="white", markeredgecolor=colour, markersize=6.5
            )
        _priors(drawn, [point.prior for point in points], style, f"prior alone, {prob}")
        axis.set_yticks(range(len(points)), [point_label(point) for point in points])
        axis.set_ylim(len(points) - 0.35, -0.6)
        axis.grid(axis="y", visible=False)
        axis.tick_params(axis="y", length=0)
        axis.xaxis.set_major_locator(MaxNLocator(6))
        axis.set_xlabel(f"loss, {LOSS_UNIT}")
        drawn.legend(
            loc="outside upper left", ncols=3, columnspacing=1.2, handlelength=1.6, borderaxespad=0.0
        )
    return drawn


def point_label(point: PointPrediction) -> str:
    """What a point is called: sizes, training bits below 16, bits after training."""
    inputs = point.inputs
    sizes = f"{format_count(inputs['n_params'])}, {format_count(inputs['tokens'])} tokens"
    bits = [float(inputs[name]) for name in _OPERANDS]
    trained = f", {'/'.join(map(format_bits, bits))} bits" if min(bits) < UNQUANTIZED_BITS else ""
    after = "" if inputs["bits_post"] is None else f", to {format_bits(inputs['bits_post'])} after"
    return f"{sizes}{trained}{after}"


def _priors(drawn: Figure, priors: list[Interval], style: Style, label: str) -> None:
    """The prior's intervals behind the others, without widening the axis beyond where they would hide them."""
    axis = drawn.axes[0]
    lo, hi = axis.get_xlim()
    room = 1.0 * (hi - lo)
    for row, prior in enumerate(priors):
        axis.plot([prior.lo, prior.hi], [row + 0.27] * 2, color=style.quiet, linewidth=1.2, solid_capstyle="butt",
                  label=label if row == 0 else "_")  # fmt: skip
    ends = [end for prior in priors for end in (prior.lo, prior.hi)]
    axis.set_xlim(max(lo - room, min([lo, *ends])), min(hi + room, max([hi, *ends])))
