"""What a law is made of: terms, priors, and the scales they are stated at."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Values = Mapping[str, Any]
"""Parameters or run columns by name: NumPy arrays or PyTensor variables that broadcast together."""

Support = Literal["positive", "real", "unit"]
Groups = Literal["shared", "pooled", "free"]


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
    by
        Column whose levels have a value each, partially pooled, whatever the user pools over:
        ``scheme``, ``scheme_backward`` or ``method_post``.
    """

    name: str
    support: Support
    meaning: str
    unit: str = ""
    by: str | None = None


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
    A base without ``loss`` takes the measured loss of each run as data.
    """

    name: str
    equation: str
    source: str
    sampled: tuple[Parameter, ...]
    parameters: tuple[Parameter, ...]
    constants: Callable[[Values, Any], dict[str, Any]]
    loss: Callable[[Values, Any, Any, Any], Any] | None

    @property
    def is_observed(self) -> bool:
        """Whether the loss as trained is data, so that only degradations are modelled."""
        return self.loss is None


@dataclass(frozen=True)
class Training:
    """How training precision enters: as a share of parameters or tokens, or as a penalty.

    A term has one or more of ``log_share_n(parameters, columns, xp)``, ln(N_eff/N);
    ``log_share_d(parameters, columns, xp)``, ln(D_eff/D); and
    ``penalty(parameters, columns, log_n, log_d, xp)``, nats/token before the bound, which takes
    ln(N/N̄) and ln(D/D̄). All are 0 for an unquantized run, but for a term with
    ``log_share_n_at_16(parameters, xp)``, which is ln(N_eff/N) of an unquantized run.

    Parameters
    ----------
    columns
        Run columns it reads (see ``law_columns``).
    cannot
        What this structure cannot say whatever its constants, for a comparison of laws in words;
        it completes "it cannot say …".
    """

    name: str
    equation: str
    source: str
    parameters: tuple[Parameter, ...]
    columns: tuple[str, ...]
    cannot: str
    log_share_n: Callable[[Values, Values, Any], Any] | None = None
    log_share_d: Callable[[Values, Values, Any], Any] | None = None
    penalty: Callable[[Values, Values, Any, Any, Any], Any] | None = None
    log_share_n_at_16: Callable[[Values, Any], Any] | None = None


@dataclass(frozen=True)
class Post:
    """Post-training quantization: ``log_degradation(parameters, columns, log_n, log_d, xp)`` is ln δ.

    δ is the degradation in nats/token before the bound; ``log_n`` is ln(N_eff/N̄). ``cannot`` as in
    ``Training``.
    """

    name: str
    equation: str
    source: str
    parameters: tuple[Parameter, ...]
    cannot: str
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
    groups
        What happens where a fit pools over a column: ``shared`` (one value for all groups),
        ``pooled`` (a common value and a learned spread) or ``free`` (every group has the prior to
        itself).
    group_sd
        Scale of the half-normal prior on the spread between pooled groups, on the log (positive),
        logit (unit) or plain (real) scale.
    by_sd
        The same for the levels of the parameter's own column (``Parameter.by``).
    times
        Name of the run column whose smallest measured value multiplies the draw (floors).
    """

    name: str
    distribution: str
    arguments: tuple[float, float]
    reason: str
    source: str
    groups: Groups = "shared"
    group_sd: float | None = None
    by_sd: float | None = None
    times: str | None = None


@dataclass(frozen=True)
class Law:
    """A scaling law: a base, how training and post-training precision enter, and priors.

    Parameters
    ----------
    name, title, source, summary
        What it is called, what it says, whose it is.
    base, training, post
        Its terms; ``training`` may be empty and ``post`` None.
    noise
        Its noise scales.
    priors
        One per sampled quantity, noise scales included; none for a tied one.
    ties
        Sampled quantities that equal another one, by name.
    toml
        The complete text of its spec, kept in the Fit file.
    """

    name: str
    title: str
    source: str
    summary: str
    base: Base
    training: tuple[Training, ...]
    post: Post | None
    noise: tuple[Parameter, ...]
    priors: tuple[Prior, ...]
    ties: Mapping[str, str]
    toml: str

    @property
    def terms(self) -> tuple[Base | Training | Post, ...]:
        """Base, training terms and post-training term, those there are."""
        return (self.base, *self.training, *((self.post,) if self.post else ()))

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The constants of the law, term by term, noise scales left out."""
        return tuple(parameter for term in self.terms for parameter in term.parameters)

    @property
    def sampled(self) -> tuple[Parameter, ...]:
        """Everything that has a prior, or is tied to something that has one, noise included."""
        after_base = tuple(parameter for term in self.terms[1:] for parameter in term.parameters)
        return (*self.base.sampled, *after_base, *self.noise)

    @property
    def training_columns(self) -> frozenset[str]:
        """Run columns that the training terms read."""
        return frozenset(column for term in self.training for column in term.columns)

    @property
    def by(self) -> dict[str, tuple[str, ...]]:
        """Names of the parameters that have a value per level of a column of their own, by column."""
        columns = dict.fromkeys(parameter.by for parameter in self.sampled if parameter.by)
        return {
            column: tuple(parameter.name for parameter in self.sampled if parameter.by == column)
            for column in columns
            if column
        }

    def log_share_n_at_16(self, p: Values, xp: Any) -> Any:
        """ln(N_eff/N) of an unquantized run: 0 unless a term says otherwise.

        Parameters
        ----------
        p
            Constants of the law.
        xp
            Array namespace.
        """
        shares = [term.log_share_n_at_16 for term in self.training if term.log_share_n_at_16 is not None]
        return sum(share(p, xp) for share in shares) if shares else 0.0

    def prior(self, name: str) -> Prior:
        """The prior of one sampled quantity."""
        return next(prior for prior in self.priors if prior.name == name)

    def with_tied(self, sampled: Values) -> dict[str, Any]:
        """Sampled quantities, any of them, and what is tied to them."""
        tied = {name: sampled[source] for name, source in self.ties.items() if source in sampled}
        return {**sampled, **tied}

    def complete(self, sampled: Values, xp: Any) -> dict[str, Any]:
        """Everything sampled, what is tied to it, and the constants that follow.

        Parameters
        ----------
        sampled
            The quantities that have a prior, noise scales included.
        xp
            Array namespace.
        """
        values = self.with_tied(sampled)
        return values | self.base.constants(values, xp)
