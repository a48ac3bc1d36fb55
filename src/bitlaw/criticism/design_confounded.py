"""Whether training precision varies apart from the sizes of the runs."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from bitlaw.criticism.design_size import HIGHEST_CONDITION_NUMBER, condition_of
from bitlaw.criticism.levels import SAME_SIZE, training_runs
from bitlaw.finding import Finding, Status
from bitlaw.inference.columns import law_columns
from bitlaw.laws.law import Law
from bitlaw.runs.columns import TRAINING_BITS, UNQUANTIZED_BITS
from bitlaw.units import format_count

_CODE = "design.bits_and_size"
_NAMES = dict(zip(TRAINING_BITS, ("weights", "activations", "KV cache", "gradients"), strict=True))
_SIZES = (("n_params", "N"), ("tokens", "D"))


def confounding_findings(law: Law, frame: pd.DataFrame) -> tuple[Finding, ...]:
    """Whether bits can be told from size: by correlation, and by sizes that both kinds of run have.

    The condition number is that of the centred columns log N, log D and bits, of unit length, for the
    tensor kind where it is highest. Where quantized runs and runs at 16 bits share no range of N or of
    D, what precision costs is compared through the law's form alone, whatever the condition number.

    Parameters
    ----------
    law
        The law to be fitted; none without training terms.
    frame
        Rows it can use, canonical columns.
    """
    if not law.training:
        return ()
    runs = training_runs(frame)
    columns = law_columns(runs)
    quantized = columns["is_quantized"] | columns["is_quantized_backward"]
    varying = {column: value for column in TRAINING_BITS if (value := bits_condition(runs, column))}
    if not quantized.any() or quantized.all() or not varying:
        message = "Precision does not vary, so whether it varies apart from size was not checked."
        return (Finding(_CODE, Status.NOT_RUN, None, HIGHEST_CONDITION_NUMBER, message),)
    worst = max(varying, key=lambda column: varying[column])
    value = varying[worst]
    problems = [*_apart(runs[quantized], runs[~quantized])]
    if value > HIGHEST_CONDITION_NUMBER:
        problems.append(
            f"the bits of the {_NAMES[worst]} follow the size of the run (condition number {value:.3g}, "
            f"limit {HIGHEST_CONDITION_NUMBER:g})"
        )
    if not problems:
        message = (
            "Runs at 16 bits and in fewer share a range of sizes, and the condition number of log N, log D "
            f"and bits is {value:.1f}; up to {HIGHEST_CONDITION_NUMBER:g} they vary apart."
        )
        return (Finding(_CODE, Status.PASS, value, HIGHEST_CONDITION_NUMBER, message),)
    said = " and ".join(problems)
    message = f"{said[0].upper()}{said[1:]}: what fewer bits cost cannot be told from what size gains."
    advice = "Train one size both at 16 bits and in fewer."
    return (Finding(_CODE, Status.WARN, value, HIGHEST_CONDITION_NUMBER, message, advice),)


def bits_condition(runs: pd.DataFrame, column: str) -> float | None:
    """Condition number of bits against log N and log D; None where bits have one level.

    Examples
    --------
    >>> runs = pd.DataFrame({"n_params": [1e6, 1e6, 1e7, 1e7], "tokens": 1e9})
    >>> bits_condition(runs.assign(bits_weights=[4, 16, 4, 16]), "bits_weights")
    1.0
    >>> bits_condition(runs.assign(bits_weights=[4, 4, 16, 16]), "bits_weights") > 1e5
    True
    """
    bits = runs[column].clip(upper=UNQUANTIZED_BITS).to_numpy(np.float64)
    if np.ptp(bits) == 0:
        return None
    sizes = np.log(runs[[name for name, _ in _SIZES]].to_numpy(np.float64))
    design = np.column_stack([np.ones(len(runs)), sizes - sizes.mean(axis=0)])
    left = bits - design @ np.linalg.lstsq(design, bits)[0]
    unexplained = float(left @ left / ((bits - bits.mean()) @ (bits - bits.mean())))
    return condition_of(np.sqrt(max(1.0 - unexplained, 0.0)))


def _apart(quantized: pd.DataFrame, reference: pd.DataFrame) -> Iterator[str]:
    """Axes on which the two kinds of run share no range."""
    for column, symbol in _SIZES:
        below, above = quantized[column], reference[column]
        if below.max() * (1 + SAME_SIZE) < above.min() or above.max() * (1 + SAME_SIZE) < below.min():
            yield f"runs below 16 bits have {symbol} {_range(below)} and those at 16 bits {_range(above)}"


def _range(values: pd.Series) -> str:
    lowest, highest = format_count(float(values.min())), format_count(float(values.max()))
    return lowest if lowest == highest else f"{lowest} to {highest}"
