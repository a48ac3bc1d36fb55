"""What logging a candidate costs: training, on a chip by the time it takes there, and evaluating it once quantized."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bitlaw.decisions.costs import training_flop
from bitlaw.decisions.hardware import REFERENCE_FORMAT
from bitlaw.decisions.hardware_findings import speeds_finding
from bitlaw.decisions.on_offer import OnOffer, priced, widest
from bitlaw.decisions.pricing import Pricing
from bitlaw.errors import InputError
from bitlaw.finding import Finding, Status
from bitlaw.inference.columns import schemes
from bitlaw.runs.columns import TRAINING_BITS, UNQUANTIZED_BITS

SIMULATED = "hardware.simulated"

_SHARE_AFTER, _TOKENS_AFTER = 0.01, 1e7
_FORWARD_FLOP = 2.0
_READ = ("format", *TRAINING_BITS[:3])


def costs_of(rows: pd.DataFrame, pricing: Pricing) -> np.ndarray:
    """What each row costs, FLOP at 16 bits, shape (rows,).

    Training costs 6 N D, and on a chip as much less as its precision runs faster there; where the chip does not
    multiply in it, it is simulated in 16 bits. Quantizing after training and evaluating costs 1 % of 6 N D, at
    most a forward pass over 10M tokens, in 16 bits.

    Parameters
    ----------
    rows
        Canonical columns.
    pricing
        What training costs; without a chip every precision runs as 16 bits do.

    Examples
    --------
    >>> from bitlaw.decisions.spending import pricing_of
    >>> from bitlaw.inference.draws import points_frame
    >>> rows = points_frame(n_params=1e8, tokens=1e10, bits_weights=[16.0, 8.0], bits_activations=[16.0, 8.0])
    >>> (costs_of(rows, pricing_of("b200")) / 6e18).tolist()
    [1.0, 0.5]
    """
    n_params, tokens = (rows[name].to_numpy(np.float64) for name in ("n_params", "tokens"))
    trained = np.asarray(training_flop(n_params, tokens), np.float64)
    after = np.minimum(_SHARE_AFTER * trained, _FORWARD_FLOP * n_params * _TOKENS_AFTER)
    relative = np.ones(len(rows))
    for one in _precisions(rows, pricing):
        relative[one.rows] = one.option.cost
    return np.where(rows["bits_post"].notna(), after, relative * trained)


def cost_findings(points: pd.DataFrame, is_logged: np.ndarray, pricing: Pricing) -> tuple[Finding, ...]:
    """By which speeds runs were priced on a chip, and which precisions it does not run; none without a chip.

    Parameters
    ----------
    points
        Rows of the candidates.
    is_logged
        Whether each row's run was trained already, so that no speed matters.
    pricing
        What training costs.
    """
    if pricing.chip is None:
        return ()
    trained = points[~is_logged & points["bits_post"].isna().to_numpy()]
    found = _precisions(trained, pricing)
    simulated = [one for one in found if one.problem]
    findings = [speeds_finding(pricing, [one.option for one in found if not one.problem])]
    if simulated:
        listed = "; ".join(f"{one.label}: {one.problem}" for one in simulated)
        message = f"Priced as simulated in 16 bits on {pricing.name}: {listed}."
        advice = 'A column "cost" among the candidates says what such runs really cost.'
        findings.append(Finding(SIMULATED, Status.WARN, float(len(simulated)), 0.0, message, advice))
    return tuple(findings)


@dataclass(frozen=True)
class _Precision:
    """A quantized precision in training: its rows, what a FLOP in it costs, why it is simulated, if it is."""

    label: str
    rows: np.ndarray
    option: OnOffer
    problem: str


def _precisions(rows: pd.DataFrame, pricing: Pricing) -> tuple[_Precision, ...]:
    """Every quantized precision of the rows, on a chip."""
    if pricing.chip is None or rows.empty:
        return ()
    scheme = schemes(rows).to_numpy()
    places = {str(label): np.flatnonzero(scheme == label) for label in dict.fromkeys(scheme) if label}
    return tuple(
        _Precision(label, own, *_priced(rows.iloc[own[0]][list(_READ)].to_dict(), pricing))
        for label, own in places.items()
    )


def _priced(columns: dict[Hashable, Any], pricing: Pricing) -> tuple[OnOffer, str]:
    named = {str(name): value for name, value in columns.items()}
    try:
        return priced(widest(named), str(named["format"]) or None, named, pricing), ""
    except InputError as error:
        return OnOffer(UNQUANTIZED_BITS, None, named, 1.0, REFERENCE_FORMAT), error.problems[0]
