"""``bitlaw plan``: which run to log next."""

from pathlib import Path
from typing import Annotated, Literal

import typer

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
    read_names,
)
from bitlaw.cli.several import open_fits, print_answer
from bitlaw.runs.columns import Column

EXAMPLE = """Examples:

bitlaw plan fit.nc --for loss --n-params 7B --tokens 1T --budget 1e21

bitlaw plan fit.nc --for optimum --flops 1e22 --bits 16,8,4 --budget 1e20 --candidates affordable.csv

bitlaw plan kumar2024.nc bitlaw-default.nc --for ptq --n-params 7B --tokens 1T --budget 1e20
"""

COST = Column(
    "cost", "number", "What logging the row costs, FLOP; by default 6 N D.", "FLOP", low=0, positive=True
)

For = Annotated[
    Literal["loss", "optimum", "ptq"],
    typer.Option(
        "--for", help="The decision the runs are for: a loss, a training precision, bits after training."
    ),
]
Budget = Annotated[
    float,
    column_option("flops", "COUNT", "What may be spent, FLOP at 16 bits.", name="--budget"),
]
Candidates = Annotated[
    Path | None,
    typer.Option(
        "--candidates",
        metavar="CANDIDATES.csv",
        help="Runs that could be logged: columns of a run table without loss, and cost (FLOP) if it is not 6 N D. "
        "By default a grid around the fitted runs.",
    ),
]
Flops = Annotated[
    float | None,
    column_option("flops", "COUNT", "Compute of the question: as for optimum, or 6 N D of the run."),
]
Formats = Annotated[
    str | None,
    typer.Option(
        "--formats",
        parser=read_names,
        metavar="NAME,…",
        help="For optimum: number formats on offer, with commas.",
    ),
]
Loss = Annotated[
    float | None,
    column_option("loss", "NATS", "For ptq: measured loss of the checkpoint, nats/token."),
]
BitsWeights = Annotated[
    float, column_option("bits_weights", "BITS", "Training precision of the weights of the run asked about.")
]
BitsActivations = Annotated[
    float, column_option("bits_activations", "BITS", "Training precision of its activations.")
]
BitsKv = Annotated[float, column_option("bits_kv", "BITS", "Training precision of its KV cache.")]


def plan(
    fits: Fits,
    budget: Budget,
    decision: For = "loss",
    n_params: Params = None,
    tokens: Tokens = None,
    flops: Flops = None,
    candidates: Candidates = None,
    bits: Bits = None,
    formats: Formats = None,
    tolerance: Tolerance = 0.01,
    loss: Loss = None,
    method_post: MethodPost = None,
    bits_weights: BitsWeights = 16.0,
    bits_activations: BitsActivations = 16.0,
    bits_kv: BitsKv = 16.0,
    prob: Probability = 0.9,
    group: Group = None,
    no_drift: NoDrift = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Choose which runs to log next: those that narrow a decision most for what they cost."""
    from bitlaw.cli.points import points_from_file
    from bitlaw.decisions.plan import plan_across

    frame = None if candidates is None else points_from_file(candidates, (COST,))
    fitted = open_fits(fits)
    question = given(
        n_params=n_params,
        tokens=tokens,
        flops=flops,
        candidates=frame,
        bits=bits,
        formats=formats,
        tolerance=tolerance,
        loss=loss,
        method_post=method_post,
        bits_weights=bits_weights,
        bits_activations=bits_activations,
        bits_kv=bits_kv,
        prob=prob,
        group=group,
        drift=not no_drift,
    )
    across = plan_across(fitted, decision, budget=budget, **question)
    return print_answer("plan", fitted, across if len(fitted) > 1 else across.stack, as_json, quiet)
