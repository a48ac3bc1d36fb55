"""The group of a pooled fit that a decision is for."""

from typing import Any

from bitlaw.errors import InputError, did_you_mean
from bitlaw.inference.fit import Fit


def group_columns(fit: Fit, group: str | None) -> dict[str, Any]:
    """Run-table columns that place a point in its group.

    Parameters
    ----------
    fit
        The fit.
    group
        Name of the group; None for a fit without pooling.

    Returns
    -------
    dict
        The column pooled over, and ``vocab_size`` where the group's rows agree on one.

    Raises
    ------
    InputError
        If the fit is pooled and the group is missing or unknown, or the fit is not pooled.
    """
    if not fit.pool:
        if group is not None:
            raise InputError(f'group "{group}": this fit is not pooled; valid: no group')
        return {}
    if group is None:
        raise InputError(
            f"the fit is pooled over {fit.pool}, so a group is needed; valid: {', '.join(fit.group_names)}"
        )
    if group not in fit.group_names:
        raise InputError(
            f'{fit.pool} "{group}" is not a fitted group; {did_you_mean(group, fit.group_names)}'
        )
    vocabulary = fit.rows.loc[fit.rows[fit.pool].astype(str) == group, "vocab_size"].unique()
    agreed = {"vocab_size": float(vocabulary[0])} if len(vocabulary) == 1 else {}
    return {fit.pool: group} | agreed
