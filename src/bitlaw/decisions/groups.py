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


def fitted_method(fit: Fit, method_post: str | None) -> str:
    """The method asked for, or the only one there is."""
    after = fit.rows["bits_post"].notna()
    seen = sorted(fit.rows.loc[after, "method_post"].astype(str).unique())
    if not seen:
        raise InputError("the fit has no rows quantized after training, so it says nothing about them")
    listed = ", ".join(f'"{name}"' for name in seen)
    if method_post is None and len(seen) > 1:
        raise InputError(f"method_post is needed, the fit has seen several; valid: {listed}")
    if method_post is not None and method_post not in seen:
        raise InputError(f'method_post "{method_post}" was not seen by the fit; valid: {listed}')
    return seen[0] if method_post is None else method_post
