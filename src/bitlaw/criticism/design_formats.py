"""Whether the number formats and group sizes of the runs can identify the terms that read them."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bitlaw.criticism.levels import level_finding, levels, plural, span
from bitlaw.finding import Finding
from bitlaw.inference.levels import level_names
from bitlaw.laws.law import Parameter, Training
from bitlaw.units import format_count

_MOST_SHOWN = 6
_FEWEST_RUNS = 2
_CONSTANTS_OF_FORMATS = 3
_FEWEST_SIZES = 2
_PASSES = {"scheme": "forward", "scheme_backward": "backward"}


def floating_finding(term: Training, columns: Mapping[str, np.ndarray]) -> Finding:
    """Whether formats tell the size of a penalty from its slopes in exponent and in mantissa bits.

    Three formats do, unless their exponent and mantissa bits lie on one line (both on logarithmic scales).
    """
    names = [parameter.name for parameter in term.parameters]
    floating = columns["is_floating"]
    bits = np.unique(
        np.stack([columns[f"{part}_bits"][floating] for part in ("exponent", "mantissa")], axis=1), axis=0
    )
    if not len(bits):
        summary, rank = "No run is trained in a floating-point format below 16 bits", 0
        problem = f"the priors decide {', '.join(names)}"
    else:
        summary = f"Floating-point formats {', '.join(f'E{e:g}M{m:g}' for e, m in bits)}"
        rank = int(np.linalg.matrix_rank(np.column_stack([np.ones(len(bits)), np.log(bits + 0.5)])))
        fixed = [name for name, values in zip(names[1:], bits.T, strict=False) if np.ptp(values) == 0]
        shared = (
            f"how {' and '.join(names[1:])} share the effect, for exponent and mantissa bits change together"
        )
        problem = f"the priors decide {' and '.join(fixed) if fixed else shared}"
    advice = "Add runs in formats with other exponent or mantissa bits, or do not ask about them."
    return level_finding("design.floating_point", rank, _CONSTANTS_OF_FORMATS, summary, problem, advice)


def block_finding(columns: Mapping[str, np.ndarray]) -> Finding:
    """How a penalty moves with the block has no constant: one block size leaves it to the law's form."""
    found = levels(pd.Series(columns["block_size"][columns["is_floating"]]))
    return level_finding(
        "design.block_size",
        len(found),
        _FEWEST_SIZES,
        f"Block sizes of floating-point runs {span(found, '{:g}'.format)}"
        if len(found)
        else "No run has a block size",
        "how the penalty moves with the block is the law's word alone",
        "Add runs with other blocks, or do not ask about them.",
    )


def group_size_finding(term: Training, quantized: pd.DataFrame) -> Finding:
    """Two group sizes among quantized runs tell how the penalty grows with them."""
    found = levels(quantized["group_size"])
    names = [parameter.name for parameter in term.parameters if parameter.name.endswith("_G")]
    return level_finding(
        "design.group_size",
        len(found),
        _FEWEST_SIZES,
        f"Group sizes of quantized runs {span(found, '{:g}'.format)}"
        if len(found)
        else "No quantized run has a group size",
        f"the priors decide {' and '.join(names)}"
        if names
        else "how the penalty moves with it is the law's word alone",
        "Add runs with other group sizes, or do not ask about them.",
    )


def scheme_finding(parameter: Parameter, runs: pd.DataFrame) -> Finding:
    """How many runs each format has, and at which sizes; a format with one run takes over its noise."""
    column = str(parameter.by)
    code, which = f"design.{column}", _PASSES[column]
    label = level_names(runs, column)
    found = {str(name): rows for name, rows in runs[label != ""].groupby(label[label != ""])}
    if not found:
        summary = f"No run has a quantized {which} pass"
        problem, advice = f"the priors decide {parameter.name}", f"Add runs with a quantized {which} pass."
        return level_finding(code, 0, _FEWEST_RUNS, summary, problem, advice)
    shown = [f"{name} ({_where(rows)})" for name, rows in list(found.items())[:_MOST_SHOWN]]
    more = f" and {len(found) - len(shown)} more" if len(found) > len(shown) else ""
    single = [name for name, rows in found.items() if len(rows) < _FEWEST_RUNS]
    return level_finding(
        code,
        min(len(rows) for rows in found.values()),
        _FEWEST_RUNS,
        f"{which.capitalize()} formats: {'; '.join(shown)}{more}",
        f"{parameter.name} of {', '.join(single)} rests on one run, with its noise and the other formats",
        "Add runs of that format, of another size if it can be.",
    )


def _where(runs: pd.DataFrame) -> str:
    sizes = [f"{symbol} {_range(runs[column])}" for symbol, column in (("N", "n_params"), ("D", "tokens"))]
    return f"{plural(len(runs), 'run')}, {', '.join(sizes)}"


def _range(values: pd.Series) -> str:
    lowest, highest = (format_count(float(value)) for value in (values.min(), values.max()))
    return lowest if lowest == highest else f"{lowest} to {highest}"
