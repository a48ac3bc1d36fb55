"""The numbers a report leads with: they must have converged, too."""

import numpy as np
import pandas as pd
import xarray as xr

from bitlaw.inference.draws import loss_draws
from bitlaw.inference.fit import Fit


def reported_quantities(fitted: Fit) -> xr.Dataset:
    """The numbers a report leads with, as draws by chain: they must have converged, too."""
    shape = (fitted.posterior.sizes["chain"], fitted.posterior.sizes["draw"])
    largest = fitted.largest_run()
    point = pd.DataFrame([largest])
    quantities = {"loss_of_largest_run": loss_draws(fitted, point).trained}
    methods = fitted.rows.loc[fitted.rows["bits_post"].notna(), "method_post"]
    if len(methods):
        unquantized = point.assign(bits_weights=16.0, bits_activations=16.0, bits_kv=16.0)
        quantized = unquantized.assign(bits_post=4.0, method_post=methods.iloc[0])
        quantities["degradation_at_4_bits"] = loss_draws(fitted, quantized).degradation
    return xr.Dataset({name: (("chain", "draw"), np.reshape(v, shape)) for name, v in quantities.items()})
