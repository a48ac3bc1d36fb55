"""A small pre-norm decoder over bytes whose linear layers can be fake-quantized.

RMSNorm, rotary positions, causal attention, a GELU MLP four times as wide, no
biases. Only the four linear layers of each block are quantized and counted in
``n_params``; embedding, unembedding head and norms stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from quantize import Precision, fake_quantize
from torch import nn

VOCABULARY = 256
HEAD_WIDTH = 16
ROTARY_BASE = 1000.0


@dataclass(frozen=True)
class Shape:
    """Width and depth of a model."""

    width: int
    layers: int

    @property
    def n_params(self) -> int:
        """Parameters of the blocks' linear layers (non-embedding parameters)."""
        return 12 * self.width**2 * self.layers


def rotary_tables(context: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosine and signed sine tables of shape (context, HEAD_WIDTH)."""
    half = HEAD_WIDTH // 2
    frequencies = ROTARY_BASE ** (-torch.arange(half, dtype=torch.float32) / half)
    angles = torch.arange(context, dtype=torch.float32)[:, None] * frequencies
    sine = angles.sin()
    return angles.cos().repeat(1, 2), torch.cat([-sine, sine], dim=-1)


class QuantizedLinear(nn.Module):
    """Linear layer without bias; quantizes its weight rows and its input tokens."""

    def __init__(self, inputs: int, outputs: int, gain: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) * gain * inputs**-0.5)

    def forward(self, hidden: torch.Tensor, precision: Precision) -> torch.Tensor:
        return functional.linear(
            fake_quantize(hidden, precision.activations),
            fake_quantize(self.weight, precision.weights),
        )


class Block(nn.Module):
    """Attention and MLP, each behind a norm and added to the residual stream."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width, residual_gain = shape.width, (2 * shape.layers) ** -0.5
        self.heads = width // HEAD_WIDTH
        self.attention_norm = nn.RMSNorm(width, eps=1e-6)
        self.mlp_norm = nn.RMSNorm(width, eps=1e-6)
        self.query_key_value = QuantizedLinear(width, 3 * width)
        self.attention_out = QuantizedLinear(width, width, residual_gain)
        self.mlp_in = QuantizedLinear(width, 4 * width)
        self.mlp_out = QuantizedLinear(4 * width, width, residual_gain)

    def attend(
        self,
        hidden: torch.Tensor,
        precision: Precision,
        cosine: torch.Tensor,
        sine: torch.Tensor,
    ) -> torch.Tensor:
        batch, length, width = hidden.shape
        fused = self.query_key_value(hidden, precision)
        fused = fused.view(batch, length, 3, self.heads, HEAD_WIDTH)
        fused = fused.permute(2, 0, 3, 1, 4)
        turned, value = fused[:2], fused[2]
        query, key = turned * cosine + turned.roll(HEAD_WIDTH // 2, -1) * sine
        mixed = functional.scaled_dot_product_attention(
            query,
            fake_quantize(key, precision.kv),
            fake_quantize(value, precision.kv),
            is_causal=True,
        )
        mixed = mixed.transpose(1, 2).reshape(batch, length, width)
        return self.attention_out(mixed, precision)

    def forward(
        self,
        hidden: torch.Tensor,
        precision: Precision,
        cosine: torch.Tensor,
        sine: torch.Tensor,
    ) -> torch.Tensor:
        normed = self.attention_norm(hidden)
        hidden = hidden + self.attend(normed, precision, cosine, sine)
        inner = functional.gelu(self.mlp_in(self.mlp_norm(hidden), precision))
        return hidden + self.mlp_out(inner, precision)


class ByteDecoder(nn.Module):
    """Next-byte logits from bytes; the precision is given with each call."""

    def __init__(self, shape: Shape, context: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, shape.width)
        nn.init.normal_(self.embedding.weight, std=0.5)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width, eps=1e-6)
        self.head = nn.Linear(shape.width, VOCABULARY, bias=False)
        nn.init.normal_(self.head.weight, std=0.02)
        cosine, sine = rotary_tables(context)
        self.register_buffer("cosine", cosine, persistent=False)
        self.register_buffer("sine", sine, persistent=False)

    def forward(self, tokens: torch.Tensor, precision: Precision) -> torch.Tensor:
        hidden = self.embedding(tokens)
        for block in self.blocks:
            hidden = block(hidden, precision, self.cosine, self.sine)
        return self.head(self.norm(hidden))

    def block_weights(self) -> Iterator[nn.Parameter]:
        """The weights that are counted and quantized."""
        for module in self.modules():
            if isinstance(module, QuantizedLinear):
                yield module.weight
