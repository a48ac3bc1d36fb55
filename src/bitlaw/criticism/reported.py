"""The numbers a report leads with: they must have converged, too."""

import numpy as np
import pandas as pd
import xarray as xr

from bitlaw.inference.draws import loss_draws
from bitlaw.inference.fit import Fit
from bitlaw.runs.columns import TRAINING_BITS, UNQUANTIZED_BITS

_BITS_AFTER = 4.0


def reported_quantities(fitted: Fit) -> xr.Dataset:
    """The numbers a report leads with, as draws by chain: they must have converged, too.

    A law that takes losses as trained as data has no loss of its own to report: the largest run keeps
    its ``run_id``, by which its measured loss is found. Without drift, whose draws are independent and
    would hide that a chain is not.
    """
    shape = (fitted.posterior.sizes["chain"], fitted.posterior.sizes["draw"])
    point = pd.DataFrame([fitted.largest_run()])
    quantities = {}
    if not fitted.law.base.is_observed:
        quantities["loss_of_largest_run"] = loss_draws(fitted, point, drift=False).trained
    methods = fitted.rows.loc[fitted.rows["bits_post"].notna(), "method_post"]
    if len(methods):
        unquantized = point.assign(
            **dict.fromkeys(TRAINING_BITS, UNQUANTIZED_BITS), format="", format_backward=""
        )
        quantized = unquantized.assign(bits_post=_BITS_AFTER, method_post=methods.iloc[0])
        quantities["degradation_at_4_bits"] = loss_draws(fitted, quantized, drift=False).degradation
    return xr.Dataset({name: (("chain", "draw"), np.reshape(v, shape)) for name, v in quantities.items()})
