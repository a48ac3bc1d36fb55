"""The measured loss of a checkpoint that an answer may start from."""

import math

import pandas as pd

from bitlaw.errors import InputError
from bitlaw.inference.draws import point_columns
from bitlaw.inference.fit import Fit


def require_measured_loss(fit: Fit, points: pd.DataFrame, loss: float | None) -> None:
    """Check the measured loss of the run behind the points.

    Parameters
    ----------
    fit
        The fit.
    points
        Canonical columns.
    loss
        Measured loss as trained, nats/token; None where the law gives it.

    Raises
    ------
    InputError
        If the loss is not positive, is no better than guessing, or is missing for a law that takes it
        as data.
    """
    if loss is not None and not (math.isfinite(loss) and loss > 0):
        raise InputError(f"loss is {loss:g}; valid: a positive number (nats/token)")
    ceiling = float(point_columns(fit, points, loss)["ceiling"].min())
    if loss is not None and loss >= ceiling:
        raise InputError(
            f"loss is {loss:g} nats/token, no better than guessing; valid: below ln of the vocabulary, "
            f"{ceiling:.4g}"
        )
