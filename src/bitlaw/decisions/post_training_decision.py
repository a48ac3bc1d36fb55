"""The answer to whether a model may be quantized after training, and how far."""

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from bitlaw.decisions.caveats import is_beyond
from bitlaw.decisions.costs import weight_memory
from bitlaw.decisions.decision import Decision
from bitlaw.decisions.hardware import Chip
from bitlaw.decisions.intervals import count_text, drift_text, interval_text, json_value, nats_text
from bitlaw.decisions.on_offer import key_text
from bitlaw.decisions.serving import BYTES_PER_GB, KvCache, Serving
from bitlaw.inference.run_effect import Measured
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.units import LOSS_UNIT, Interval, format_bits, format_count, format_probability


@dataclass(frozen=True)
class PostTrainingOption:
    """One bit-width to quantize to after training.

    Parameters
    ----------
    bits_post
        Weight precision after training.
    degradation
        What quantizing adds to the loss of a new run, nats/token: with its run effect and relative
        error. Of this checkpoint, where degradations were measured on it.
    degradation_mean
        The same under the law's mean; with the checkpoint's run effect, where measurements tell it.
    probability_safe
        Probability that a new run's degradation is within tolerance.
    probability_error
        Monte Carlo error of that probability.
    critical_tokens
        D_crit, tokens beyond which more pretraining hurts after this quantization; inf where never,
        None where the law does not say.
    probability_past_critical
        Probability that D_crit lies below the planned tokens; None where the law does not say.
    source
        "measured" where the degradation was measured on this very checkpoint, which ``degradation`` then is,
        with the error of its measurement; else "law".
    within_measured
        Whether the bits lie within those measured with this method on any run.
    drift
        What structural error beyond the data adds: standard deviation of its part in the logarithm of the
        degradation before the bound; 0 inside, None where drift is left out.
    refused
        Whether it may not be recommended, for nothing measured supports it.
    weights_gb
        Memory of the weights at serving, GB: N bits / 8, without scales of groups and embeddings.
    """

    bits_post: float
    degradation: Interval
    degradation_mean: Interval
    probability_safe: float
    probability_error: float
    critical_tokens: Interval | None
    probability_past_critical: float | None
    source: Literal["law", "measured"]
    within_measured: bool
    drift: float | None
    refused: bool
    weights_gb: float

    @property
    def is_measured(self) -> bool:
        """Whether its degradation was measured on this very checkpoint."""
        return self.source == "measured"

    def to_dict(self) -> dict[str, Any]:
        """The option as plain JSON types."""
        return json_value(vars(self))


@dataclass(frozen=True, kw_only=True)
class PostTrainingDecision(Decision):
    """How few bits a trained model may safely be quantized to, under one law or a stack of laws.

    Parameters
    ----------
    n_params, tokens
        The training run.
    bits_weights, bits_activations, bits_kv
        Its training precision.
    loss
        Its measured loss, nats/token; None = the law's.
    run_id
        The fitted run that it is; None for another one.
    measured
        Degradations measured on it, which take precedence over the law; None without any.
    method_post
        Post-training method.
    group
        Group of a pooled fit.
    tolerance
        Acceptable degradation, nats/token.
    confidence
        Probability of staying within it that is asked of a safe option.
    options
        Every bit-width on offer, largest first.
    smallest_safe_bits
        Fewest bits that are safe, all larger ones on offer being safe as well; None if none is, and where
        the answer is refused.
    probability_grows
        Probability that the degradation grows with tokens, γD > 0.
    kv_cache
        What is kept of the tokens read at serving; None where that was not asked.
    chips
        The chips it may be served on.
    under_prior
        The same decision from the prior alone; None in that decision itself.
    """

    n_params: float
    tokens: float
    bits_weights: float
    bits_activations: float
    bits_kv: float
    loss: float | None
    run_id: str | None
    measured: Measured | None = field(compare=False)
    method_post: str
    group: str | None
    tolerance: float
    confidence: float
    options: tuple[PostTrainingOption, ...]
    smallest_safe_bits: float | None
    probability_grows: float
    kv_cache: KvCache | None = None
    chips: tuple[Chip, ...] = ()
    under_prior: "PostTrainingDecision | None" = None

    @property
    def at_edge(self) -> bool:
        """Whether the smallest safe bits are the smallest that may be recommended: fewer may be safe too."""
        allowed = [option.bits_post for option in self.options if not option.refused]
        return bool(allowed) and self.smallest_safe_bits == allowed[-1]

    @property
    def refused(self) -> bool:
        """Whether nothing measured supports any answer."""
        return all(option.refused for option in self.options)

    @property
    def answer(self) -> str:
        """The recommendation in two words."""
        if self.refused:
            return "refused"
        return "none on offer" if self.smallest_safe_bits is None else key_text(self.smallest_safe_bits)

    @property
    def serving(self) -> Serving:
        """Memory at serving: weights in the safe bits, or without any as trained; keys and values in the run's bits."""
        safe = self.smallest_safe_bits
        return self.serving_in(min(self.bits_weights, UNQUANTIZED_BITS) if safe is None else safe)

    def serving_in(self, bits: float) -> Serving:
        """Memory at serving with weights in these bits."""
        weights_gb = float(weight_memory(self.n_params, bits)) / BYTES_PER_GB
        return Serving(bits, weights_gb, min(self.bits_kv, UNQUANTIZED_BITS), self.kv_cache, self.chips)

    @property
    def kv_cache_gb(self) -> float | None:
        """Memory of the keys and values at serving, GB, in the run's own bits; None where that was not asked."""
        return self.serving.kv_cache_gb

    @property
    def shown(self) -> PostTrainingOption:
        """The option that the answer is about: the safe one, else the one with the most bits."""
        return self.options[0] if self.smallest_safe_bits is None else self.option(self.smallest_safe_bits)

    def option(self, bits_post: float) -> PostTrainingOption:
        """The option with these bits."""
        return next(option for option in self.options if option.bits_post == bits_post)

    def sentence(self) -> str:
        """The answer in words, with its uncertainty."""
        if self.refused and self.risk is not None:
            return (
                f"{self.risk.refusal()} That is about a run of {format_count(self.n_params)} parameters on "
                f"{format_count(self.tokens)} tokens, quantized after training. What {self.law} and its priors "
                "would say of each bit-width is in the table, no basis for a decision."
            )
        safe = self.smallest_safe_bits
        method = self.method_post or "an unnamed method"
        allowed = (
            f"within {nats_text(self.tolerance)} {LOSS_UNIT}, about "
            f"{100 * math.expm1(self.tolerance):.2g} % of perplexity"
        )
        start = (
            f"Under {self.law}, a run of {format_count(self.n_params)} parameters on "
            f"{format_count(self.tokens)} tokens quantized after training by {method} "
        )
        shown = self.shown
        if safe is None:
            answer = (
                f"is not safe at any bit-width on offer ({allowed}, with probability "
                f"{format_probability(self.confidence)} asked); at {format_bits(shown.bits_post)} bits"
            )
        else:
            answer = f"is safe down to {format_bits(safe)} bits ({allowed}):"
        drift = 0.0 if shown.is_measured else shown.drift
        said = drift_text(self.drift, drift, is_beyond(self.findings), "the degradation")
        parts = [
            f"{start}{answer} the probability is {format_probability(shown.probability_safe)} "
            f"(Monte Carlo error {100 * shown.probability_error:.1f} %) and {self._whose(shown)} "
            f"{interval_text(shown.degradation)}.{said}",
            self._critical(shown),
            f"The degradation grows with tokens with probability "
            f"{format_probability(self.probability_grows)}.",
        ]
        parts.append(self.serving.text())
        refused = [format_bits(option.bits_post) for option in self.options if option.refused]
        if self.at_edge:
            edge = "that may be recommended" if refused else "on offer"
            parts.append(f"That is the smallest {edge}: fewer bits may be safe too.")
        if refused:
            parts.append(
                f"Not to be recommended, for nothing measured supports {'it' if len(refused) == 1 else 'them'}: "
                f"{', '.join(refused)} bits."
            )
        if self.under_prior is not None:
            parts.append(f"The prior alone would say {self.under_prior.answer}.")
        if self.risk is not None:
            parts.append(self.risk.sentence())
        return " ".join(part for part in parts if part)

    def _whose(self, option: PostTrainingOption) -> str:
        if option.is_measured:
            return "the degradation measured on this checkpoint"
        return "a new run's degradation" if self.measured is None else "the degradation of this checkpoint"

    def _critical(self, option: PostTrainingOption) -> str:
        if option.critical_tokens is None or option.probability_past_critical is None:
            return ""
        return (
            f"More pretraining hurts there beyond {count_text(option.critical_tokens)}; the planned "
            f"{format_count(self.tokens)} are past that with probability "
            f"{format_probability(option.probability_past_critical)}."
        )

    def table(self) -> pd.DataFrame:
        """One row per option, for display."""
        return pd.DataFrame(
            [
                {
                    "bits after training": option.bits_post,
                    "probability safe": option.probability_safe,
                    "error": option.probability_error,
                    "source": option.source,
                    "degradation": interval_text(option.degradation),
                    "of the law's mean": interval_text(option.degradation_mean),
                    "critical tokens": option.critical_tokens and count_text(option.critical_tokens),
                    "probability past them": option.probability_past_critical,
                    "within measured bits": option.within_measured,
                    "weights, GB": float(f"{option.weights_gb:.3g}"),
                    **self.serving_in(option.bits_post).cells(),
                    "refused": option.refused,
                }
                for option in self.options
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """The decision as plain JSON types."""
        asked = (
            "n_params",
            "tokens",
            "bits_weights",
            "bits_activations",
            "bits_kv",
            "loss",
            "run_id",
            "method_post",
            "group",
        )
        return self.record() | {
            "question": {name: json_value(getattr(self, name)) for name in asked},
            "kv_cache": None if self.kv_cache is None else vars(self.kv_cache) | {"gb": self.kv_cache_gb},
            "serving": self.serving.to_dict() if self.chips else None,
            "measured": _measurements(self.measured),
            "tolerance": self.tolerance,
            "confidence": self.confidence,
            "options": [option.to_dict() for option in self.options],
            "smallest_safe_bits": self.smallest_safe_bits,
            "refused": self.refused,
            "at_edge": self.at_edge,
            "probability_grows": self.probability_grows,
            "under_prior": None if self.under_prior is None else self.under_prior.to_dict(),
        }


def _measurements(measured: Measured | None) -> list[dict[str, Any]]:
    """Degradations measured on the checkpoint, as plain JSON types."""
    if measured is None:
        return []
    columns = {
        "bits_post": measured.points["bits_post"].tolist(),
        "method_post": measured.points["method_post"].tolist(),
        "degradation": measured.gap.tolist(),
        "standard_error": [error or None for error in measured.error.tolist()],
        "fitted": measured.fitted.tolist(),
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
