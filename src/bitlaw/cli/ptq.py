"""``bitlaw ptq``: how few bits a trained model may be quantized to."""

from typing import Annotated

from bitlaw.cli.options import (
    Bits,
    Fits,
    Group,
    Json,
    MethodPost,
    NoDrift,
    Probability,
    Tolerance,
    column_option,
    given,
)
from bitlaw.cli.several import open_fits, print_answer

EXAMPLE = """Examples:

bitlaw ptq fit.nc --n-params 7e9 --tokens 1e12 --tolerance 0.01

bitlaw ptq fit.nc --n-params 7B --tokens 1T --loss 2.04 --bits 8,6,5,4 --method-post rtn

bitlaw ptq kumar2024.nc bitlaw-default.nc --n-params 7B --tokens 1T
"""

Loss = Annotated[
    float | None,
    column_option("loss", "NATS", "Measured loss of the checkpoint, nats/token."),
]
RequiredParams = Annotated[float, column_option("n_params", "COUNT", "Non-embedding parameters.")]
RequiredTokens = Annotated[float, column_option("tokens", "COUNT", "Tokens it was or will be trained on.")]
BitsWeights = Annotated[float, column_option("bits_weights", "BITS", "Training precision of its weights.")]
BitsActivations = Annotated[
    float, column_option("bits_activations", "BITS", "Training precision of its activations.")
]
BitsKv = Annotated[float, column_option("bits_kv", "BITS", "Training precision of its KV cache.")]


def ptq(
    fits: Fits,
    n_params: RequiredParams,
    tokens: RequiredTokens,
    loss: Loss = None,
    tolerance: Tolerance = 0.01,
    method_post: MethodPost = None,
    bits: Bits = None,
    bits_weights: BitsWeights = 16.0,
    bits_activations: BitsActivations = 16.0,
    bits_kv: BitsKv = 16.0,
    prob: Probability = 0.9,
    group: Group = None,
    no_drift: NoDrift = False,
    as_json: Json = False,
) -> int:
    """Decide how few bits a trained model may be quantized to before it loses more than a tolerance."""
    fitted = open_fits(fits)
    options = given(
        tolerance=tolerance,
        loss=loss,
        method_post=method_post,
        bits=bits,
        bits_weights=bits_weights,
        bits_activations=bits_activations,
        bits_kv=bits_kv,
        prob=prob,
        group=group,
        drift=not no_drift,
    )
    if len(fitted) > 1:
        from bitlaw.decisions.stacked import ptq_across

        return print_answer("ptq", fitted, ptq_across(fitted, n_params, tokens, **options), as_json)
    from bitlaw.decisions import ptq as decisions

    return print_answer("ptq", fitted, decisions.ptq(fitted[0], n_params, tokens, **options), as_json)
