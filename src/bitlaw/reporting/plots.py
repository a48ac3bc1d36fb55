"""The figures of a report one by one, as Matplotlib Axes, for notebooks and papers."""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bitlaw.criticism.backtest import Backtest, from_dict
from bitlaw.criticism.contraction import contraction_table
from bitlaw.criticism.residuals import residual_table
from bitlaw.decisions.across_laws import AcrossLaws, stack_of
from bitlaw.decisions.budget_decision import BudgetDecision
from bitlaw.decisions.on_chips import OnChips
from bitlaw.decisions.plan_decision import PlanDecision
from bitlaw.decisions.post_training_decision import PostTrainingDecision
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.decisions.prediction import Prediction
from bitlaw.errors import InputError
from bitlaw.inference.fit import Fit
from bitlaw.reporting.backtested import coverage_table, error_table
from bitlaw.reporting.fan import fan
from bitlaw.reporting.figures import (
    break_even,
    budget,
    chips,
    coverage,
    data_and_fit,
    degradation_against_tokens,
    extrapolation_error,
    fan_chart,
    next_runs,
    penalty_against_bits,
    post_training_options,
    posterior_against_prior,
    precision_options,
    predicted_against_observed,
    predictions,
    risk_breakdown,
)
from bitlaw.reporting.grouping import SIXTEEN
from bitlaw.reporting.observed import paired_gaps, trained_rows
from bitlaw.reporting.style import DEFAULT_STYLE, Style

_OTHERS = {
    "BudgetDecision": "a figure of its own, plot_budget",
    "PlanDecision": "a figure of its own, plot_plan",
    "Prediction": "a figure of its own, plot_prediction",
}


def plot_data(fit: Fit, style: Style = DEFAULT_STYLE) -> list[Axes]:
    """Loss against tokens: the measured runs and the law, one panel per training precision.

    Parameters
    ----------
    fit
        The fit.
    style
        Colours and sizes, here as in every function below.

    Returns
    -------
    list of matplotlib.axes.Axes
        The panels; ``panels[0].get_figure(root=True)`` is the figure, which pyplot and notebooks show.

    Raises
    ------
    InputError
        If the fitted table has nothing to show.
    """
    if fit.law.base.is_observed or not len(trained_rows(fit)):
        raise InputError(f"law {fit.law.name} explains no loss as trained: there is nothing to plot")
    return _panels(data_and_fit.figure(fit, style))


def plot_penalty(fit: Fit, style: Style = DEFAULT_STYLE) -> list[Axes]:
    """What training in fewer bits costs, against the bits, one panel per tensor kind; as ``plot_data``."""
    if not penalty_against_bits.measured_kinds(fit):
        raise InputError(
            "no run has a 16-bit twin that law and table could compare: there is nothing to plot"
        )
    return _panels(penalty_against_bits.figure(fit, style))


def plot_degradation(fit: Fit, style: Style = DEFAULT_STYLE) -> list[Axes]:
    """What quantizing after training costs, against tokens, one panel per bit-width; as ``plot_data``."""
    if fit.law.post is None or not degradation_against_tokens.has_lengths(SIXTEEN.rows(paired_gaps(fit))):
        raise InputError(
            "no size was trained at 16 bits for two lengths and quantized afterwards: there is nothing to plot"
        )
    return _panels(degradation_against_tokens.figure(fit, style))


def plot_constants(fit: Fit, style: Style = DEFAULT_STYLE) -> list[Axes]:
    """Posterior and prior of every constant of the law; as ``plot_data``."""
    return _panels(posterior_against_prior.figure(contraction_table(fit), style))


def plot_residuals(fit: Fit, style: Style = DEFAULT_STYLE) -> list[Axes]:
    """Every fitted row against its prediction, and residuals by precision; as ``plot_data``."""
    return _panels(predicted_against_observed.figure(residual_table(fit), fit.rows, style))


def plot_fan(fit: Fit, n_params: float, tokens: float, style: Style = DEFAULT_STYLE) -> list[Axes]:
    """Loss against compute out of the data to a model asked about, with drift and without; as ``plot_data``.

    Parameters
    ----------
    fit
        The fit.
    n_params, tokens
        The model.
    style
        As for ``plot_data``.
    """
    shown = fan(fit, (n_params, tokens), _backtest(fit) if fit.backtest else None)
    if shown is None:
        raise InputError(f"law {fit.law.name} explains no loss as trained: there is nothing to plot")
    return _panels(fan_chart.figure(shown, style))


def plot_coverage(fit: Fit, style: Style = DEFAULT_STYLE) -> list[Axes]:
    """How often intervals of the backtest held, against what they promise; as ``plot_data``."""
    return _panels(coverage.figure(coverage_table(_backtest(fit)), style))


def plot_extrapolation(fit: Fit, style: Style = DEFAULT_STYLE) -> list[Axes]:
    """Errors of the backtest against how far beyond the fitted runs they were; as ``plot_data``."""
    return _panels(extrapolation_error.figure(error_table(_backtest(fit)), style))


def plot_decision(
    decision: PrecisionDecision | PostTrainingDecision | AcrossLaws[Any] | OnChips[Any],
    style: Style = DEFAULT_STYLE,
) -> list[Axes]:
    """The options of a decision: probabilities, regret, degradation; as ``plot_data``.

    Parameters
    ----------
    decision
        From ``optimum`` or ``ptq``; of several laws the stack's is shown. From ``optimum_on_chips`` or
        ``budget_on_chips``: loss, probability and GPU-hours on every chip.
    style
        As for ``plot_data``.
    """
    if isinstance(decision, OnChips):
        return _panels(chips.figure(decision, style))
    own = stack_of(decision)
    if isinstance(own, PostTrainingDecision):
        return _panels(post_training_options.figure(own, style))
    if not isinstance(own, PrecisionDecision):
        other = _OTHERS.get(type(own).__name__, "")
        raise InputError(
            f"{type(own).__name__} has {other or 'no figure'}; valid: an answer of optimum or ptq"
        )
    fixed, free = (own, None) if own.question.sizes_fixed else (None, own)
    return _panels(precision_options.figure(fixed, free, style))


def plot_break_even(
    decision: PrecisionDecision | AcrossLaws[PrecisionDecision] | OnChips[PrecisionDecision],
    style: Style = DEFAULT_STYLE,
) -> list[Axes]:
    """Whether fewer bits pay: the speed-up each precision needs, and the one it has; as ``plot_data``.

    Parameters
    ----------
    decision
        From ``optimum`` or ``optimum_on_chips``; of several laws the stack's is shown.
    style
        As for ``plot_data``.
    """
    shown: Mapping[str, Any] = (
        decision.decisions if isinstance(decision, OnChips) else {"": stack_of(decision)}
    )
    if not all(isinstance(one, PrecisionDecision) for one in shown.values()):
        raise InputError("only a training precision pays by its speed-up; valid: an answer of optimum")
    if not any(break_even.paying_options(one) for one in shown.values()):
        raise InputError("no option has fewer than 16 bits: there is nothing to plot")
    return _panels(break_even.figure(shown, style))


def plot_budget(
    fit: Fit, decision: BudgetDecision | AcrossLaws[BudgetDecision], style: Style = DEFAULT_STYLE
) -> list[Axes]:
    """Where a budget is best spent, beside the fitted runs, and what each plan loses; as ``plot_data``.

    Parameters
    ----------
    fit
        A fit to the runs.
    decision
        From ``budget``; of several laws the stack's is shown.
    style
        As for ``plot_data``.
    """
    return _panels(budget.figure(fit, stack_of(decision), style))


def plot_plan(
    fit: Fit, decision: PlanDecision | AcrossLaws[PlanDecision], style: Style = DEFAULT_STYLE
) -> list[Axes]:
    """Which runs to log next: what is left unknown as they are logged, and where they are; as ``plot_data``.

    Parameters
    ----------
    fit
        A fit to the runs.
    decision
        From ``plan``; of several laws the stack's is shown.
    style
        As for ``plot_data``.
    """
    return _panels(next_runs.figure(stack_of(decision), fit.rows, style))


def plot_prediction(
    prediction: Prediction | AcrossLaws[Prediction], style: Style = DEFAULT_STYLE
) -> list[Axes]:
    """Predicted losses point by point: of a new run, of the law's mean, and under the prior; as ``plot_data``.

    Parameters
    ----------
    prediction
        From ``predict``; of several laws the stack's is shown.
    style
        As for ``plot_data``.
    """
    return _panels(predictions.figure(stack_of(prediction), style))


def plot_risk(
    answers: Mapping[str, Prediction | PrecisionDecision | PostTrainingDecision],
    style: Style = DEFAULT_STYLE,
) -> list[Axes]:
    """Where the uncertainty of answers comes from, a bar for each; as ``plot_data``.

    Parameters
    ----------
    answers
        By what they are called; of a prediction its first point. Those that do not vary are left out.
    style
        As for ``plot_data``.
    """
    risks = {
        name: answer.points[0].risk if isinstance(answer, Prediction) else answer.risk
        for name, answer in answers.items()
    }
    shares = {name: risk.shares for name, risk in risks.items() if risk is not None and risk.shares}
    if not shares:
        raise InputError("no answer varies: there is nothing to plot")
    return _panels(risk_breakdown.figure(list(shares), list(shares.values()), style))


def _backtest(fit: Fit) -> Backtest:
    if fit.backtest is None:
        raise InputError("this fit keeps no backtest; fit again with backtest_folds above 0")
    return from_dict(fit.backtest)


def _panels(drawn: Figure) -> list[Axes]:
    """The panels of a figure, which is given to pyplot, so that notebooks and ``pyplot.show`` show it."""
    from matplotlib import pyplot

    pyplot.figure(drawn)
    return list(drawn.axes)
