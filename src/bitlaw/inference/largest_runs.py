"""Which runs a comparison holds out to see how laws extrapolate."""

import numpy as np
import pandas as pd

_SHARE_HELD_OUT = 0.2
_FEWEST_HELD_OUT = 3
_CELL = ["corpus", "n_params", "tokens"]


def largest_runs(frame: pd.DataFrame) -> np.ndarray:
    """Indices of the largest fifth of the training runs by compute, whole cells together.

    Runs of one corpus, size and number of tokens are held out or kept together, so that no precision
    of a held-out size is seen. At least three runs are held out, and at most half of them.

    Parameters
    ----------
    frame
        Rows of a run table.

    Returns
    -------
    numpy.ndarray
        Indices of runs in the order of the frame, ascending; empty where no whole cells make three
        runs and no more than half.
    """
    runs = frame.drop_duplicates("run_id")
    cell = runs.groupby(_CELL, dropna=False, sort=False).ngroup().to_numpy()
    compute = (runs["n_params"] * runs["tokens"]).to_numpy(np.float64)
    wanted = max(_FEWEST_HELD_OUT, round(_SHARE_HELD_OUT * len(runs)))
    held_out = np.zeros(len(runs), bool)
    for index in np.argsort(-compute, kind="stable"):
        members = held_out | (cell == cell[index])
        if held_out.sum() >= wanted or members.sum() > len(runs) / 2:
            break
        held_out = members
    return np.flatnonzero(held_out) if held_out.sum() >= _FEWEST_HELD_OUT else np.empty(0, int)
