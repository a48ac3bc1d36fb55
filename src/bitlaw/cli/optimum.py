"""``bitlaw optimum``: which precision to train in."""

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
    Params,
    Price,
    Probability,
    Quiet,
    Speeds,
    Tensors,
    Tokens,
    Tolerance,
    given,
)
from bitlaw.cli.several import open_fits, print_answer

EXAMPLE = """Examples:

bitlaw optimum fit.nc --flops 1e21

bitlaw optimum fit.nc --n-params 7B --tokens 1T --bits 16,8,6,4 --tolerance 0.01

bitlaw optimum sun2025.nc --flops 1e21 --formats bf16,mxfp8,mxfp4

bitlaw optimum kumar2024.nc bitlaw-default.nc --flops 1e21

bitlaw optimum fit.nc --gpu-hours 10k --hardware h100 --hardware b200 --speeds speeds.toml

bitlaw optimum fit.nc --money 50k --price 2.5 --hardware h100 --gpus 256
"""


def optimum(
    fits: Fits,
    flops: Flops = None,
    gpu_hours: GpuHours = None,
    money: Money = None,
    n_params: Params = None,
    tokens: Tokens = None,
    hardware: Hardware = None,
    speeds: Speeds = None,
    price: Price = None,
    gpus: Gpus = None,
    bits: Bits = None,
    formats: Formats = None,
    group_size: GroupSize = None,
    tolerance: Tolerance = 0.01,
    tensors: Tensors = None,
    prob: Probability = 0.9,
    group: Group = None,
    no_drift: NoDrift = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Decide which precision to train in: for a budget, a model on a budget, or a model and its tokens.

    A FLOP is assumed to cost in proportion to its bits; with --hardware it costs what a chip takes for it.
    """
    fitted = open_fits(fits)
    question = given(
        flops=flops,
        gpu_hours=gpu_hours,
        money=money,
        n_params=n_params,
        tokens=tokens,
        speeds=speeds,
        price=price,
        gpus=gpus,
        bits=bits,
        formats=formats,
        group_size=group_size,
        tensors=tensors,
        tolerance=tolerance,
        prob=prob,
        group=group,
        drift=not no_drift,
    )
    chips = hardware or []
    if len(chips) > 1:
        from bitlaw.decisions.on_chips import optimum_on_chips

        return print_answer("optimum", fitted, optimum_on_chips(fitted, chips, **question), as_json, quiet)
    question |= given(hardware=chips[0] if chips else None)
    if len(fitted) > 1:
        from bitlaw.decisions.across_laws import optimum_across

        return print_answer("optimum", fitted, optimum_across(fitted, **question), as_json, quiet)
    from bitlaw.decisions import optimum as decisions

    return print_answer("optimum", fitted, decisions.optimum(fitted[0], **question), as_json, quiet)
