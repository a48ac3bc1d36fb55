"""Folds of a backtest: which rows to fit, and which others to predict from them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bitlaw.errors import InputError, did_you_mean
from bitlaw.inference.informed import uninformed
from bitlaw.inference.levels import NEW_LEVEL, factor, level_names
from bitlaw.inference.rows import arrange, reference_scales
from bitlaw.laws.law import Law
from bitlaw.runs.columns import TRAINING_BITS, UNQUANTIZED_BITS
from bitlaw.units import format_bits, format_count

KINDS = ("compute", "bits", "groups")
"""What may be predicted: the larger runs, the lowest bit-width, a group that was never seen."""

FIRST_CUT, LAST_CUT = 0.4, 0.85
"""Share of the runs in the smallest and the largest fold over compute."""

FEWEST_ROWS = 8
ROWS_PER_CONSTANT = 2

_FLOP = 6.0
_SAME_COMPUTE = 9
"""Decimals of log10 of compute to which runs count as equally large."""


@dataclass(frozen=True)
class Fold:
    """One split of a run table.

    Parameters
    ----------
    kind
        ``compute``, ``bits`` or ``groups``.
    name
        What is predicted, in words.
    cut
        Share of the runs asked for to fit (compute), or the bit-width held out (bits); None for groups.
    train, test
        Whether each row of the frame is fitted, and whether it is predicted.
    unpredicted
        Rows held out that no fit to the others can predict: of a format or a method not among them.
    """

    kind: str
    name: str
    cut: float | None
    train: np.ndarray
    test: np.ndarray
    unpredicted: int = 0


@dataclass(frozen=True)
class DroppedFold:
    """A split that is not fitted, and why.

    Parameters
    ----------
    kind, name, cut
        As of a fold.
    reason
        One clause.
    """

    kind: str
    name: str
    cut: float | None
    reason: str


def plan_folds(
    law: Law,
    frame: pd.DataFrame,
    pool: Sequence[str] = (),
    kinds: Sequence[str] = ("compute",),
    cuts: int = 4,
) -> tuple[tuple[Fold, ...], tuple[DroppedFold, ...]]:
    """Folds of a run table, and those dropped with the reason.

    - ``compute``: the smaller runs by 6 N D are fitted, all larger ones predicted. Runs of equal compute,
      and with them whole cells of one corpus, size and tokens, stay together.
    - ``bits``: for each training precision that varies, the runs at its lowest bits are predicted from the
      others; and the rows at the lowest bits after training.
    - ``groups``: for each column pooled over, each group is predicted from the others, as a new one.

    Diverged runs bound a loss and are never predicted. A fold is dropped where it would be fitted to fewer
    rows than 8, or than twice the constants that its rows inform.

    Parameters
    ----------
    law
        The law to be fitted.
    frame
        Usable rows, canonical columns.
    pool
        Columns pooled over.
    kinds
        Any of ``KINDS``.
    cuts
        Folds over compute, at shares of the runs equally spaced between .4 and .85.

    Raises
    ------
    InputError
        For an unknown kind, no cut, or ``groups`` without pooling.
    """
    for kind in kinds:
        if kind not in KINDS:
            raise InputError(f'unknown kind of fold "{kind}" ({did_you_mean(kind, KINDS)})')
    if cuts < 1:
        raise InputError(f"{cuts} folds: valid: a whole number from 1")
    if "groups" in kinds and not pool:
        raise InputError("folds over groups need a column to pool over, as in --pool family")
    split = {
        "compute": lambda: _over_compute(frame, cuts),
        "bits": lambda: _over_bits(law, frame),
        "groups": lambda: _over_groups(frame, pool),
    }
    folds: list[Fold] = []
    dropped: list[DroppedFold] = []
    for kind in dict.fromkeys(kinds):
        for item in split[kind]():
            fold = _predictable(law, frame, item)
            twin = next((other for other in folds if np.array_equal(other.train, fold.train)), None)
            reason = _why_not(law, frame, fold, twin)
            if reason:
                dropped.append(DroppedFold(fold.kind, fold.name, fold.cut, reason))
            else:
                folds.append(fold)
    return tuple(folds), tuple(dropped)


def compute_flop(frame: pd.DataFrame) -> np.ndarray:
    """Training compute of each row, 6 N D, FLOP."""
    return _FLOP * (frame["n_params"] * frame["tokens"]).to_numpy(np.float64)


def rows_to_predict(law: Law, frame: pd.DataFrame, pool: Sequence[str], fold: Fold) -> pd.DataFrame:
    """The rows a fold predicts; groups that it was not fitted to are called ``new``.

    Parameters
    ----------
    law, frame, pool
        As for ``plan_folds``.
    fold
        One of its folds.
    """
    rows, fitted = frame[fold.test].copy(), frame[fold.train]
    for column in pool:
        seen = set(factor(fitted, column).names)
        rows[column] = rows[column].astype(object).where(rows[column].astype(str).isin(seen), NEW_LEVEL)
    return rows


def felt_constants(law: Law, frame: pd.DataFrame) -> tuple[str, ...]:
    """Constants that move a prediction at some row: those that the rows can inform, noise left out.

    Parameters
    ----------
    law
        The law.
    frame
        Rows it can explain.
    """
    noise = {parameter.name for parameter in law.noise}
    unmoved = uninformed(law, arrange(law, frame), reference_scales(frame))
    return tuple(prior.name for prior in law.priors if prior.name not in {*noise, *unmoved})


def _over_compute(frame: pd.DataFrame, cuts: int) -> Iterator[Fold]:
    compute = compute_flop(frame)
    rank = np.unique(np.round(np.log10(compute), _SAME_COMPUTE), return_inverse=True)[1]
    first = frame.reset_index(drop=True).drop_duplicates("run_id").index.to_numpy()
    fitted = np.cumsum(np.bincount(rank[first], minlength=rank.max() + 1))[:-1] / len(first)
    # A single fold is the one in the middle: it says most.
    shares = np.linspace(FIRST_CUT, LAST_CUT, cuts) if cuts > 1 else np.array([(FIRST_CUT + LAST_CUT) / 2])
    for share in shares:
        below = int(np.abs(fitted - share).argmin()) if len(fitted) else rank.max()
        train_rows = rank <= below
        limit = compute[train_rows].max()
        yield Fold(
            "compute",
            f"runs of more than {limit:.3g} FLOP",
            round(float(share), 6),
            train_rows,
            ~train_rows,
        )


def _over_bits(law: Law, frame: pd.DataFrame) -> Iterator[Fold]:
    as_trained = frame["bits_post"].isna().to_numpy()
    for column in TRAINING_BITS:
        bits = frame[column].to_numpy(np.float64)
        if law.base.is_observed or bits.min() >= UNQUANTIZED_BITS:
            continue
        lowest = bits == bits.min()
        name = f"runs with {column} {format_bits(bits.min())}"
        yield Fold("bits", name, float(bits.min()), ~lowest, lowest & as_trained)
    if law.post is not None and not as_trained.all():
        post = frame["bits_post"].to_numpy(np.float64)
        lowest = post == np.nanmin(post)
        name = f"rows with bits_post {format_bits(np.nanmin(post))}"
        yield Fold("bits", name, float(np.nanmin(post)), ~lowest, lowest)


def _over_groups(frame: pd.DataFrame, pool: Sequence[str]) -> Iterator[Fold]:
    for column in pool:
        labels = level_names(frame, column)
        for label in factor(frame, column).names:
            held_out = (labels == label).to_numpy()
            yield Fold("groups", f"{column} {label}", None, ~held_out, held_out)


def _predictable(law: Law, frame: pd.DataFrame, fold: Fold) -> Fold:
    """The fold without rows to predict that have no loss, or a format or method it is not fitted to."""
    test = fold.test & (frame["status"] != "diverged").to_numpy()
    if law.base.is_observed:
        test &= frame["bits_post"].notna().to_numpy()
    asked = int(test.sum())
    for column in law.by:
        seen = {"", *factor(frame[fold.train], column).names}
        test = test & level_names(frame, column).isin(seen).to_numpy()
    return Fold(fold.kind, fold.name, fold.cut, fold.train, test, asked - int(test.sum()))


def _why_not(law: Law, frame: pd.DataFrame, fold: Fold, twin: Fold | None) -> str:
    """Why a fold is not worth fitting; empty where it is."""
    fitted = frame[fold.train]
    if twin is not None:
        return f"it is fitted to the same rows as the fold that predicts {twin.name}"
    if fold.unpredicted and not fold.test.any():
        return "every row is of a format or method that no other row has"
    if not fold.test.any():
        return "no row is left to predict"
    if fitted.empty:
        return "no row is left to fit"
    if fold.kind == "bits" and not _has_other_bits(fitted, frame[fold.test]):
        return "no other bit-width is left to learn from"
    needed = max(FEWEST_ROWS, ROWS_PER_CONSTANT * len(felt_constants(law, fitted)))
    if len(fitted) < needed:
        return f"{format_count(len(fitted))} rows to fit, and {needed} are needed"
    return ""


def _has_other_bits(fitted: pd.DataFrame, held_out: pd.DataFrame) -> bool:
    """Whether a column at its lowest in every row held out is quantized in rows that are fitted."""
    if held_out["bits_post"].notna().all():
        return bool(fitted["bits_post"].notna().any())
    below = [column for column in TRAINING_BITS if (held_out[column] < UNQUANTIZED_BITS).all()]
    return any(bool((fitted[column] < UNQUANTIZED_BITS).any()) for column in below)
