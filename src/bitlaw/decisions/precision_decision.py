"""The answer to which training precision to use: options, uncertainty, and what to bear in mind."""

import math
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from bitlaw.decisions.caveats import is_beyond
from bitlaw.decisions.decision import Decision
from bitlaw.decisions.intervals import count_text, drift_text, interval_text, json_value, nats_text
from bitlaw.decisions.on_offer import Key, key_text
from bitlaw.decisions.precision_option import PrecisionOption
from bitlaw.decisions.question import PrecisionQuestion
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.units import LOSS_UNIT, Interval, format_amount, format_bits, format_duration, format_probability

_MOST_LISTED = 8
_WHERE_KNOWN = (
    "format", "runs in", "within tolerance", "probability it pays", "GPU-hours", "wall-clock hours", "money", "saved",
)  # fmt: skip
"""Columns of the table that only some questions have."""


@dataclass(frozen=True, kw_only=True)
class PrecisionDecision(Decision):
    """Which training precision to use, under one law or a stack of laws.

    Parameters
    ----------
    question
        What was asked.
    options
        Every precision on offer, dearest first.
    best
        Bits, or format, with the lowest expected loss; where parameters and tokens are fixed the cheapest that
        is within tolerance of 16 bits with probability ``confidence``. None if none on offer is, and where
        the answer is refused.
    near
        Expected regret up to which an option counts as near-optimal, nats/token.
    near_compute
        What ``near`` is worth in compute, as a share of the budget (0.04 = 4 % more); inf where
        more compute would not buy it.
    near_optimal
        The near-optimal options, by their bits or formats.
    ties
        Options whose probability of being best is within two Monte Carlo errors of the best's.
    at_edge
        Whether the best option has the fewest or most bits of those that may be recommended, so that the
        answer may lie outside (none on offer counts; with fixed sizes 16 bits and more do not).
    confidence
        Probability asked of an option where parameters and tokens are fixed.
    under_costs
        The answer under other cost models (``other_costs``), by the model; empty of the prior, and where the
        answer is refused.
    limit
        The continuous bit-width with the lowest loss, which nothing runs; None where there is none.
    under_prior
        The same decision from the prior alone; None in that decision itself.
    """

    question: PrecisionQuestion
    options: tuple[PrecisionOption, ...]
    best: Key | None
    near: float
    near_compute: float
    near_optimal: tuple[Key, ...]
    ties: tuple[Key, ...]
    at_edge: bool
    confidence: float
    under_costs: dict[str, str] = field(default_factory=dict)
    limit: Interval | None = None
    under_prior: "PrecisionDecision | None" = None

    @property
    def refused(self) -> bool:
        """Whether nothing measured supports any answer."""
        return all(option.refused for option in self.options)

    @property
    def answer(self) -> str:
        """The recommendation in two words."""
        if self.refused:
            return "refused"
        return "none on offer" if self.best is None else key_text(self.best)

    def option(self, key: Key) -> PrecisionOption:
        """The option with these bits, or in this format."""
        return next(option for option in self.options if option.key == key)

    def sentence(self) -> str:
        """The answer in words, with its uncertainty."""
        if self.refused and self.risk is not None:
            return (
                f"{self.risk.refusal()} That is about {self.question.text()}. What {self.law} and its priors "
                "would say of each option is in the table, no basis for a decision."
            )
        parts = [self._answer()]
        if self.best is not None:
            option = self.option(self.best)
            parts += [self.pays_text(option), self._spent_text(option)]
            said = drift_text(self.drift, option.drift, is_beyond(self.findings))
            parts.append(f"Its loss: {interval_text(option.loss)}.{said}")
        parts.append(self._near_text())
        if self.ties:
            parts.append(f"Tied within 2 Monte Carlo errors: {_list(self.ties)}.")
        refused = self._refused_text()
        if self.at_edge:
            edge = "may be recommended" if refused else "was offered"
            beyond = ": the optimum may lie beyond it" if self.question.pricing.chip is None else ""
            parts.append(f"That is the edge of what {edge}{beyond}.")
        parts.append(refused)
        parts += [self.under_costs_text(), self.limit_text()]
        if self.under_prior is not None:
            parts.append(f"The prior alone would say {self.under_prior.answer}.")
        if self.risk is not None:
            parts.append(self.risk.sentence())
        return " ".join(part for part in parts if part)

    def _refused_text(self) -> str:
        """Options that may not be recommended, with how they would do."""
        refused = [option for option in self.options if option.refused]
        if not refused:
            return ""
        would = max(refused, key=lambda option: option.probability_best)
        them, which = ("it", "it") if len(refused) == 1 else ("them", key_text(would.key))
        return (
            f"Not to be recommended, for nothing measured supports {them}: {_list(tuple(one.key for one in refused))} "
            f"(the law would have {which} best with probability {format_probability(would.probability_best)})."
        )

    def _answer(self) -> str:
        start = f"Under {self.law}, for {self.question.text()}, "
        if self.best is None:
            return (
                f"{start}none on offer stays within {nats_text(self.question.tolerance)} {LOSS_UNIT} "
                f"of 16 bits with probability {format_probability(self.confidence)}."
            )
        option = self.option(self.best)
        if option.probability_within is not None:
            return (
                f"{start}{option.called} is the cheapest option within "
                f"{nats_text(self.question.tolerance)} {LOSS_UNIT} of 16 bits "
                f"(probability {format_probability(option.probability_within)}, "
                f"{format_probability(self.confidence)} asked)."
            )
        sizes = ""
        if option.n_params.lo < option.n_params.hi or self.question.n_params is None:
            sizes = f", with {count_text(option.n_params)} and {count_text(option.tokens)}"
        return (
            f"{start}{option.called} has the lowest expected loss{sizes}. It is best with probability "
            f"{format_probability(option.probability_best)} (Monte Carlo error "
            f"{100 * option.probability_error:.1f} %), expected regret "
            f"{nats_text(option.expected_regret)} {LOSS_UNIT}."
        )

    def pays_text(self, best: PrecisionOption) -> str:
        """Whether the best option pays; where that is 16 bits, which of the others comes closest."""
        paying = [
            option for option in self.options if not option.refused and option.probability_pays is not None
        ]
        if best.probability_pays is not None or not paying or self.question.sizes_fixed:
            return best.pays_text("It") if best.probability_pays is not None else ""
        closest = max(paying, key=lambda option: option.probability_pays or 0.0)
        return closest.pays_text(closest.called)

    def _spent_text(self, option: PrecisionOption) -> str:
        """What an option takes and saves where parameters and tokens are fixed."""
        if option.saved is None:
            return ""
        takes = []
        if option.gpu_hours is not None:
            takes.append(f"{format_amount(option.gpu_hours)} GPU-hours{self._clock_text(option)}")
        if option.money is not None:
            takes.append(f"{format_amount(option.money)} in money")
        what = f"takes {' and '.join(takes)}, " if takes else "costs "
        if option.bits >= UNQUANTIZED_BITS:
            return f"It takes {' and '.join(takes)}." if takes else ""
        saved = f"{100 * abs(option.saved):.0f} % {'less' if option.saved >= 0 else 'more'} than 16 bits"
        return f"It {what}{saved}."

    def _clock_text(self, option: PrecisionOption) -> str:
        """How long that is on so many chips; empty where that is not known."""
        if option.wall_clock is None:
            return ""
        return f" ({format_duration(option.wall_clock)} on {self.question.pricing.gpus} at once)"

    def under_costs_text(self) -> str:
        """The answer under other cost models, those that agree together."""
        if not self.under_costs:
            return ""
        said = [
            f"{'the same' if answer == self.answer else answer} with {model}"
            for model, answer in self.under_costs.items()
        ]
        return f"Under another cost: {', '.join(said)}."

    def limit_text(self) -> str:
        """The continuous optimum, as a sentence; empty where there is none."""
        if self.limit is None:
            return ""
        return f"The limit of ever finer bit-widths, no option: {interval_text(self.limit)}."

    def _near_text(self) -> str:
        if not self.near_optimal:
            return self._none_near()
        within = f"{nats_text(self.near)} {LOSS_UNIT}"
        if math.isfinite(self.near_compute):
            within += f" (worth {100 * self.near_compute:.2g} % of compute)"
        return f"Near-optimal, regret within {within}: {_list(self.near_optimal)}."

    def _none_near(self) -> str:
        """That no option is near-optimal, and which would be given up least."""
        allowed = [option for option in self.options if not option.refused]
        least = min(allowed, key=lambda option: option.expected_regret)
        return (
            f"None is near-optimal: no option has an expected regret within {nats_text(self.near)} {LOSS_UNIT}, "
            f"for which is best is too uncertain. The lowest is {nats_text(least.expected_regret)} {LOSS_UNIT}, "
            f"of {key_text(least.key)}."
        )

    def table(self) -> pd.DataFrame:
        """One row per option, for display."""
        rows = []
        for option in self.options:
            row: dict[str, Any] = {
                "format": option.format,
                "bits": option.bits,
                "runs in": option.runs_in,
                "cost": option.cost,
                "probability best": option.probability_best,
                "error": option.probability_error,
                "within tolerance": option.probability_within,
                "expected regret": option.expected_regret,
                "loss": interval_text(option.loss),
                "parameters": count_text(option.n_params),
                "tokens": count_text(option.tokens),
                "break-even speed-up": interval_text(option.break_even),
                "probability it pays": option.probability_pays,
                "GPU-hours": option.gpu_hours,
                "wall-clock hours": option.wall_clock,
                "money": option.money,
                "saved": option.saved,
                "diverged": str(option.diverged),
                "measured": option.measured,
                "refused": option.refused,
            }
            rows.append(row)
        table = pd.DataFrame(rows)
        spent = () if self.question.sizes_fixed else ("GPU-hours", "wall-clock hours", "money")
        never = [name for name in _WHERE_KNOWN if name in spent or table[name].isna().all()]
        return table.drop(columns=never)

    def to_dict(self) -> dict[str, Any]:
        """The decision as plain JSON types."""
        question = self.question
        asked = ["flops", "n_params", "tokens", "tensors", "group"]
        asked += ["group_size"] if question.group_size is not None else []
        return self.record() | {
            "question": json_value({name: getattr(question, name) for name in asked} | _spending(question)),
            "options": [option.to_dict() for option in self.options],
            "best": self.best,
            "refused": self.refused,
            "near_optimal": list(self.near_optimal),
            "near": json_value(self.near),
            "near_compute": json_value(self.near_compute),
            "ties": list(self.ties),
            "at_edge": self.at_edge,
            "tolerance": question.tolerance,
            "confidence": self.confidence,
            "under_costs": self.under_costs,
            "limit": None if self.limit is None else json_value(self.limit.to_dict()),
            "under_prior": None if self.under_prior is None else self.under_prior.to_dict(),
        }


def _list(keys: tuple[Key, ...]) -> str:
    """Options by name, or the two ends of many bit-widths."""
    bits = [key for key in keys if not isinstance(key, str)]
    formats = [key for key in keys if isinstance(key, str)]
    widths = [f"{', '.join(map(format_bits, bits))} bits"] if bits else []
    if len(bits) > _MOST_LISTED:
        widths = [f"{len(bits)} options from {format_bits(min(bits))} to {format_bits(max(bits))} bits"]
    return ", ".join(widths + formats)


def _spending(question: PrecisionQuestion) -> dict[str, Any]:
    """What may be spent, and on what: plain JSON types."""
    pricing, budget = question.pricing, question.budget
    given = {name: getattr(budget, name, None) for name in ("gpu_hours", "money")}
    chip = None if pricing.chip is None else pricing.chip.name
    return {
        **given,
        "hardware": chip,
        "price": pricing.price,
        "gpus": pricing.gpus,
        "speeds": dict(pricing.measured) or None,
    }
