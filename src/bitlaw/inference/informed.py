"""Which quantities of a law a run table says anything about; the others need no sampler."""

from collections.abc import Iterator

import numpy as np

from bitlaw.inference.columns import take
from bitlaw.inference.likelihood import trained_scale
from bitlaw.inference.prior import frozen
from bitlaw.inference.rows import Rows
from bitlaw.laws.evaluate import Trained, log_post_degradation, train
from bitlaw.laws.law import Law, Reference, Values

_PLACES = (0.3, 0.7)
"""Quantiles of the priors at which it is tried whether a quantity moves anything."""
_MOVED = 0.2
_ROUNDING = 1e-12


def uninformed(law: Law, rows: Rows, reference: Reference) -> tuple[str, ...]:
    """Sampled quantities that no row informs: moving them moves no expected loss and no noise.

    The constants of the KV cache where none was quantized, say, or of a post-training term where no
    row was quantized after training. Their posterior is their prior, so they are drawn from it. The
    spread of cells is not among them: without cells there is no effect to have a spread.

    Parameters
    ----------
    law
        The law.
    rows
        The arranged run table.
    reference
        Scales of the fit.
    """
    priors = {prior.name: frozen(prior, reference) for prior in law.priors}
    never = {"sigma_cell", *(parameter.name for parameter in law.base.sampled)}
    left = [name for name in priors if name not in never]
    for place in _PLACES:
        p = {name: np.array([[prior.ppf(place)]]) for name, prior in priors.items()}
        seen = list(_seen(law, law.complete(p, np), rows, reference))
        for name in tuple(left):
            moved = p | {name: np.array([[priors[name].ppf(_MOVED)]])}
            after = _seen(law, law.complete(moved, np), rows, reference)
            if not all(_alike(*pair) for pair in zip(seen, after, strict=True)):
                left.remove(name)
    return tuple(left)


def _alike(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two evaluations differ by no more than rounding does, which constants that cancel leave behind."""
    return np.allclose(first, second, rtol=_ROUNDING, atol=_ROUNDING, equal_nan=True)


def _seen(law: Law, p: Values, rows: Rows, reference: Reference) -> Iterator[np.ndarray]:
    """Everything the likelihood of the rows depends on."""
    run = train(law, p, rows.run_columns, reference, np)
    if not law.base.is_observed:
        yield from (run.loss, trained_scale(p, run, 0.0, np), p["nu"])
    post_rows = [block for block in (rows.paired, rows.unpaired) if len(block)]
    if law.post is not None and post_rows:
        yield from (p["tau"], p["kappa"])
        for block in post_rows:
            yield _log_delta(law, p, run, rows, block.run, block.row, reference)
        if len(rows.paired):
            yield from (p["sigma_gap"], p["nu_gap"])


def _log_delta(
    law: Law, p: Values, run: Trained, rows: Rows, of_run: np.ndarray, row: np.ndarray, reference: Reference
) -> np.ndarray:
    log_n = np.broadcast_to(run.log_n, (1, len(rows.run_ids)))[:, of_run]
    return np.asarray(log_post_degradation(law, p, take(rows.columns, row), log_n, reference, np))
