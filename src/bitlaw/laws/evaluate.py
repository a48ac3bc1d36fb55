"""A law evaluated on run columns: the only place where its terms meet."""

import math
from dataclasses import dataclass
from typing import Any

from bitlaw.laws.law import Law, Reference, Values

_SMALLEST_ROOM = 1e-6


def bounded(penalty: Any, loss: Any, ceiling: Any, xp: Any) -> Any:
    """A precision penalty that never makes a model worse than guessing.

    (H - L)(1 - exp(-Δ/(H - L))), with H = ln(vocabulary) and L the loss before the penalty; the
    penalty itself where H is infinite (vocabulary unknown).

    Parameters
    ----------
    penalty
        Δ >= 0, nats/token.
    loss
        L, nats/token.
    ceiling
        H, nats/token; ``inf`` for no bound.
    xp
        Array namespace.

    Examples
    --------
    >>> import numpy
    >>> round(float(bounded(1e9, 2.0, numpy.log(256), numpy) + 2.0), 6), round(float(numpy.log(256)), 6)
    (5.545177, 5.545177)
    >>> float(bounded(0.25, 2.0, numpy.inf, numpy))
    0.25
    """
    known = ceiling < math.inf
    room = xp.where(known, ceiling, loss + 1.0) - loss
    safe_room = xp.maximum(room, _SMALLEST_ROOM)
    inside = xp.minimum(-safe_room * xp.expm1(-penalty / safe_room), xp.maximum(room, 0.0))
    return xp.where(known, inside, penalty)


@dataclass(frozen=True)
class StructuralError:
    """What a law's form may be off by at points; arrays that broadcast with what the law gives there.

    Parameters
    ----------
    log_loss
        Error of the logarithm of the loss of an unquantized run. Options at the same parameters and
        tokens share it, so that differences between precisions carry that of the penalty alone.
    log_penalty
        Error of the logarithm of the penalty of training in low precision, before the bound.
    log_degradation
        Error of the logarithm of the degradation after training, before the bound.
    """

    log_loss: Any = 0.0
    log_penalty: Any = 0.0
    log_degradation: Any = 0.0


@dataclass(frozen=True)
class Trained:
    """Runs as trained, before any post-training quantization.

    Parameters
    ----------
    log_n
        ln(N_eff/N̄).
    unquantized
        Loss of the same run without quantization, nats/token.
    penalty
        What training precision adds to it, bounded, nats/token.
    """

    log_n: Any
    unquantized: Any
    penalty: Any

    @property
    def loss(self) -> Any:
        """Loss as trained, nats/token."""
        return self.unquantized + self.penalty


def train(
    law: Law,
    p: Values,
    columns: Values,
    reference: Reference,
    xp: Any,
    error: StructuralError | None = None,
) -> Trained:
    """Runs as the law has them trained.

    Parameters
    ----------
    law
        The law.
    p
        Its constants; scalars, or arrays that broadcast with the columns.
    columns
        ``n_params``, ``tokens``, ``ceiling`` (ln V or inf), and those its terms read; for a law on the
        observed base ``loss_trained``.
    reference
        Scales of the fit.
    xp
        Array namespace.
    error
        What the law is off by; None = nothing.
    """
    log_n = xp.log(columns["n_params"] / reference.n_params)
    log_d = xp.log(columns["tokens"] / reference.tokens)
    if law.base.loss is None:
        return Trained(log_n, columns["loss_trained"], 0.0)
    whole_n = log_n + law.log_share_n_at_16(p, xp)
    unquantized = law.base.loss(p, whole_n, log_d, xp)
    drifted = unquantized if error is None else unquantized * xp.exp(error.log_loss)
    if not law.training:
        return Trained(log_n, drifted, 0.0)
    effective_n, effective_d, added = log_n, log_d, 0.0
    for term in law.training:
        if term.log_share_n is not None:
            effective_n = effective_n + term.log_share_n(p, columns, xp)
        if term.log_share_d is not None:
            effective_d = effective_d + term.log_share_d(p, columns, xp)
        if term.penalty is not None:
            added = added + term.penalty(p, columns, log_n, log_d, xp)
    if effective_n is not log_n or effective_d is not log_d:
        added = added + (law.base.loss(p, effective_n, effective_d, xp) - unquantized)
    if error is not None:
        added = added * xp.exp(error.log_penalty)
    return Trained(effective_n, drifted, bounded(added, drifted, columns["ceiling"], xp))


def log_post_degradation(
    law: Law,
    p: Values,
    columns: Values,
    log_effective_n: Any,
    reference: Reference,
    xp: Any,
    error: StructuralError | None = None,
) -> Any:
    """Ln δ of each post-training quantized row, before the bound; δ in nats/token.

    Parameters
    ----------
    law, p, columns, reference, xp, error
        As for ``train``.
    log_effective_n
        ln(N_eff/N̄) of the run as trained.

    Raises
    ------
    ValueError
        If the law has no post-training term.
    """
    if law.post is None:
        raise ValueError(f"law {law.name} has no post-training quantization term")
    log_d = xp.log(columns["tokens"] / reference.tokens)
    log_delta = law.post.log_degradation(p, columns, log_effective_n, log_d, xp)
    return log_delta if error is None else log_delta + error.log_degradation
