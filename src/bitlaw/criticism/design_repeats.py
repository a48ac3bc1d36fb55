"""Whether the largest runs are repeated, so that noise can be told from misfit where it matters."""

import numpy as np
import pandas as pd

from bitlaw.criticism.levels import SAME_SIZE, plural, training_runs
from bitlaw.finding import Finding, Status
from bitlaw.inference.columns import backward_schemes, schemes
from bitlaw.laws.law import Law

_CODE = "design.repeats"
_SHARE = 0.2
_FEWEST = 1
_ALSO_EQUAL = ("corpus", "family", "method")


def repeat_findings(law: Law, frame: pd.DataFrame) -> tuple[Finding, ...]:
    """How many of the largest fifth of the runs have another run of their size and precision.

    A law that takes losses as trained as data is left out: noise between runs does not enter it.

    Parameters
    ----------
    law
        The law to be fitted.
    frame
        Rows it can use, canonical columns.
    """
    if law.base.is_observed:
        return ()
    runs = training_runs(frame)
    compute = (runs["n_params"] * runs["tokens"]).to_numpy(np.float64)
    largest = np.argsort(-compute, kind="stable")[: max(1, round(_SHARE * len(runs)))]
    repeated = is_repeated(runs)
    count = int(repeated[largest].sum())
    smaller = int(repeated.sum()) - count
    if count:
        message = (
            f"Of the {plural(len(largest), 'largest run')}, {count} {'is' if count == 1 else 'are'} repeated "
            "at the same size and precision."
        )
        return (Finding(_CODE, Status.PASS, float(count), float(_FEWEST), message),)
    which = "The largest run is not" if len(largest) == 1 else f"None of the {len(largest)} largest runs is"
    rest = (
        f"{plural(smaller, 'smaller run')} {'is' if smaller == 1 else 'are'}, so noise between runs is known "
        "from small ones alone"
        if smaller
        else "nor is any other, so noise between runs cannot be told from misfit of the law"
    )
    message = f"{which} repeated at its size and precision; {rest}."
    advice = "Train one of the largest runs again with another seed."
    return (Finding(_CODE, Status.WARN, 0.0, float(_FEWEST), message, advice),)


def is_repeated(runs: pd.DataFrame) -> np.ndarray:
    """Whether another run has the same precision, group and method, and N and D within 5 %.

    Examples
    --------
    >>> from bitlaw.inference.draws import points_frame
    >>> runs = points_frame(run_id=["a", "b", "c"], n_params=[1e8, 1.01e8, 1e8], tokens=[1e9, 1e9, 2e9])
    >>> is_repeated(runs).tolist()
    [True, True, False]
    """
    labels = runs.assign(forward=schemes(runs), backward=backward_schemes(runs))
    kind = labels.groupby([*_ALSO_EQUAL, "forward", "backward"], dropna=False).ngroup().to_numpy()
    sizes = np.log(runs[["n_params", "tokens"]].to_numpy(np.float64))
    near = (np.abs(sizes[:, None, :] - sizes[None, :, :]) <= np.log1p(SAME_SIZE)).all(axis=2)
    alike = near & (kind[:, None] == kind[None, :])
    return alike.sum(axis=1) > 1
