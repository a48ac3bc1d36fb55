"""Tensor kinds that a table always quantizes together: only their joint effect is identified."""

import pandas as pd

from bitlaw.laws.capacity import TENSOR_KINDS, UNQUANTIZED_BITS
from bitlaw.laws.law import Law


def tied_kinds(law: Law, frame: pd.DataFrame) -> dict[str, str]:
    """Constants to tie because their tensor kinds have the same bits in every row.

    Parameters
    ----------
    law
        The law to be fitted.
    frame
        Rows it can explain, canonical columns.

    Returns
    -------
    dict
        By constant of the later kind, such as ``gamma_a``, that of the earlier one, ``gamma_w``; empty
        where every pair of kinds differs in some row, or neither is ever quantized.

    Examples
    --------
    >>> from bitlaw.inference.draws import points_frame
    >>> from bitlaw.laws.registry import load_law
    >>> points = points_frame(n_params=1e8, tokens=1e9, bits_weights=[16, 4], bits_activations=[16, 4])
    >>> tied_kinds(load_law("kumar2024"), points)
    {'gamma_a': 'gamma_w', 'P0_a': 'P0_w'}
    """
    bits = {kind: frame[column].clip(upper=UNQUANTIZED_BITS) for kind, column, _ in TENSOR_KINDS}
    names = {parameter.name for parameter in law.sampled}
    ties: dict[str, str] = {}
    kinds = [kind for kind in bits if (bits[kind] < UNQUANTIZED_BITS).any()]
    for number, kind in enumerate(kinds):
        first = next((other for other in kinds[:number] if bits[other].equals(bits[kind])), None)
        if first is None:
            continue
        own = [name for name in names if name.endswith(f"_{kind}")]
        pairs = {name: f"{name.removesuffix(f'_{kind}')}_{first}" for name in own}
        ties |= {name: pairs[name] for name in sorted(pairs) if pairs[name] in names and name not in law.ties}
    return dict(sorted(ties.items(), reverse=True))
