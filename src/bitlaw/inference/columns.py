"""Run columns as the arrays a law's terms take."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bitlaw.laws.post import SYMMETRIC_METHODS

_PLAIN = ("n_params", "tokens", "bits_weights", "bits_activations", "bits_kv", "bits_post")


def law_columns(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """The columns a law is evaluated on, as float64 arrays of one value per row.

    Parameters
    ----------
    frame
        Canonical run-table columns.

    Returns
    -------
    dict
        The plain columns, ``ceiling`` (ln of the vocabulary in nats/token, inf where unknown) and
        ``post_symmetric`` (whether the post-training grid is symmetric round-to-nearest).
    """
    columns: dict[str, np.ndarray] = {name: frame[name].to_numpy(np.float64) for name in _PLAIN}
    vocabulary = frame["vocab_size"].to_numpy(np.float64)
    columns["ceiling"] = np.log(np.where(np.isnan(vocabulary), np.inf, vocabulary))
    columns["post_symmetric"] = is_symmetric(frame["method_post"])
    return columns


def is_symmetric(methods: pd.Series) -> np.ndarray:
    """Whether each post-training method rounds to nearest on a symmetric grid."""
    return methods.astype(str).str.lower().isin(SYMMETRIC_METHODS).to_numpy(bool)


def take(columns: Mapping[str, np.ndarray], index: np.ndarray) -> dict[str, np.ndarray]:
    """The same columns at selected rows."""
    return {name: values[index] for name, values in columns.items()}
