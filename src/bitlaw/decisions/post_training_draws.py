"""What a post-training decision is made of: arrays over draws and bit-widths, before they are summarised."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bitlaw.decisions.critical_tokens import critical_tokens, no_critical_tokens
from bitlaw.decisions.groups import group_columns, level_of_method
from bitlaw.decisions.measured_points import measured_options, measurement_draws
from bitlaw.decisions.post_training_decision import PostTrainingDecision
from bitlaw.inference.draws import KnownRun, law_parameters, loss_draws, points_frame
from bitlaw.inference.drift import structural_error
from bitlaw.inference.fit import Fit
from bitlaw.inference.run_effect import Measured, known_run


def question_points(fit: Fit, asked: PostTrainingDecision, bits: Sequence[float]) -> pd.DataFrame:
    """The run of a question quantized to each of the bit-widths."""
    return points_frame(
        run_id="planned",
        n_params=asked.n_params,
        tokens=asked.tokens,
        bits_weights=asked.bits_weights,
        bits_activations=asked.bits_activations,
        bits_kv=asked.bits_kv,
        bits_post=list(bits),
        method_post=level_of_method(fit, asked.method_post),
        **group_columns(fit, asked.group),
    )


@dataclass(frozen=True)
class PostTrainingDraws:
    """Draws of what a decision rests on, shape (samples, options) but for ``growth``.

    Parameters
    ----------
    bits_post
        Bit-width of each option.
    within_measured
        Whether each lies within those measured with this method.
    measured
        Whether each was measured on this very checkpoint.
    degradation
        Degradation of the law's mean, nats/token; with the run's own effect where degradations were measured
        on it.
    new_run_degradation
        That of a new run, or of this checkpoint where degradations were measured on it: where an option was
        measured, what was measured.
    undrifted
        That of the law's mean without structural error.
    critical_tokens
        D_crit; None where the law does not say.
    drift
        What structural error adds to the logarithm of the degradation; None where it is left out.
    growth
        γD, shape (samples,).
    share
        Number of effective draws as a share of their number.
    known
        What is known of the run from degradations measured on it; None without any, and of a stack.
    """

    bits_post: tuple[float, ...]
    within_measured: tuple[bool, ...]
    measured: tuple[bool, ...]
    degradation: np.ndarray
    new_run_degradation: np.ndarray
    undrifted: np.ndarray
    critical_tokens: np.ndarray | None
    drift: np.ndarray | None
    growth: np.ndarray
    share: float
    known: KnownRun | None

    @property
    def effective(self) -> float:
        """Number of effective draws, for Monte Carlo errors."""
        return self.share * len(self.growth)


def post_training_draws(
    fit: Fit, points: pd.DataFrame, asked: PostTrainingDecision, prior: bool
) -> PostTrainingDraws:
    """Draws of every option under one law, from the posterior or the prior.

    Parameters
    ----------
    fit
        The fit.
    points
        From ``question_points``.
    asked
        The question; its method, loss, measurements, seed and drift are used.
    prior
        Use draws of the prior in place of the posterior; of what was measured the prior knows nothing.
    """
    measured = asked.measured
    known = None if prior or measured is None else known_run(fit, measured, asked.seed, asked.drift)
    draws = loss_draws(fit, points, prior, asked.seed, asked.loss, asked.drift, known)
    plain = draws.degradation
    if asked.drift and structural_error(fit, points) is not None:
        plain = loss_draws(fit, points, prior, asked.seed, asked.loss, False, known).degradation
    critical = None if no_critical_tokens(fit.law) else critical_tokens(fit, points, prior, asked.drift)
    method = points["method_post"].iloc[0]
    seen = fit.rows.loc[fit.rows["method_post"] == method, "bits_post"]
    bits = points["bits_post"].to_numpy(np.float64)
    which = [None] * len(points) if known is None else measured_options(measured, points)
    return PostTrainingDraws(
        bits_post=tuple(bits.tolist()),
        within_measured=tuple(((seen.min() <= bits) & (bits <= seen.max())).tolist()),
        measured=tuple(index is not None for index in which),
        degradation=draws.degradation,
        new_run_degradation=_with_measured(
            fit, draws.new_run_degradation, measured, which, known, asked.seed
        ),
        undrifted=plain,
        critical_tokens=_behind(critical, known),
        drift=_behind(_degradation_error(fit, points, fit.samples(prior)), known) if asked.drift else None,
        growth=_behind(law_parameters(fit, points.iloc[[0]], prior)["gamma_D"][:, 0], known),
        share=1.0 if known is None else known.effective / len(known.rows),
        known=known,
    )


def _with_measured(
    fit: Fit,
    drawn: np.ndarray,
    measured: Measured | None,
    which: Sequence[int | None],
    known: KnownRun | None,
    seed: int,
) -> np.ndarray:
    """Draws of new runs, with what was measured where an option was."""
    if measured is None or known is None:
        return drawn
    drawn = drawn.copy()
    p = law_parameters(fit, measured.points)
    for option, index in enumerate(which):
        if index is not None:
            freedom, scale = (
                p[name][known.rows, index if p[name].shape[1] > 1 else 0] for name in ("nu_gap", "sigma_gap")
            )
            drawn[:, option] = measurement_draws(measured, index, freedom, scale, seed)
    return drawn


def _behind[Draws: np.ndarray | None](draws: Draws, known: KnownRun | None) -> Draws:
    """The draws in the order of what is known of the run."""
    return draws if draws is None or known is None else draws[known.rows]


def _degradation_error(fit: Fit, points: pd.DataFrame, samples: int) -> np.ndarray:
    error = structural_error(fit, points)
    return np.broadcast_to(0.0 if error is None else error.log_degradation, (samples, len(points)))
