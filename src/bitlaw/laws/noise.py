"""The noise scales every law is fitted with; how they enter is in the likelihood."""

from bitlaw.laws.law import Parameter

TRAINING_NOISE: tuple[Parameter, ...] = (
    Parameter("sigma", "positive", "scale of the Student-t noise of log loss"),
    Parameter("nu", "positive", "degrees of freedom of that noise; near 1 is a sign of a misfit structure"),
    Parameter("sigma_cell", "positive", "spread of log loss shared by runs of one corpus, N, D and seed"),
)

POST_NOISE: tuple[Parameter, ...] = (
    Parameter("kappa", "positive", "relative error of a degradation within its run"),
    Parameter("tau", "positive", "spread of ln δ between training runs"),
    Parameter("sigma_gap", "positive", "smallest error of a paired degradation", "nats/token"),
)


def noise_parameters(has_post: bool) -> tuple[Parameter, ...]:
    """The noise scales of a law with or without a post-training term."""
    return TRAINING_NOISE + (POST_NOISE if has_post else ())
