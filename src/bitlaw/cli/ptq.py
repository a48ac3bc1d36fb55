"""``bitlaw ptq``: how few bits a trained model may be quantized to."""

from pathlib import Path
from typing import Annotated

import typer

from bitlaw.cli import complete
from bitlaw.cli.measured import measured_from_file
from bitlaw.cli.options import (
    Bits,
    Fits,
    Group,
    Json,
    MethodPost,
    NoDrift,
    Params,
    Probability,
    Quiet,
    Tokens,
    Tolerance,
    column_option,
    given,
    read_shape,
)
from bitlaw.cli.several import open_fits, print_answer

EXAMPLE = """Examples:

bitlaw ptq fit.nc --n-params 7e9 --tokens 1e12 --tolerance 0.01

bitlaw ptq fit.nc --n-params 7B --tokens 1T --loss 2.04 --bits 8,6,5,4 --method-post rtn

bitlaw ptq fit.nc --n-params 7B --tokens 1T --loss 2.04 --measured quantized.csv

bitlaw ptq fit.nc --n-params 7B --tokens 1T --kv-cache 32x8x128 --context 8k --hardware h100

bitlaw ptq kumar2024.nc bitlaw-default.nc --n-params 7B --tokens 1T
"""

Loss = Annotated[
    float | None,
    column_option("loss", "NATS", "Measured loss of the checkpoint, nats/token."),
]
RunId = Annotated[
    str | None,
    column_option(
        "run_id", "RUN", "A fitted run in place of sizes and training precision; its own rows count."
    ),
]
Measured = Annotated[
    Path | None,
    typer.Option(
        "--measured",
        metavar="POINTS.csv",
        help="Losses of this very checkpoint after quantization: bits_post, loss, and where known method_post and "
        "loss_se. They take precedence over the law.",
    ),
]
BitsWeights = Annotated[
    float | None, column_option("bits_weights", "BITS", "Training precision of its weights, 16 by default.")
]
BitsActivations = Annotated[
    float | None,
    column_option("bits_activations", "BITS", "Training precision of its activations, 16 by default."),
]
BitsKv = Annotated[
    float | None, column_option("bits_kv", "BITS", "Training precision of its KV cache, 16 by default.")
]
KvCache = Annotated[
    str | None,  # what it is on the command line; ``read_shape`` says what arrives
    typer.Option(
        "--kv-cache",
        parser=read_shape,
        metavar="LAYERSxHEADSxDIM",
        help="Layers, key-value heads and their dimension, with --context: memory of keys and values at serving.",
    ),
]
Context = Annotated[
    float | None,
    column_option("tokens", "COUNT", "Tokens kept at serving, of all sequences at once.", "--context"),
]
ServingHardware = Annotated[
    list[str] | None,
    typer.Option(
        "--hardware",
        metavar="CHIP",
        help="Chip it is served on: how many hold weights, and keys and values, in their memories. Repeat it to "
        "compare chips.",
        autocompletion=complete.chips,
    ),
]


def ptq(
    fits: Fits,
    n_params: Params = None,
    tokens: Tokens = None,
    run_id: RunId = None,
    loss: Loss = None,
    measured: Measured = None,
    tolerance: Tolerance = 0.01,
    method_post: MethodPost = None,
    bits: Bits = None,
    bits_weights: BitsWeights = None,
    bits_activations: BitsActivations = None,
    bits_kv: BitsKv = None,
    kv_cache: KvCache = None,
    context: Context = None,
    hardware: ServingHardware = None,
    prob: Probability = 0.9,
    group: Group = None,
    no_drift: NoDrift = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Decide how few bits a trained model may be quantized to before it loses more than a tolerance."""
    fitted = open_fits(fits)
    options = given(
        n_params=n_params,
        tokens=tokens,
        run_id=run_id,
        measured=None if measured is None else measured_from_file(measured),
        tolerance=tolerance,
        loss=loss,
        method_post=method_post,
        bits=bits,
        bits_weights=bits_weights,
        bits_activations=bits_activations,
        bits_kv=bits_kv,
        kv_cache=kv_cache,
        context=context,
        hardware=hardware or None,
        prob=prob,
        group=group,
        drift=not no_drift,
    )
    if len(fitted) > 1:
        from bitlaw.decisions.stacked import ptq_across

        return print_answer("ptq", fitted, ptq_across(fitted, **options), as_json, quiet)
    from bitlaw.decisions import ptq as decisions

    return print_answer("ptq", fitted, decisions.ptq(fitted[0], **options), as_json, quiet)
