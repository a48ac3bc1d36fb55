"""Chinchilla's constants sampled as what the data see at the centre of the table.

Where a table hardly shows the floor, E, a and α lie on a curved ridge. The loss at the centre, the
shares of it, and its slopes do not: L = E + a + b, e = E/L, w = a/(a + b), s_N = aα/L, s_D = bβ/L. The
map from (ln L, logit e, logit w, ln s_N, ln s_D) to (ln E, ln a, ln b, ln α, ln β) has determinant 1,
so densities of the logarithms carry over as they are, and the priors stay exactly the law's.

Where an unquantized run, too, has only a share f of its parameters (effective parameters as printed), the
data see a f^-α, and that takes the place of a: given f and α the map from one to the other is a shift of
ln a, so that the determinant stays 1.
"""

from typing import Any

import pymc as pm
import pytensor.tensor as pt

from bitlaw.inference.distributions import arguments
from bitlaw.laws.law import Law

COORDINATES = ("centre_loss", "centre_floor", "centre_share", "centre_slope_n", "centre_slope_d")
_CONSTANTS = ("E", "a", "b", "alpha", "beta")
_EQUAL = ("E", "a", "b", "alpha")


def is_centred(law: Law) -> bool:
    """Whether a law's base is sampled in these coordinates."""
    return tuple(parameter.name for parameter in law.base.sampled) in (_CONSTANTS, _EQUAL) and not any(
        name in law.ties for name in _CONSTANTS
    )


def centred_constants(law: Law, log_share: Any = 0.0) -> dict[str, Any]:
    """Variables E, a, b, α and, unless the exponents are equal, β with the priors of the law.

    Parameters
    ----------
    law
        A law for which ``is_centred``.
    log_share
        ln f, the logarithm of the share of its parameters that an unquantized run has.
    """
    names = [parameter.name for parameter in law.base.sampled]
    log_loss, log_odds_floor, log_odds_share = (pm.Flat(name) for name in COORDINATES[:3])
    floor, share = pt.sigmoid(log_odds_floor), pt.sigmoid(log_odds_share)
    log_reducible, log_share, log_rest = (
        pt.log(pt.sigmoid(-log_odds_floor)),
        pt.log(share),
        pt.log(pt.sigmoid(-log_odds_share)),
    )
    logs = {
        "E": log_loss + pt.log(floor),
        "a": log_loss + log_reducible + log_share,
        "b": log_loss + log_reducible + log_rest,
    }
    slope_n = pm.Flat(COORDINATES[3])
    if "beta" in names:
        logs["alpha"] = slope_n - log_reducible - log_share
        logs["beta"] = pm.Flat(COORDINATES[4]) - log_reducible - log_rest
    else:
        logs["alpha"] = slope_n - log_reducible
    logs["a"] = logs["a"] + pt.exp(logs["alpha"]) * log_share
    for name in names:
        median, sigma = arguments(law.prior(name))
        pm.Potential(f"{name}_prior", pm.logp(pm.Normal.dist(pt.log(median), sigma), logs[name]))
    return {name: pm.Deterministic(name, pt.exp(logs[name])) for name in names}
