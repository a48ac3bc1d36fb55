"""The figures of what lies beyond the data, drawn: the fan chart, and those of the backtest."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from bitlaw.criticism.backtest import Backtest
from bitlaw.inference.fit import Fit
from bitlaw.reporting import beyond
from bitlaw.reporting.backtested import coverage_table, error_table
from bitlaw.reporting.exhibit import Exhibit, exhibit, one_group
from bitlaw.reporting.fan import fan
from bitlaw.reporting.figures import coverage, extrapolation_error, fan_chart, risk_breakdown
from bitlaw.reporting.style import DEFAULT_STYLE, Style


def beyond_exhibits(
    fit: Fit,
    backtest: Backtest | None,
    asked: tuple[float, float],
    drift: bool = True,
    style: Style = DEFAULT_STYLE,
    shares: Mapping[str, Mapping[str, float] | None] = MappingProxyType({}),
) -> tuple[Exhibit, ...]:
    """The figures of what lies beyond the data, and of how well that was predicted before.

    Parameters
    ----------
    fit
        The fit.
    backtest
        Its backtest; None without one.
    asked
        Parameters and tokens of the model asked about.
    drift
        Whether answers include structural error beyond the data.
    style
        The style.
    shares
        By answer, the share of its variance from every source (``Risk.shares``); None where it does not vary.
    """
    varying = {label: own for label, own in shares.items() if own is not None}
    risk = (_risk(varying, style),) if varying else ()
    return (*_beyond(fit, backtest, asked, drift, style), *risk)


def _beyond(
    fit: Fit, backtest: Backtest | None, asked: tuple[float, float], drift: bool, style: Style
) -> Iterator[Exhibit]:
    shown = fan(fit, asked, backtest, drift)
    if shown is not None:
        yield exhibit(
            "fan-chart",
            fan_chart.figure(shown, style),
            beyond.fan_chart(shown),
            f"{beyond.fan_reading(shown)}{one_group(fit)}",
            style,
        )
    if backtest is None:
        return
    yield exhibit(
        "coverage",
        coverage.figure(coverage_table(backtest), style),
        beyond.coverage(backtest, drift),
        "On the grey line intervals hold what they promise, above it they are too wide, below it too narrow. "
        "The band is where 90 % of as many independent rows would lie; rows of one fold are predicted from the "
        "same constants, and larger runs by several folds, so that chance allows for more than it shows.",
        style,
    )
    yield exhibit(
        "extrapolation-error",
        extrapolation_error.figure(error_table(backtest), style),
        beyond.extrapolation_error(backtest),
        "Every loss held out, by the fold that predicted it; 0.01 in log loss is 1 % of the loss. Intervals "
        "include drift. An error is small where it is below the half-width on the right. Hollow points on the "
        "lower edge are smaller still.",
        style,
    )


def _risk(shares: Mapping[str, Mapping[str, float]], style: Style) -> Exhibit:
    """Where the uncertainty of answers comes from."""
    return exhibit(
        "risk-breakdown",
        risk_breakdown.figure(list(shares), list(shares.values()), style),
        beyond.risk_breakdown(shares),
        "Shares of the variance of each answer. More runs of the kind logged would take away what comes from the "
        "prior and the constants; only runs nearer to the model asked about what comes from drift; nothing what "
        "comes from noise.",
        style,
    )
