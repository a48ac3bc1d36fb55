"""Degradations measured on the very checkpoint that is asked about, from its user or from the fitted rows."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from bitlaw.decisions.groups import level_of_method
from bitlaw.errors import InputError
from bitlaw.finding import Finding, Status
from bitlaw.inference.draws import KnownRun, LossDraws
from bitlaw.inference.fit import Fit
from bitlaw.inference.run_effect import Measured
from bitlaw.units import format_bits

_FEWEST_EFFECTIVE = 100.0
"""Draws below which intervals of 90 % are a matter of a few draws at either end."""

_MOST_OUTSIDE = 0.5
_TAILS = (0.05, 0.95)


def fitted_run(fit: Fit, run_id: str) -> pd.Series:
    """The first fitted row of a run, that of its loss as trained where there is one.

    Raises
    ------
    InputError
        If no fitted row is of that run.
    """
    rows = fit.rows[fit.rows["run_id"].astype(str) == run_id]
    if rows.empty:
        some = ", ".join(fit.rows["run_id"].astype(str).unique()[:3])
        raise InputError(f'run_id "{run_id}" is no run of the fit; valid: one of its rows, such as {some}')
    return rows.sort_values("bits_post", na_position="first", kind="stable").iloc[0]


def loss_of(run: pd.Series | None, points: pd.DataFrame | None, loss: float | None) -> float | None:
    """The checkpoint's loss as trained: given, measured with the points, or logged; None where none is.

    Parameters
    ----------
    run
        From ``fitted_run``; None for a run that was not fitted.
    points
        Measured points: ``loss`` by ``bits_post``, which is empty for the loss as trained.
    loss
        What was given.

    Raises
    ------
    InputError
        If two of them differ.
    """
    known = {"loss": loss}
    if points is not None:
        as_trained = points.loc[points["bits_post"].isna(), "loss"].to_numpy(np.float64)
        known |= {f"measured point {number}": value for number, value in enumerate(as_trained, start=1)}
    if run is not None and math.isnan(run["bits_post"]) and run["status"] != "diverged":
        known["the run's logged loss"] = run["loss"]
    found = {name: float(value) for name, value in known.items() if value is not None}
    if len(set(found.values())) > 1:
        said = ", ".join(f"{name} {value:g}" for name, value in found.items())
        raise InputError(f"the checkpoint's loss as trained is given more than once: {said}; valid: one loss")
    return next(iter(found.values()), None)


def measured_on(
    fit: Fit, run: pd.Series | None, points: pd.DataFrame | None, template: pd.DataFrame, loss: float | None
) -> Measured | None:
    """Everything measured on one checkpoint; None where nothing is.

    Parameters
    ----------
    fit
        The fit.
    run
        From ``fitted_run``, whose own quantized rows count; None for a run that was not fitted.
    points
        ``bits_post`` and ``loss``, and where known ``method_post`` and ``loss_se``; rows without
        ``bits_post`` are left to ``loss_of``.
    template
        The checkpoint as one point of the question, whose method stands where the points name none.
    loss
        Its loss as trained.

    Raises
    ------
    InputError
        If its loss as trained is not known, or a point is invalid or measured twice.
    """
    own = _own_rows(fit, run)
    given = _given_rows(points, str(template["method_post"].iloc[0]))
    frame = pd.concat([own, given], ignore_index=True)
    if frame.empty:
        return None
    if loss is None:
        raise InputError(
            "a measured degradation is a loss less that of the same checkpoint as trained, which is missing; give "
            "loss (--loss), or a measured point with an empty bits_post"
        )
    _require_valid(frame, float(template["bits_weights"].iloc[0]))
    repeated = pd.concat([template.iloc[[0]]] * len(frame), ignore_index=True)
    return Measured(
        points=repeated.assign(
            bits_post=frame["bits_post"].to_numpy(np.float64),
            method_post=[level_of_method(fit, str(name)) for name in frame["method_post"]],
        ),
        gap=frame["loss"].to_numpy(np.float64) - loss,
        error=frame["loss_se"].to_numpy(np.float64),
        fitted=frame["fitted"].to_numpy(bool),
        loss=loss,
    )


def _own_rows(fit: Fit, run: pd.Series | None) -> pd.DataFrame:
    """Quantized rows of a fitted run whose own loss was fitted, too: what the fit's gaps are made of."""
    columns = ["bits_post", "method_post", "loss"]
    if run is None or not math.isnan(run["bits_post"]):
        return pd.DataFrame(columns=[*columns, "loss_se", "fitted"])
    rows = fit.rows[(fit.rows["run_id"] == run["run_id"]) & fit.rows["bits_post"].notna()]
    return rows[columns].assign(loss_se=0.0, fitted=True)


def _given_rows(points: pd.DataFrame | None, method: str) -> pd.DataFrame:
    if points is None:
        return pd.DataFrame(columns=["bits_post", "method_post", "loss", "loss_se", "fitted"])
    given = points[points["bits_post"].notna()]
    methods = given["method_post"] if "method_post" in given else pd.Series(None, given.index, dtype=object)
    errors = given["loss_se"] if "loss_se" in given else pd.Series(0.0, given.index)
    return pd.DataFrame(
        {
            "bits_post": given["bits_post"],
            "method_post": methods.map(lambda name: name if isinstance(name, str) and name else method),
            "loss": given["loss"],
            "loss_se": errors.astype(np.float64).fillna(0.0),
            "fitted": False,
        }
    )


def _require_valid(frame: pd.DataFrame, bits_weights: float) -> None:
    problems = [
        f"measured point at {format_bits(bits)} bits: bits_post must be below bits_weights "
        f"{format_bits(bits_weights)}; quantizing to as many bits changes nothing"
        for bits in frame["bits_post"]
        if not bits < bits_weights
    ]
    problems += [
        f"measured point at {format_bits(bits)} bits: {name} is {value:g}; valid: {valid}"
        for name, valid, ok in (
            ("loss", "a positive number (nats/token)", lambda value: 0 < value < math.inf),
            ("loss_se", "0 or more (nats/token)", lambda value: 0 <= value < math.inf),
        )
        for bits, value in zip(frame["bits_post"], frame[name], strict=True)
        if not ok(value)
    ]
    twice = frame[frame.duplicated(["bits_post", "method_post"])]
    problems += [
        f"measured point at {format_bits(bits)} bits by {method or 'an unnamed method'} is there twice; valid: one"
        for bits, method in zip(twice["bits_post"], twice["method_post"], strict=True)
    ]
    if problems:
        raise InputError(problems)


def measured_options(measured: Measured | None, points: pd.DataFrame) -> list[int | None]:
    """Which measured degradation each option is, by bits and method; None where it was not measured."""
    if measured is None:
        return [None] * len(points)
    known = list(zip(measured.points["bits_post"], measured.points["method_post"], strict=True))
    asked = zip(points["bits_post"], points["method_post"], strict=True)
    return [known.index(one) if one in known else None for one in asked]


def measurement_draws(
    measured: Measured, index: int, freedom: np.ndarray, scale: np.ndarray, seed: int
) -> np.ndarray:
    """Draws of one measured degradation with the error of its measurement, shape (samples,), nats/token.

    Parameters
    ----------
    measured
        What was measured.
    index
        Which of them.
    freedom, scale
        ν and s of the fit, the error of a measured degradation that does not grow with it, shape
        (samples,); used where no standard error was given.
    seed
        Seed of the errors.
    """
    rng = np.random.default_rng([seed, 2, index])
    error = float(measured.error[index])
    noise = error * rng.standard_normal(len(scale)) if error > 0 else scale * rng.standard_t(freedom)
    return np.asarray(measured.gap[index] + noise)


def measured_finding(measured: Measured, expected: LossDraws, known: KnownRun) -> Finding:
    """What the measured degradations say of the law for this checkpoint.

    A WARN where more than half of them lie outside the law's own 90 % intervals, or few draws of the fit
    agree with them.

    Parameters
    ----------
    measured
        What was measured.
    expected
        Draws of a new run at these points, without knowledge of what was measured.
    known
        The draws given the measurements.
    """
    lo, hi = np.quantile(expected.new_run_degradation, _TAILS, axis=0)
    outside = (measured.gap < lo) | (measured.gap > hi)
    share, few = float(outside.mean()), known.effective < _FEWEST_EFFECTIVE
    kind = (
        "fitted with the others" if measured.fitted.all() else f"{known.effective:.0f} effective draws agree"
    )
    message = (
        f"{len(measured.gap)} degradation{'s' if len(measured.gap) > 1 else ''} of this checkpoint "
        f"{'were' if len(measured.gap) > 1 else 'was'} measured ({_listed(measured)}; {kind}) and take"
        f"{'' if len(measured.gap) > 1 else 's'} precedence over the law, whose 90 % intervals of a new run hold "
        f"{int((~outside).sum())} of {len(outside)}."
    )
    bad = share > _MOST_OUTSIDE or few
    advice = "Rely on the measured bit-widths; measure those that matter." if bad else ""
    status = Status.WARN if bad else Status.PASS
    return Finding("ptq.measured", status, share, _MOST_OUTSIDE, message, advice)


def _listed(measured: Measured) -> str:
    pairs: Sequence[tuple[float, float]] = sorted(
        zip(measured.points["bits_post"].tolist(), measured.gap.tolist(), strict=True), reverse=True
    )
    return ", ".join(f"{gap:.2g} nats/token at {format_bits(bits)} bits" for bits, gap in pairs)
