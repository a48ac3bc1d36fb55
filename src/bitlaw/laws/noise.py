"""The noise scales a law is fitted with; how they enter is in the likelihood."""

from bitlaw.laws.law import Parameter

RUN_NOISE: tuple[Parameter, ...] = (
    Parameter("sigma", "positive", "scale of the Student-t noise of log loss"),
    Parameter("nu", "positive", "degrees of freedom of that noise; near 1 is a sign of a misfit structure"),
    Parameter("sigma_cell", "positive", "spread of log loss shared by runs of one corpus, N, D and seed"),
)

PRECISION_NOISE: tuple[Parameter, ...] = (
    Parameter("kappa_train", "positive", "relative error of what training in fewer bits costs"),
)

POST_NOISE: tuple[Parameter, ...] = (
    Parameter("kappa", "positive", "relative error of a degradation within its run"),
    Parameter("tau", "positive", "spread of ln δ between training runs"),
    Parameter("sigma_gap", "positive", "smallest error of a paired degradation", "nats/token"),
    Parameter("nu_gap", "positive", "degrees of freedom of the noise of a degradation"),
)

ALL_NOISE: tuple[Parameter, ...] = RUN_NOISE + PRECISION_NOISE + POST_NOISE


def noise_parameters(has_base: bool, has_training: bool, has_post: bool) -> tuple[Parameter, ...]:
    """The noise scales of a law.

    Parameters
    ----------
    has_base
        Whether losses as trained are modelled.
    has_training, has_post
        Whether it has a term for training precision, and for quantization after training.
    """
    return (
        (RUN_NOISE if has_base else ())
        + (PRECISION_NOISE if has_training else ())
        + (POST_NOISE if has_post else ())
    )
