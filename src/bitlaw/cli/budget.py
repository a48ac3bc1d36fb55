"""``bitlaw budget``: how a training budget is best spent, and how the user's own plans compare."""

from pathlib import Path
from typing import Annotated

import typer

from bitlaw.cli.options import (
    Bits,
    Fits,
    Flops,
    Formats,
    GpuHours,
    Gpus,
    Group,
    GroupSize,
    Hardware,
    Json,
    Money,
    NoDrift,
    Price,
    Probability,
    Quiet,
    Speeds,
    Tensors,
    column_reader,
    given,
)
from bitlaw.cli.points import plans_from_file
from bitlaw.cli.several import open_fits, print_answer

EXAMPLE = """Examples:

bitlaw budget fit.nc --flops 1e21

bitlaw budget fit.nc --gpu-hours 10k --hardware h100 --plans plans.csv

bitlaw budget fit.nc --money 50k --price 2.5 --hardware h100 --prefer quantile:0.9

bitlaw budget fit.nc --money 50k --price h100=2.5,b200=4 --hardware h100 --hardware b200

bitlaw budget kumar2024.nc bitlaw-default.nc --flops 1e21 --lifetime-tokens 2T --serving-bits 8
"""

Plans = Annotated[
    Path | None,
    typer.Option(
        "--plans",
        metavar="PLANS.csv",
        help="Your own plans, one per row: columns of a run table without loss, and a name.",
    ),
]
LifetimeTokens = Annotated[
    float | None,
    typer.Option(
        "--lifetime-tokens",
        parser=column_reader("tokens"),
        metavar="COUNT",
        help="Tokens served over the model's lifetime, 2 N FLOP each, out of the same budget (2T).",
    ),
]
ServingBits = Annotated[
    float | None,
    typer.Option(
        "--serving-bits",
        parser=column_reader("bits_weights"),
        metavar="BITS",
        help="Bits that serving is priced at; by default it costs what training does.",
    ),
]
Prefer = Annotated[
    str,
    typer.Option(
        "--prefer",
        metavar="WHAT",
        help="By what plans are compared: mean, quantile:0.9 (cautious), or target:2.5 (probability of reaching it).",
    ),
]


def budget(
    fits: Fits,
    flops: Flops = None,
    gpu_hours: GpuHours = None,
    money: Money = None,
    hardware: Hardware = None,
    speeds: Speeds = None,
    price: Price = None,
    gpus: Gpus = None,
    plans: Plans = None,
    lifetime_tokens: LifetimeTokens = None,
    serving_bits: ServingBits = None,
    prefer: Prefer = "mean",
    bits: Bits = None,
    formats: Formats = None,
    group_size: GroupSize = None,
    tensors: Tensors = None,
    prob: Probability = 0.9,
    group: Group = None,
    no_drift: NoDrift = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Decide how to spend a budget: parameters, tokens and precision, what that buys, and your plans beside it."""
    question = given(
        flops=flops,
        gpu_hours=gpu_hours,
        money=money,
        speeds=speeds,
        price=price,
        gpus=gpus,
        plans=None if plans is None else plans_from_file(plans),
        lifetime_tokens=lifetime_tokens,
        serving_bits=serving_bits,
        prefer=prefer,
        bits=bits,
        formats=formats,
        group_size=group_size,
        tensors=tensors,
        prob=prob,
        group=group,
        drift=not no_drift,
    )
    fitted, chips = open_fits(fits), hardware or []
    if len(chips) > 1:
        from bitlaw.decisions.on_chips import budget_on_chips

        return print_answer("budget", fitted, budget_on_chips(fitted, chips, **question), as_json, quiet)
    question |= given(hardware=chips[0] if chips else None)
    if len(fitted) > 1:
        from bitlaw.decisions.budget_across import budget_across

        return print_answer("budget", fitted, budget_across(fitted, **question), as_json, quiet)
    from bitlaw.decisions import budget as decisions

    return print_answer("budget", fitted, decisions.budget(fitted[0], **question), as_json, quiet)
