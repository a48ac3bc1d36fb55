"""A law evaluated on run columns: the only place where its terms meet."""

import math
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


def log_effective_params(law: Law, p: Values, columns: Values, reference: Reference, xp: Any) -> Any:
    """ln(N_eff/N̄) of each run."""
    log_n = xp.log(columns["n_params"] / reference.n_params)
    if law.capacity is None:
        return log_n
    return log_n + law.capacity.log_share(p, columns, xp)


def trained_loss(
    law: Law, p: Values, columns: Values, log_effective_n: Any, reference: Reference, xp: Any
) -> Any:
    """Loss of each run as trained, before any post-training quantization, in nats/token.

    Parameters
    ----------
    law
        The law.
    p
        Its constants; scalars, or arrays that broadcast with the columns.
    columns
        ``n_params``, ``tokens``, ``ceiling`` (ln V or inf).
    log_effective_n
        What ``log_effective_params`` gave for these columns.
    reference
        Scales of the fit.
    xp
        Array namespace.
    """
    log_d = xp.log(columns["tokens"] / reference.tokens)
    if law.capacity is None:
        return law.base.loss(p, log_effective_n, log_d, xp)
    unquantized = law.base.loss(p, xp.log(columns["n_params"] / reference.n_params), log_d, xp)
    penalty = law.base.loss(p, log_effective_n, log_d, xp) - unquantized
    return unquantized + bounded(penalty, unquantized, columns["ceiling"], xp)


def log_post_degradation(
    law: Law, p: Values, columns: Values, log_effective_n: Any, reference: Reference, xp: Any
) -> Any:
    """Ln δ of each post-training quantized row, before the bound; δ in nats/token.

    Raises
    ------
    ValueError
        If the law has no post-training term.
    """
    if law.post is None:
        raise ValueError(f"law {law.name} has no post-training quantization term")
    log_d = xp.log(columns["tokens"] / reference.tokens)
    return law.post.log_degradation(p, columns, log_effective_n, log_d, xp)
