"""``bitlaw plan``: which run to log next."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from bitlaw.cli.measured import measured_from_file
from bitlaw.cli.options import (
    Bits,
    Fits,
    GpuHours,
    Group,
    GroupSize,
    Hardware,
    Json,
    MethodPost,
    Money,
    NoDrift,
    Params,
    Price,
    Probability,
    Quiet,
    Speeds,
    Tensors,
    Tokens,
    Tolerance,
    column_option,
    given,
    read_names,
)
from bitlaw.cli.several import open_fits, print_answer
from bitlaw.errors import InputError
from bitlaw.runs.columns import Column

EXAMPLE = """Examples:

bitlaw plan fit.nc --for loss --n-params 7B --tokens 1T --budget 1e21

bitlaw plan fit.nc --for optimum --flops 1e22 --bits 16,8,4 --budget 1e20 --candidates affordable.csv

bitlaw plan fit.nc --for optimum --flops 1e22 --gpu-hours 500 --hardware h100 --speeds speeds.toml

bitlaw plan fit.nc --for ptq --n-params 7B --tokens 1T --loss 2.04 --measured quantized.csv --budget 1e20

bitlaw plan kumar2024.nc bitlaw-default.nc --for ptq --n-params 7B --tokens 1T --budget 1e20
"""

COST = Column(
    "cost", "number", "What logging the row costs, in the unit of the budget.", "", low=0, positive=True
)

For = Annotated[
    Literal["loss", "optimum", "ptq"],
    typer.Option(
        "--for", help="The decision the runs are for: a loss, a training precision, bits after training."
    ),
]
Budget = Annotated[
    float | None,
    column_option(
        "flops", "COUNT", "What may be spent, FLOP at 16 bits; or --gpu-hours, or --money.", name="--budget"
    ),
]
Candidates = Annotated[
    Path | None,
    typer.Option(
        "--candidates",
        metavar="CANDIDATES.csv",
        help="Runs that could be logged: columns of a run table without loss, and where known their cost, in the unit "
        "of the budget. By default a grid around the fitted runs.",
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
RunId = Annotated[
    str | None,
    column_option("run_id", "RUN", "For ptq: a fitted run in place of sizes and training precision."),
]
Measured = Annotated[
    Path | None,
    typer.Option(
        "--measured",
        metavar="POINTS.csv",
        help="For ptq: losses of this very checkpoint after quantization, as for bitlaw ptq. What was measured is not "
        "asked again.",
    ),
]
BitsWeights = Annotated[
    float | None,
    column_option(
        "bits_weights", "BITS", "For loss and ptq: training precision of its weights, 16 by default."
    ),
]
BitsActivations = Annotated[
    float | None, column_option("bits_activations", "BITS", "Training precision of its activations.")
]
BitsKv = Annotated[float | None, column_option("bits_kv", "BITS", "Training precision of its KV cache.")]


def plan(
    fits: Fits,
    budget: Budget = None,
    gpu_hours: GpuHours = None,
    money: Money = None,
    hardware: Hardware = None,
    speeds: Speeds = None,
    price: Price = None,
    decision: For = "loss",
    n_params: Params = None,
    tokens: Tokens = None,
    flops: Flops = None,
    candidates: Candidates = None,
    bits: Bits = None,
    formats: Formats = None,
    group_size: GroupSize = None,
    tensors: Tensors = None,
    tolerance: Tolerance = 0.01,
    run_id: RunId = None,
    loss: Loss = None,
    measured: Measured = None,
    method_post: MethodPost = None,
    bits_weights: BitsWeights = None,
    bits_activations: BitsActivations = None,
    bits_kv: BitsKv = None,
    prob: Probability = 0.9,
    group: Group = None,
    no_drift: NoDrift = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Choose which runs to log next: those that narrow a decision most for what they cost.

    A run costs 6 N D, or with --hardware the time it takes on a chip.
    """
    from bitlaw.cli.points import points_from_file
    from bitlaw.decisions.plan import plan_across

    chips = hardware or []
    if len(chips) > 1:
        raise InputError(
            f"--hardware is given {len(chips)} times; valid: one chip, which runs are trained on"
        )
    frame = None if candidates is None else points_from_file(candidates, (COST,))
    fitted = open_fits(fits)
    question = given(
        budget=budget,
        gpu_hours=gpu_hours,
        money=money,
        hardware=chips[0] if chips else None,
        speeds=speeds,
        price=price,
        n_params=n_params,
        tokens=tokens,
        flops=flops,
        candidates=frame,
        bits=bits,
        formats=formats,
        group_size=group_size,
        tensors=tensors,
        tolerance=tolerance,
        run_id=run_id,
        loss=loss,
        measured=None if measured is None else measured_from_file(measured),
        method_post=method_post,
        bits_weights=bits_weights,
        bits_activations=bits_activations,
        bits_kv=bits_kv,
        prob=prob,
        group=group,
        drift=not no_drift,
    )
    across = plan_across(fitted, decision, **question)
    return print_answer("plan", fitted, across if len(fitted) > 1 else across.stack, as_json, quiet)
