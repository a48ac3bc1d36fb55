"""Risk preferences: what makes one plan better than another where the loss is uncertain."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bitlaw.decisions.intervals import mean_of
from bitlaw.errors import InputError, did_you_mean
from bitlaw.units import LOSS_UNIT, format_probability

MEAN, QUANTILE, TARGET = KINDS = ("mean", "quantile", "target")
_SHOWN_LEVEL = 0.9
_VALID = "valid: mean, quantile:0.9 (any level between 0 and 1), or target:2.5 (a loss in nats/token)"


@dataclass(frozen=True)
class Scores:
    """What a plan promises, by every preference.

    Parameters
    ----------
    mean
        Expected loss of the law's mean, nats/token; of a single run there is none, for the mean of the
        exponential of a Student-t is infinite.
    quantile
        Quantile of a new run's loss, nats/token: of the law's mean with the effect of its cell and noise.
    reach
        Probability that a new run's loss is at most the target.
    """

    mean: float
    quantile: float
    reach: float


@dataclass(frozen=True)
class Preference:
    """By what plans are compared; the other scores are shown beside it.

    Parameters
    ----------
    kind
        ``mean``: the lowest expected loss; ``quantile``: the lowest quantile of the loss, cautious where
        its level is high; ``target``: the highest probability of a loss no higher than a target.
    value
        Level of the quantile, or target in nats/token; None of the mean.

    Raises
    ------
    InputError
        For an unknown kind, or a value out of range.
    """

    kind: str = MEAN
    value: float | None = None

    def __post_init__(self) -> None:
        """Check kind and value."""
        value = self.value
        if self.kind not in KINDS:
            near = did_you_mean(self.kind, KINDS)
            raise InputError(f'prefer "{self.kind}" is unknown; {near if near.endswith("?") else _VALID}')
        if (self.kind == MEAN) != (value is None):
            raise InputError(
                f"prefer {self.kind} {'takes no' if value is not None else 'needs a'} value; {_VALID}"
            )
        if self.kind == QUANTILE and not (value is not None and 0.0 < value < 1.0):
            raise InputError(f"prefer quantile:{value:g}: no level of a quantile; valid: between 0 and 1")
        if self.kind == TARGET and not (value is not None and 0.0 < value < float("inf")):
            raise InputError(f"prefer target:{value:g}: no loss; valid: a positive number, nats/token")

    @property
    def level(self) -> float:
        """Level of the quantile that is shown."""
        return self.value if self.kind == QUANTILE and self.value is not None else _SHOWN_LEVEL

    def scores(self, law_mean: np.ndarray, new_run: np.ndarray, target: float) -> Scores:
        """What draws of a plan's loss amount to.

        Parameters
        ----------
        law_mean, new_run
            The law's mean loss and that of a new run, nats/token, shape (samples,).
        target
            Loss to reach, nats/token.

        Examples
        --------
        >>> draws = np.array([2.0, 3.0])
        >>> Preference().scores(draws, draws, 2.5)
        Scores(mean=2.5, quantile=2.9, reach=0.5)
        """
        return Scores(
            mean_of(law_mean), float(np.quantile(new_run, self.level)), float((new_run <= target).mean())
        )

    def rank(self, scores: Scores) -> tuple[float, float]:
        """What orders plans, the best first; where the preference sees no difference, the expected loss."""
        first = {MEAN: scores.mean, QUANTILE: scores.quantile, TARGET: -scores.reach}[self.kind]
        return first, scores.mean

    def text(self) -> str:
        """What is preferred, in words.

        Examples
        --------
        >>> Preference("quantile", 0.9).text()
        'the lowest 90 % quantile of the loss'
        """
        if self.kind == QUANTILE:
            return f"the lowest {100 * self.level:g} % quantile of the loss"
        if self.kind == TARGET:
            return f"the highest probability of a loss of at most {self.value:g} {LOSS_UNIT}"
        return "the lowest expected loss"

    def promise(self, scores: Scores) -> str:
        """What a plan promises by this preference, in words.

        Examples
        --------
        >>> Preference("target", 2.5).promise(Scores(2.4, 2.6, 0.7))
        'at most 2.5 nats/token with probability 70 %'
        """
        if self.kind == TARGET:
            return f"at most {self.value:g} {LOSS_UNIT} with probability {format_probability(scores.reach)}"
        number = scores.quantile if self.kind == QUANTILE else scores.mean
        return f"{number:.4g} {LOSS_UNIT}"


def read_preference(text: str | Preference) -> Preference:
    """A preference from its text, as on the command line.

    Parameters
    ----------
    text
        ``mean``, ``quantile:LEVEL`` or ``target:LOSS``; a Preference is returned as it is.

    Raises
    ------
    InputError
        If it is none of these.

    Examples
    --------
    >>> read_preference("quantile:0.9")
    Preference(kind='quantile', value=0.9)
    """
    if isinstance(text, Preference):
        return text
    kind, _, number = (part.strip() for part in text.partition(":"))
    try:
        value = float(number) if number else None
    except ValueError:
        raise InputError(f'prefer "{text}": "{number}" is no number; {_VALID}') from None
    return Preference(kind, value)


def best_of(
    preference: Preference, scores: Sequence[Scores], allowed: Sequence[bool] | np.ndarray
) -> int | None:
    """Which of several plans is preferred among those allowed; None where none is.

    Examples
    --------
    >>> plans = [Scores(2.0, 3.0, 0.5), Scores(2.1, 2.5, 0.6)]
    >>> best_of(Preference(), plans, [True, True]), best_of(Preference("quantile", 0.9), plans, [True, True])
    (0, 1)
    """
    among = [index for index, may in enumerate(allowed) if may]
    return min(among, key=lambda index: preference.rank(scores[index]), default=None)
