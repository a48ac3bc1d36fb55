"""What training and serving cost: FLOP, FLOP weighted by bits, GPU-hours, money, memory."""

import re

import numpy as np

from bitlaw.errors import InputError
from bitlaw.laws.formats import floating_point, is_unquantized
from bitlaw.runs.columns import UNQUANTIZED_BITS

_FLOP_PER_PARAMETER_AND_TOKEN = 6.0
_FLOP_PER_PARAMETER_AND_TOKEN_SERVED = 2.0
_SCALE_BITS = 8.0
"""Bits of the scale that the elements of a block share, in MX formats and NVFP4."""

_SECONDS_PER_HOUR = 3600.0
_TERA = 1e12
_BITS_PER_BYTE = 8.0

_NUMBER = re.compile(r"\d+(\.\d+)?")


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
    return training_flop(n_params, tokens) * cost_in_bits(bits)


def cost_in_bits(bits: np.ndarray | float) -> np.ndarray | float:
    """Cost of a FLOP at P bits relative to one at 16, where it is in proportion to the bits (arXiv 2411.04330).

    Examples
    --------
    >>> cost_in_bits(8.0)
    0.5
    """
    return bits / UNQUANTIZED_BITS


def tokens_bought(
    flops: np.ndarray | float, n_params: np.ndarray | float, cost: np.ndarray | float
) -> np.ndarray | float:
    """Tokens that a budget trains N parameters on in a precision: its cost 6 N D solved for D.

    Parameters
    ----------
    flops
        Budget, FLOP at 16 bits.
    n_params
        Non-embedding parameters.
    cost
        Cost of a FLOP in that precision, relative to one at 16 bits (``cost_in_bits``).

    Examples
    --------
    >>> tokens_bought(1.2e20, 1e9, cost_in_bits(8))
    40000000000.0
    """
    return flops / (training_flop(n_params, 1.0) * cost)


def gpu_hours(flop: np.ndarray | float, tflops_per_second: np.ndarray | float) -> np.ndarray | float:
    """GPU-hours that FLOP take; on several chips wall-clock hours times their number.

    Parameters
    ----------
    flop
        FLOP.
    tflops_per_second
        Speed per chip, TFLOP/s: measured end to end, or the peak times its utilisation.

    Examples
    --------
    >>> gpu_hours(1.44e21, 400.0)
    1000.0
    """
    return flop / (tflops_per_second * _TERA * _SECONDS_PER_HOUR)


def flop_in(hours: np.ndarray | float, tflops_per_second: np.ndarray | float) -> np.ndarray | float:
    """FLOP that GPU-hours do: ``gpu_hours`` solved for them.

    Parameters
    ----------
    hours
        GPU-hours.
    tflops_per_second
        Speed per chip, TFLOP/s.

    Examples
    --------
    >>> flop_in(1000.0, 400.0)
    1.44e+21
    """
    return hours * (tflops_per_second * _TERA * _SECONDS_PER_HOUR)


def money(hours: np.ndarray | float, price: float) -> np.ndarray | float:
    """What GPU-hours cost at a price per hour, in its currency.

    Examples
    --------
    >>> money(1000.0, 2.5)
    2500.0
    """
    return hours * price


def inference_flop(n_params: np.ndarray | float, tokens: np.ndarray | float) -> np.ndarray | float:
    """2 N D, the compute of serving D tokens, one forward pass each, in FLOP (arXiv 2001.08361).

    Parameters
    ----------
    n_params, tokens
        Non-embedding parameters and tokens served over the model's lifetime. Attention to the context is
        left out, as it is in 6 N D.

    Examples
    --------
    >>> inference_flop(7e9, 1e12)
    1.4e+22
    """
    return _FLOP_PER_PARAMETER_AND_TOKEN_SERVED * n_params * tokens


def weight_memory(n_params: np.ndarray | float, bits: np.ndarray | float) -> np.ndarray | float:
    """Memory of a model's weights at serving, bytes.

    Parameters
    ----------
    n_params
        Parameters, embeddings included where they are stored alike.
    bits
        Effective bits of a weight (``effective_bits``), the scales of its block included.

    Examples
    --------
    >>> weight_memory(7e9, effective_bits("mxfp4"))
    3718750000.0
    """
    return n_params * bits / _BITS_PER_BYTE


def kv_cache_memory(
    layers: int, kv_heads: int, head_dim: int, context: float, batch: float, bits: float
) -> float:
    """Memory of the keys and values of a batch at serving, bytes.

    Parameters
    ----------
    layers, kv_heads, head_dim
        Layers, key-value heads of each and their dimension.
    context, batch
        Tokens kept per sequence, and sequences.
    bits
        Effective bits of a key or value.

    Examples
    --------
    >>> kv_cache_memory(layers=32, kv_heads=8, head_dim=128, context=8192, batch=1, bits=16)
    1073741824.0
    """
    return 2.0 * layers * kv_heads * head_dim * context * batch * bits / _BITS_PER_BYTE


def effective_bits(name: str) -> float:
    """Bits per element of a number format, the scales of its blocks included.

    Parameters
    ----------
    name
        ``mxfp4``, ``nvfp4``, ``fp8``, a name that holds ``e4m3`` and the like (with its sign bit), or one
        whose first number is its bits, as ``int4-rtn`` or ``nf4``; unquantized formats have 16.

    Raises
    ------
    InputError
        If the name does not say.

    Examples
    --------
    >>> [effective_bits(name) for name in ("mxfp8", "mxfp6", "mxfp4", "nvfp4", "fp8", "e3m2", "int4", "bf16")]
    [8.25, 6.25, 4.25, 4.5, 8.0, 6.0, 4.0, 16.0]
    """
    if is_unquantized(name):
        return UNQUANTIZED_BITS
    known = floating_point(name)
    if known:
        scale = _SCALE_BITS / known.block_size if known.block_size else 0.0
        return 1.0 + known.exponent_bits + known.mantissa_bits + scale
    number = _NUMBER.search(name)
    bits = float(number[0]) if number else 0.0
    if not 1.0 <= bits <= UNQUANTIZED_BITS:
        raise InputError(
            f'format "{name}" does not say how many bits an element has, so what training in it costs is '
            "not known; valid: a name such as mxfp4, fp8-e4m3, int4 or nf4"
        )
    return bits
