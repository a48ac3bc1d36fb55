"""``bitlaw optimum``: which precision to train in."""

from typing import Annotated

import typer

from bitlaw.cli.options import (
    Bits,
    Fits,
    Flops,
    Group,
    Json,
    NoDrift,
    Params,
    Probability,
    Tokens,
    Tolerance,
    column_option,
    given,
    read_names,
)
from bitlaw.cli.several import open_fits, print_answer

EXAMPLE = """Examples:

bitlaw optimum fit.nc --flops 1e21

bitlaw optimum fit.nc --n-params 7B --tokens 1T --bits 16,8,6,4 --tolerance 0.01

bitlaw optimum sun2025.nc --flops 1e21 --formats bf16,mxfp8,mxfp4

bitlaw optimum kumar2024.nc bitlaw-default.nc --flops 1e21
"""

Tensors = Annotated[
    str | None,
    typer.Option(
        "--tensors",
        parser=read_names,
        metavar="NAME,…",
        help="What is trained at these bits: weights, activations, kv (all three by default), gradients.",
    ),
]
Formats = Annotated[
    str | None,
    typer.Option(
        "--formats",
        parser=read_names,
        metavar="NAME,…",
        help="Number formats on offer, with commas: as logged, or by name (bf16, fp8, mxfp4, …).",
    ),
]
GroupSize = Annotated[
    float | None,
    column_option("group_size", "COUNT", "Elements that share one scale, for laws that read it."),
]


def optimum(
    fits: Fits,
    flops: Flops = None,
    n_params: Params = None,
    tokens: Tokens = None,
    bits: Bits = None,
    formats: Formats = None,
    group_size: GroupSize = None,
    tolerance: Tolerance = 0.01,
    tensors: Tensors = None,
    prob: Probability = 0.9,
    group: Group = None,
    no_drift: NoDrift = False,
    as_json: Json = False,
) -> int:
    """Decide which precision to train in: for a budget, a model on a budget, or a model and its tokens."""
    fitted = open_fits(fits)
    question = given(
        flops=flops,
        n_params=n_params,
        tokens=tokens,
        bits=bits,
        formats=formats,
        group_size=group_size,
        tensors=tensors,
        tolerance=tolerance,
        prob=prob,
        group=group,
        drift=not no_drift,
    )
    if len(fitted) > 1:
        from bitlaw.decisions.across_laws import optimum_across

        return print_answer("optimum", fitted, optimum_across(fitted, **question), as_json)
    from bitlaw.decisions import optimum as decisions

    return print_answer("optimum", fitted, decisions.optimum(fitted[0], **question), as_json)
