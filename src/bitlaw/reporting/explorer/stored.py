"""Draws as the explorer embeds them: every column of numbers once, and which of them each choice has."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bitlaw.decisions.law_draws import points_of
from bitlaw.decisions.on_offer import UNQUANTIZED, OnOffer, key_text
from bitlaw.inference.columns import law_columns
from bitlaw.inference.distance import post_bits
from bitlaw.inference.draws import law_parameters, noise_draws
from bitlaw.inference.fit import Fit
from bitlaw.inference.levels import level_names
from bitlaw.reporting.explorer.formulas import DRIFT, NOISE

UNBOUNDED = 1e9
"""Bits that nothing lies beyond."""

_FEWEST_SYMMETRIC_BITS = 2.0
_NOT_OF_AN_OPTION = ("n_params", "tokens", "ceiling", "bits_post", "post_symmetric")


@dataclass(frozen=True)
class Store:
    """Draws as columns of numbers, each once, with the place that every name has in it."""

    names: tuple[str, ...]
    numbers: list[np.ndarray]

    @classmethod
    def of(cls, fit: Fit, point: pd.DataFrame, seed: int) -> "Store":
        """The draws at a point that is not quantized."""
        common = law_parameters(fit, point)
        own = {parameter.name for parameter in (*fit.law.parameters, *fit.law.noise)}
        noise = noise_draws(fit, point, seed)
        values = {name: value[:, 0] for name, value in common.items() if name in own}
        values |= {name: fit.drift[name].to_numpy() for name in DRIFT}
        values |= {
            name: np.broadcast_to(part, (fit.samples(), 1))[:, 0]
            for name, part in zip(NOISE, (noise.cell, noise.run, noise.trained, noise.post), strict=True)
        }
        return cls(tuple(values), list(values.values()))

    def offer(
        self, fit: Fit, name: str, title: str, offer: Sequence[OnOffer], group: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What is on offer at a price, option by option."""
        return {"name": name, "title": title, "options": [self._option(fit, item, group) for item in offer]}

    def _option(self, fit: Fit, item: OnOffer, group: Mapping[str, Any]) -> dict[str, Any]:
        point = points_of((item,), [1.0], [1.0], group)
        return {
            "label": key_text(item.key),
            "bits": item.bits,
            "cost": item.cost,
            "columns": columns_of(point),
            "own": self._own(fit, point, ("scheme", "scheme_backward")),
        }

    def method(self, fit: Fit, method: str, group: Mapping[str, Any]) -> dict[str, Any]:
        """A post-training method: its columns, and its own constants."""
        point = points_of((UNQUANTIZED,), [1.0], [1.0], group)
        point = point.assign(bits_post=4.0, method_post=method)
        known, symmetric = post_bits(fit, point)[0], bool(law_columns(point)["post_symmetric"][0])
        lo, hi = (known.lo, known.hi) if known else (-UNBOUNDED, UNBOUNDED)
        return {
            "label": method,
            "fewest": _FEWEST_SYMMETRIC_BITS if symmetric else 1.0,
            "columns": {"post_symmetric": symmetric, "post_lo": lo, "post_hi": hi},
            "own": self._own(fit, point, ("method_post",)),
        }

    def _own(self, fit: Fit, point: pd.DataFrame, by: Sequence[str]) -> dict[str, int]:
        """Where the constants are that a point has of its level, by their place among the names."""
        found = {}
        levels = [column for column in by if level_names(point, column).iloc[0]]
        values = law_parameters(fit, point) if any(column in fit.law.by for column in levels) else {}
        for column in levels:
            for name in fit.law.by.get(column, ()):
                found[str(self.names.index(name))] = self._place(values[name][:, 0])
        return found

    def _place(self, draws: np.ndarray) -> int:
        for place, known in enumerate(self.numbers):
            if np.array_equal(known, draws):
                return place
        self.numbers.append(draws)
        return len(self.numbers) - 1

    def text(self) -> str:
        """All numbers, little-endian 64-bit floats in base 64."""
        return base64.b64encode(np.stack(self.numbers).astype("<f8").tobytes()).decode("ascii")


def columns_of(point: pd.DataFrame) -> dict[str, Any]:
    """Law columns of one point that are the same at any size, as plain JSON types; NaN is None."""
    columns = law_columns(point)
    plain = {name: values[0].item() for name, values in columns.items() if name not in _NOT_OF_AN_OPTION}
    return {"bits_post": None, "post_symmetric": False, "after": False, "loss_trained": None, **plain}
