"""The units a loss may be logged in, and their way to nats per token."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from bitlaw.runs.columns import BY_NAME, Column


@dataclass(frozen=True)
class LossUnit:
    """A unit of the loss.

    Parameters
    ----------
    loss, loss_se
        Column specs of the loss and its standard error in this unit.
    to_nats
        Loss in this unit to nats/token.
    se_to_nats
        (standard error, loss), both in this unit, to the standard error in nats/token; to first
        order where the conversion is not linear.
    """

    loss: Column
    loss_se: Column
    to_nats: Callable[[float], float]
    se_to_nats: Callable[[float, float], float]


def _unit(
    unit: str, low: float, to_nats: Callable[[float], float], se_to_nats: Callable[[float, float], float]
) -> LossUnit:
    loss = replace(BY_NAME["loss"], unit=unit, low=low)
    return LossUnit(loss, replace(BY_NAME["loss_se"], unit=unit), to_nats, se_to_nats)


LOSS_UNIT_BY_NAME: dict[str, LossUnit] = {
    "nats": _unit("nats/token", 0, lambda loss: loss, lambda error, _: error),
    "bits": _unit("bits/token", 0, lambda loss: loss * math.log(2), lambda error, _: error * math.log(2)),
    "perplexity": _unit("perplexity", 1, math.log, lambda error, loss: error / loss),
}
