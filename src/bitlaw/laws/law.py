"""What a law is made of: terms, priors, and the scales they are stated at."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Values = Mapping[str, Any]
"""Parameters or run columns by name: NumPy arrays or PyTensor variables that broadcast together."""

Support = Literal["positive", "real", "unit"]


@dataclass(frozen=True)
class Parameter:
    """A constant of a term.

    Parameters
    ----------
    name
        Name in the posterior, as in the law's equation.
    support
        ``positive``, ``real`` or ``unit`` (between 0 and 1).
    meaning
        One sentence.
    unit
        Unit; empty for a pure number.
    """

    name: str
    support: Support
    meaning: str
    unit: str = ""


@dataclass(frozen=True)
class Reference:
    """The scales a fit is stated at.

    Parameters
    ----------
    n_params, tokens
        Geometric means of the fitted runs: a and b are losses at these.
    smallest_bits
        Smallest measured training precision per column (``bits_weights``, …); floors stay below it.
    """

    n_params: float
    tokens: float
    smallest_bits: Mapping[str, float]


@dataclass(frozen=True)
class Base:
    """Loss of an unquantized run from its (effective) parameters and tokens.

    ``loss(parameters, log_n, log_d, xp)`` takes ln(N/N̄) and ln(D/D̄) and returns nats/token;
    ``constants(sampled, xp)`` turns the quantities that are sampled into the law's constants.
    """

    name: str
    equation: str
    source: str
    sampled: tuple[Parameter, ...]
    parameters: tuple[Parameter, ...]
    constants: Callable[[Values, Any], dict[str, Any]]
    loss: Callable[[Values, Any, Any, Any], Any]


@dataclass(frozen=True)
class Capacity:
    """Training precision as capacity: ``log_share(parameters, columns, xp)`` is ln(N_eff / N)."""

    name: str
    equation: str
    source: str
    parameters: tuple[Parameter, ...]
    log_share: Callable[[Values, Values, Any], Any]
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Post:
    """Post-training quantization: ``log_degradation(parameters, columns, log_n, log_d, xp)`` is ln δ.

    δ is the degradation in nats/token before the bound; ``log_n`` is ln(N_eff/N̄).
    """

    name: str
    equation: str
    source: str
    parameters: tuple[Parameter, ...]
    log_degradation: Callable[[Values, Values, Any, Any, Any], Any]


@dataclass(frozen=True)
class Prior:
    """Prior of one sampled quantity.

    Parameters
    ----------
    name
        The parameter.
    distribution
        ``LogNormal`` (arguments: median, sigma of the logarithm), ``Normal`` (mean, sd) or
        ``Beta`` (alpha, beta).
    arguments
        The two numbers the distribution takes, in the order above.
    reason, source
        Why this prior, and where its numbers come from.
    group_sd
        Scale of the half-normal prior on the spread between groups, on the log (positive), logit
        (unit) or plain (real) scale; None = shared by all groups.
    times
        Name of the run column whose smallest measured value multiplies the draw (floors).
    """

    name: str
    distribution: str
    arguments: tuple[float, float]
    reason: str
    source: str
    group_sd: float | None = None
    times: str | None = None


@dataclass(frozen=True)
class Law:
    """A scaling law: a base, how training and post-training precision enter, and priors.

    Parameters
    ----------
    name, title, source, summary
        What it is called, what it says, whose it is.
    base, capacity, post
        Its terms; ``capacity`` and ``post`` may be None.
    priors
        One per sampled quantity, noise scales included.
    toml
        The text it was read from, kept in the Fit file.
    """

    name: str
    title: str
    source: str
    summary: str
    base: Base
    capacity: Capacity | None
    post: Post | None
    priors: tuple[Prior, ...]
    toml: str

    def prior(self, name: str) -> Prior:
        """The prior of one sampled quantity."""
        return next(prior for prior in self.priors if prior.name == name)
