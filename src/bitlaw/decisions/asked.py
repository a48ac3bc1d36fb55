"""What is asked about: a model of the user's, or the largest logged run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from bitlaw.decisions.costs import training_flop
from bitlaw.decisions.groups import group_columns
from bitlaw.decisions.hardware import chips_named
from bitlaw.decisions.measured_points import loss_of
from bitlaw.decisions.spending import Price, pricing_of
from bitlaw.errors import InputError
from bitlaw.inference.columns import schemes
from bitlaw.inference.draws import points_frame
from bitlaw.inference.fit import Fit
from bitlaw.runs.columns import TRAINING_BITS, UNQUANTIZED_BITS
from bitlaw.units import format_count


@dataclass(frozen=True)
class Asked:
    """One question of a report, to be answered by any fit to the same rows.

    Parameters
    ----------
    n_params, tokens
        The model asked about.
    flops
        Compute to re-optimise parameters, tokens and precision for, FLOP at 16 bits.
    group
        Group of a pooled fit; None without pooling.
    loss
        Measured loss of the model as trained, nats/token; None where the law's is used.
    run_id
        The fitted run in 16 bits that it is, whose own measurements answer first; None for another model.
    point
        The model in 16 bits, canonical run-table columns.
    text
        The question in words.
    spending
        Chip, measured speeds, price and number, as ``optimum`` takes them; empty where the cost is in proportion
        to bits.
    also_on
        Further chips, for which training precision is decided too.
    measured
        Losses measured on the model after quantization, as ``ptq`` takes them; None without any.
    """

    n_params: float
    tokens: float
    flops: float
    group: str | None
    loss: float | None
    run_id: str | None
    point: pd.DataFrame
    text: str
    spending: Mapping[str, Any] = field(default_factory=dict)
    also_on: tuple[str, ...] = ()
    measured: pd.DataFrame | None = None

    @property
    def chips(self) -> tuple[str, ...]:
        """Names of all chips, that decided for first; empty where the cost is in proportion to bits."""
        return (str(self.spending["hardware"]), *self.also_on) if self.spending else ()


def asked_about(
    fit: Fit,
    n_params: float | None = None,
    tokens: float | None = None,
    flops: float | None = None,
    group: str | None = None,
    loss: float | None = None,
    hardware: str | Sequence[str] | None = None,
    speeds: str | Path | Mapping[str, Mapping[str, float]] | None = None,
    price: Price | None = None,
    gpus: int | None = None,
    measured: pd.DataFrame | None = None,
) -> Asked:
    """The question, with the largest logged run where no model is named.

    Parameters
    ----------
    fit
        A fit to the rows in question.
    n_params, tokens
        The model asked about; the largest logged run where both are None.
    flops
        Compute; that of the model by default.
    group, loss
        As in ``Asked``; those of the largest logged run where that is asked about and they are needed.
    hardware, speeds, price, gpus
        Chip that training precision is decided for, as for ``optimum``; of several the first, and the others are
        put beside it.
    measured
        As in ``Asked``; its loss as trained is that of the model where the law needs one.

    Raises
    ------
    InputError
        If only one of ``n_params`` and ``tokens`` is given, the group does not fit the fit, or the chip, its
        speeds or its price are not valid.
    """
    chip, *others = chips_of(hardware, speeds, price, gpus)
    if (n_params is None) != (tokens is None):
        raise InputError("give n_params and tokens together, or neither for the largest logged run")
    which, run_id = "the model asked about", None
    if n_params is None or tokens is None:
        largest, which = fit.largest_run(), "the largest logged run"
        n_params, tokens = float(largest["n_params"]), float(largest["tokens"])
        group = group or ",".join(largest[column] for column in fit.pool) or None
        run_id = _in_16_bits(fit, largest)
        loss = float(largest["loss"]) if fit.law.base.is_observed and loss is None else loss
    elif fit.law.base.is_observed:
        loss = loss_of(None, measured, loss)
    return Asked(
        n_params=n_params,
        tokens=tokens,
        flops=flops or float(training_flop(n_params, tokens)),
        group=group,
        loss=loss,
        run_id=run_id,
        point=points_frame(n_params=n_params, tokens=tokens, **group_columns(fit, group)),
        text=f"{format_count(n_params)} parameters and {format_count(tokens)} tokens, {which}",
        spending={} if chip is None else {"hardware": chip, "speeds": speeds, "price": price, "gpus": gpus},
        also_on=tuple(name for name in others if name is not None),
        measured=measured,
    )


def chips_of(
    hardware: str | Sequence[str] | None = None,
    speeds: str | Path | Mapping[str, Mapping[str, float]] | None = None,
    price: Price | None = None,
    gpus: int | None = None,
) -> tuple[str | None, ...]:
    """The chips asked about, checked with their speeds and price; None alone where there is none.

    Parameters
    ----------
    hardware, speeds, price, gpus
        As for ``asked_about``.

    Raises
    ------
    InputError
        For a chip that is unknown or named twice, and for speeds, prices and a number that are not valid.
    """
    names = (hardware,) if hardware is None or isinstance(hardware, str) else chips_named(hardware)
    for name in names:
        pricing_of(name, speeds, price, gpus)
    return names


def _in_16_bits(fit: Fit, run: Mapping[str, Any]) -> str | None:
    """The run itself where it was trained in 16 bits, else the first of its sizes and group that was."""
    rows, same = fit.rows[fit.rows["bits_post"].isna()], ("n_params", "tokens", *fit.pool)
    alike = (rows[list(same)] == [run[name] for name in same]).all(axis=1)
    whole = (rows[list(TRAINING_BITS)] >= UNQUANTIZED_BITS).all(axis=1) & (schemes(rows) == "")
    ids = rows.loc[alike & whole & (rows["status"] != "diverged"), "run_id"].astype(str).tolist()
    own = str(run["run_id"])
    return own if own in ids else next(iter(ids), None)
