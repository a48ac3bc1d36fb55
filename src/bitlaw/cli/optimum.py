"""``bitlaw optimum``: which precision to train in."""

from typing import Annotated

import typer

from bitlaw.cli.files import open_fit
from bitlaw.cli.options import (
    Bits,
    Fits,
    Flops,
    Group,
    Json,
    Params,
    Probability,
    Tokens,
    Tolerance,
    given,
    read_names,
)
from bitlaw.cli.output import print_result

EXAMPLE = """Examples:

bitlaw optimum fit.nc --flops 1e21

bitlaw optimum fit.nc --n-params 7B --tokens 1T --bits 16,8,6,4 --tolerance 0.01
"""

Tensors = Annotated[
    str | None,
    typer.Option(
        "--tensors",
        parser=read_names,
        metavar="NAME,…",
        help="What is trained at these bits: weights, activations, kv. All three by default.",
    ),
]


def optimum(
    fits: Fits,
    flops: Flops = None,
    n_params: Params = None,
    tokens: Tokens = None,
    bits: Bits = None,
    tolerance: Tolerance = 0.01,
    tensors: Tensors = None,
    prob: Probability = 0.9,
    group: Group = None,
    as_json: Json = False,
) -> int:
    """Decide which precision to train in: for a budget, a model on a budget, or a model and its tokens."""
    fitted = open_fit(fits)
    from bitlaw.decisions import optimum as decisions

    decision = decisions.optimum(
        fitted,
        flops=flops,
        n_params=n_params,
        tokens=tokens,
        tolerance=tolerance,
        prob=prob,
        group=group,
        **given(bits=bits, tensors=tensors),
    )
    return print_result("optimum", fitted, decision, as_json)
