"""What training costs: FLOP, and FLOP weighted by the bits they are done in."""

import numpy as np

from bitlaw.runs.columns import UNQUANTIZED_BITS

_FLOP_PER_PARAMETER_AND_TOKEN = 6.0


def training_flop(n_params: np.ndarray | float, tokens: np.ndarray | float) -> np.ndarray | float:
    """6 N D, the compute of a training run in FLOP (arXiv 2001.08361).

    Parameters
    ----------
    n_params, tokens
        Non-embedding parameters and training tokens.

    Examples
    --------
    >>> training_flop(1e9, 2e10)
    1.2e+20
    """
    return _FLOP_PER_PARAMETER_AND_TOKEN * n_params * tokens


def flop_bits_cost(
    n_params: np.ndarray | float, tokens: np.ndarray | float, bits: np.ndarray | float
) -> np.ndarray | float:
    """(6/16) N D P, compute in FLOP at 16 bits that a run at P bits costs (arXiv 2411.04330).

    Parameters
    ----------
    n_params, tokens
        Non-embedding parameters and training tokens.
    bits
        Joint training bits P: a multiplication in P bits is taken to cost P/16 of one in 16.

    Examples
    --------
    >>> flop_bits_cost(1e9, 2e10, 8)
    6e+19
    """
    return training_flop(n_params, tokens) * (bits / UNQUANTIZED_BITS)


def tokens_bought(flops: float, n_params: np.ndarray | float, bits: np.ndarray | float) -> np.ndarray | float:
    """Tokens that a budget trains N parameters on at P bits: ``flop_bits_cost`` solved for D.

    Parameters
    ----------
    flops
        Budget, FLOP at 16 bits.
    n_params, bits
        Non-embedding parameters and joint training bits.

    Examples
    --------
    >>> tokens_bought(1.2e20, 1e9, 8)
    40000000000.0
    """
    return flops / flop_bits_cost(n_params, 1.0, bits)
