"""What the explorer computes, recorded from the law, its drift and the distances it is graded by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bitlaw.criticism.beyond import fitted_ratios, ratio_beyond, signed_excess
from bitlaw.decisions.law_draws import NO_CAPACITY, log_shares
from bitlaw.inference.distance import (
    PARTS,
    Range,
    drifting_bits,
    hull_of,
    low_precision_rows,
    read_bits,
    training_bits,
    training_bits_excess,
)
from bitlaw.inference.drift import log_loss_error, log_penalty_error
from bitlaw.inference.fit import Fit
from bitlaw.inference.hull import hull_parts
from bitlaw.inference.likelihood import degradation, gap_scale, new_degradation, new_loss, trained_scale
from bitlaw.laws.evaluate import StructuralError, Trained, log_post_degradation, train
from bitlaw.reporting.explorer.javascript import SUPPORT, Record, Value

DRIFT = ("omega", "omega_penalty", "z_n", "z_d", "z_train", "z_post")
NOISE = ("noise_cell", "noise_run", "noise_trained", "noise_post")
"""Draws besides the law's constants: of structural error, and of what new runs scatter by."""

_SIZES = ("n", "d")


@dataclass(frozen=True)
class _Columns(Mapping[str, Any]):
    """Law columns that are looked up in the argument ``c``, except for sizes and what is the same everywhere."""

    record: Record
    fixed: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.fixed[name] if name in self.fixed else self.record.value(f"c.{name}")

    def __iter__(self) -> Any:
        return iter(self.fixed)

    def __len__(self) -> int:
        return len(self.fixed)


def recorded_functions(fit: Fit, names: Sequence[str], ceiling: float) -> str:
    """JavaScript of everything that is computed from draws: a law's formulas, and nothing else.

    Parameters
    ----------
    fit
        The fit.
    names
        Draws in the order in which the page holds them: the law's constants, ``DRIFT`` and ``NOISE``.
    ceiling
        H of the group asked about, nats/token; inf where unknown.

    Returns
    -------
    str
        An object ``recorded`` of functions of draws p, the number s of one, and columns c.
        ``beyond(c)(n, d)``: the distances that drift grows with, decades of N and of D beyond the data, then
        that of the training penalty and that of the degradation.
        ``graded(c)(n, d)``: those that risk is graded by, decades from the hull, then signed those of N, D,
        compute and ratio, and bits of every kind (``graded_bits``).
        ``loss(p, s, c)(n, d)``: the law's mean as trained, without structural error.
        ``nothing(p, s, c)()``: whether nothing stays effective.
        ``trained(p, s, c)(n, d, v)``: the mean with structural error at the distances v.
        ``point(p, s, c)(n, d, v)``: that, or the loss that was measured; the degradation; the loss of a new
        run as trained, and its degradation.
    """
    functions = _distances(fit)
    if fit.law.base.loss is not None:
        functions |= {"loss": _loss(fit, names, ceiling), "nothing": _nothing(fit, names, ceiling)}
    functions |= _with_error(fit, names, ceiling)
    body = "\n".join((SUPPORT, *functions.values(), f"return {{ {', '.join(functions)} }};"))
    return f"const recorded = (() => {{\n{body}\n}})();\n"


def graded_bits(fit: Fit) -> tuple[str, ...]:
    """The kinds of bits that distance is graded by, in the order of ``graded``."""
    return (*training_bits(fit), *(("bits_post",) if fit.law.post is not None else ()))


def _columns(record: Record, ceiling: float, sizes: bool = True) -> _Columns:
    known = {"n_params": record.value("n"), "tokens": record.value("d")} if sizes else {}
    return _Columns(record, {**known, "ceiling": ceiling})


def _draws(record: Record, names: Sequence[str]) -> dict[str, Value]:
    return {name: record.value(f"p[{index}][s]") for index, name in enumerate(names)}


def _loss(fit: Fit, names: Sequence[str], ceiling: float) -> str:
    record = Record(("p", "s", "c"), _SIZES)
    run = train(fit.law, _draws(record, names), _columns(record, ceiling), fit.reference, record.xp)
    return record.function("loss", run.loss)


def _nothing(fit: Fit, names: Sequence[str], ceiling: float) -> str:
    record = Record(("p", "s", "c"), ())
    shares = log_shares(fit.law, _draws(record, names), _columns(record, ceiling, sizes=False), record.xp)
    of_n, of_d = (share < NO_CAPACITY for share in shares)
    return record.function("nothing", record.xp.logical_or(of_n, of_d))


def _with_error(fit: Fit, names: Sequence[str], ceiling: float) -> dict[str, str]:
    """``trained`` and ``point``; as in ``loss_draws``, of one point."""
    record = Record(("p", "s", "c"), (*_SIZES, "v"))
    p, columns, xp, law = _draws(record, names), _columns(record, ceiling), record.xp, fit.law
    of_n, of_d, of_training, of_post = (record.value(f"v[{index}]") for index in range(4))
    error = StructuralError(
        log_loss_error(of_n, of_d, p["omega"], p["z_n"], p["z_d"], xp),
        log_penalty_error(of_training, p["omega_penalty"], p["z_train"], xp),
        log_penalty_error(of_post, p["omega_penalty"], p["z_post"], xp),
    )
    run = train(law, p, columns, fit.reference, xp, error)
    trained = new_trained = run.loss
    if law.base.loss is not None:
        scatter = p["noise_cell"] + p["noise_trained"] * trained_scale(_noise_scales(fit, p), run, 0.0, xp)
        measured = columns["loss_trained"]
        trained = xp.where(measured > 0.0, measured, run.loss)
        new_trained = xp.where(measured > 0.0, measured, new_loss(run.loss, scatter, xp))
    gap, new_gap = _degradations(fit, p, columns, run, trained, new_trained, error, record)
    functions = {"point": record.function("point", [trained, gap, new_trained, new_gap])}
    if law.base.loss is not None:
        functions["trained"] = record.function("trained", run.loss)
    return functions


def _degradations(
    fit: Fit,
    p: Mapping[str, Value],
    columns: _Columns,
    run: Trained,
    trained: Any,
    new_trained: Any,
    error: StructuralError,
    record: Record,
) -> tuple[Any, Any]:
    """Degradation of the law's mean and of a new run; 0 without quantization after training."""
    law, xp, ceiling = fit.law, record.xp, columns["ceiling"]
    if law.post is None:
        return 0.0, 0.0
    log_delta = log_post_degradation(law, p, columns, run.log_n, fit.reference, xp, error)
    gap = degradation(log_delta, trained, ceiling, xp)
    with_effect = degradation(log_delta + p["noise_run"], new_trained, ceiling, xp)
    scatter = gap_scale(p, with_effect, xp) * p["noise_post"]
    new_gap = new_degradation(with_effect, scatter, new_trained, ceiling, xp)
    after = columns["after"]
    return xp.where(after, gap, 0.0), xp.where(after, new_gap, 0.0)


def _noise_scales(fit: Fit, p: Mapping[str, Value]) -> dict[str, Value]:
    own = {parameter.name for parameter in fit.law.noise}
    return {name: value for name, value in p.items() if name in own}


def _distances(fit: Fit) -> dict[str, str]:
    record = Record(("c",), _SIZES)
    columns, xp, rows = _columns(record, np.inf), record.xp, fit.rows
    log_n, log_d = xp.log10(columns["n_params"]), xp.log10(columns["tokens"])
    low_rows, post_rows = low_precision_rows(fit), rows[rows["bits_post"].notna()]
    after, post = columns["after"], Range(columns["post_lo"], columns["post_hi"])
    of_training: Any = 0.0
    if fit.law.training and not low_rows.empty:
        of_training = xp.hypot(*hull_parts(hull_of(low_rows), log_n, log_d, xp))
        of_training = of_training + training_bits_excess(drifting_bits(fit), columns, xp)
    of_post: Any = 0.0
    if fit.law.post is not None and not post_rows.empty:
        of_post = xp.hypot(*hull_parts(hull_of(post_rows), log_n, log_d, xp))
        of_post = xp.where(after, of_post + post.excess(columns["bits_post"], xp), 0.0)
    low = columns["is_quantized"] | columns["is_quantized_backward"]
    fitted = fitted_ratios(fit)
    rows_n, rows_d = (np.log10(rows[name].to_numpy(np.float64)) for name in ("n_params", "tokens"))
    away = hull_parts(fit.hull, log_n, log_d, xp)
    graded = [
        xp.hypot(*away),
        *(
            signed_excess(Range(float(fitted.min()), float(fitted.max())), asked, xp)
            for fitted, asked in ((rows_n, log_n), (rows_d, log_d), (rows_n + rows_d, log_n + log_d))
        ),
        ratio_beyond(fitted, low, after, xp.log10(columns["tokens"] / columns["n_params"]), xp),
    ]
    for column, known in training_bits(fit).items():
        excess = signed_excess(known, read_bits(columns, column, xp), xp)
        graded.append(xp.where(columns["is_floating"], excess, 0.0) if column in PARTS else excess)
    if fit.law.post is not None:
        graded.append(xp.where(after, signed_excess(post, columns["bits_post"], xp), 0.0))
    return {
        "beyond": record.function("beyond", [*away, of_training, of_post]),
        "graded": record.function("graded", graded),
    }
