"""Symmetric round-to-nearest quantization, forward only.

A group of values (the last dimension of a tensor) shares one scale, its
largest magnitude divided by the largest level; ``bits`` gives the levels
``-(2**(bits-1)-1) .. 2**(bits-1)-1``. Sixteen bits or more means exactly not
quantized. In training the gradient passes straight through.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

UNQUANTIZED_BITS = 16
SMALLEST_SCALE = 1e-12


@dataclass(frozen=True)
class Precision:
    """Bits of the weights, the linear layers' inputs, and the keys and values."""

    weights: int = UNQUANTIZED_BITS
    activations: int = UNQUANTIZED_BITS
    kv: int = UNQUANTIZED_BITS


def largest_level(bits: int) -> int:
    """Largest integer level of the symmetric grid with this many bits."""
    if bits < 2:
        raise ValueError(f"a symmetric grid needs at least 2 bits, not {bits}")
    return 2 ** (bits - 1) - 1


def round_to_nearest(values: torch.Tensor, bits: int) -> torch.Tensor:
    """Quantize each group along the last dimension (ties go to the even level)."""
    if bits >= UNQUANTIZED_BITS:
        return values
    scale = torch.linalg.vector_norm(values, ord=float("inf"), dim=-1, keepdim=True)
    scale = scale.div_(largest_level(bits)).clamp_min_(SMALLEST_SCALE)
    return (values / scale).round_().mul_(scale)


class StraightThrough(torch.autograd.Function):
    """Round to nearest in the forward pass, identity in the backward pass."""

    @staticmethod
    def forward(context, values: torch.Tensor, bits: int) -> torch.Tensor:
        return round_to_nearest(values, bits)

    @staticmethod
    def backward(context, gradient: torch.Tensor):
        return gradient, None


def fake_quantize(values: torch.Tensor, bits: int) -> torch.Tensor:
    """Quantized values whose gradient is that of the unquantized ones."""
    if bits >= UNQUANTIZED_BITS:
        return values
    return StraightThrough.apply(values, bits)
