"""From a run table, or from fits, to answers and to the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

from bitlaw.errors import InputError
from bitlaw.inference.fit import Fit
from bitlaw.laws.law import Law
from bitlaw.laws.registry import DEFAULT_LAW, load_law
from bitlaw.runs.read import read_runs
from bitlaw.runs.table import RunTable
from bitlaw.workflow.backtesting import DEFAULT_FOLDS
from bitlaw.workflow.comparing import compare, with_rival
from bitlaw.workflow.fitting import fit
from bitlaw.workflow.preparing import as_table
from bitlaw.workflow.stages import WRITING, Stage, untold

if TYPE_CHECKING:
    import pandas as pd

    from bitlaw.decisions.spending import Price
    from bitlaw.inference.executors import Progress
    from bitlaw.reporting.answers import Answers


def answer(
    fitted: Fit,
    n_params: float | None = None,
    tokens: float | None = None,
    flops: float | None = None,
    tolerance: float = 0.01,
    method_post: str | None = None,
    group: str | None = None,
    loss: float | None = None,
    drift: bool = True,
) -> Answers:
    """Every answer a report gives, for one question.

    Parameters
    ----------
    fitted
        The fit.
    n_params, tokens
        The model asked about; the largest logged run where both are None.
    flops
        Compute to re-optimise N, D and precision for; that of the model by default.
    tolerance
        Loss that may be lost to precision, nats/token.
    method_post
        Post-training method; the only logged one by default.
    group
        Group of a pooled fit; that of the largest logged run by default.
    loss
        Measured loss of the model as trained, nats/token; it then replaces the law's.
    drift
        Include structural error beyond the data.

    Raises
    ------
    InputError
        If only one of ``n_params`` and ``tokens`` is given.
    """
    from bitlaw.decisions.asked import asked_about
    from bitlaw.reporting.answers import answers_of

    asked = asked_about(fitted, n_params, tokens, flops, group, loss)
    return answers_of(fitted, asked, tolerance, method_post, drift)


def report(
    source: str | Path | RunTable | Fit | Sequence[Fit],
    out: str | Path,
    law: str | Path | Law = DEFAULT_LAW,
    mapping: str | Path | None = None,
    pool: str | Sequence[str] | None = None,
    seed: int = 0,
    progress: bool = False,
    tolerance: float = 0.01,
    method_post: str | None = None,
    backtest_folds: int = DEFAULT_FOLDS,
    drift: bool = True,
    hardware: str | Sequence[str] | None = None,
    speeds: str | Path | Mapping[str, Mapping[str, float]] | None = None,
    price: Price | None = None,
    gpus: int | None = None,
    measured: pd.DataFrame | None = None,
    on_task: Progress | None = None,
    on_stage: Stage = untold,
    **question: float | str | None,
) -> tuple[Fit, Path]:
    """Write the report of fits, or of a run table that is fitted first.

    A run table is fitted with the law and one rival, where both can explain its rows, and the answers
    are those of their stack.

    Parameters
    ----------
    source
        A Fit, several Fits to the same rows, the path of a Fit file (``.nc``), or a run table.
    out
        Folder for ``index.html``, ``summary.json`` and ``model_card.md``; for a run table also ``LAW.nc`` of every fit,
        and ``comparison.json`` where laws were compared.
    law, mapping, pool, seed, progress
        As for ``fit``; not used where the source is a fit.
    tolerance, method_post, drift
        As for ``answer``.
    backtest_folds
        As for ``fit``; where laws are compared, of the one with the most weight. Not used where the source
        is a fit.
    hardware, speeds, price, gpus
        Chip that training precision is decided for, its measured speeds, price and number, as for ``optimum``; of
        several chips the answers are those of the first, with the others' beside them.
    measured
        Losses of the model asked about after quantization, as for ``ptq``. Only where the source is a fit, for rows of
        a run table say it themselves.
    on_task
        Told how many refits, or folds, of a law are done, and of how many.
    on_stage
        As for ``fit`` and ``compare``.
    **question
        ``n_params``, ``tokens``, ``flops``, ``group``, ``loss`` as for ``answer``.

    Returns
    -------
    Fit, Path
        The fit, of several the one with the most weight, and the path of the page.

    Raises
    ------
    InputError
        For a question, chips or measured losses that are not valid, or measured losses that nothing can be said of.
    """
    from bitlaw.decisions.asked import asked_about, chips_of
    from bitlaw.inference.fit_file import load_fit, save_fit
    from bitlaw.reporting.answers import answers_of, answers_of_several
    from bitlaw.reporting.report import write_report

    chips_of(hardware, speeds, price, gpus)  # before anything is sampled
    out, comparison = Path(out), None
    if isinstance(source, str | Path) and str(source).endswith(".nc"):
        source = load_fit(source)
    if measured is not None:
        _require_use_of_measured(source)
    if isinstance(source, Fit):
        fits = [source]
    elif isinstance(source, str | Path | RunTable):
        table = as_table(source, mapping)
        laws = with_rival(law if isinstance(law, Law) else load_law(law), table)
        if len(laws) > 1:
            comparison, by_name = compare(
                table,
                laws,
                pool=pool,
                out=out,
                seed=seed,
                progress=progress,
                backtest_folds=backtest_folds,
                on_refit=on_task,
                on_stage=on_stage,
            )
            fits = list(by_name.values())
        else:
            fits = [
                fit(
                    table,
                    laws[0],
                    pool=pool,
                    seed=seed,
                    progress=progress,
                    backtest_folds=backtest_folds,
                    on_fold=on_task,
                    on_stage=on_stage,
                )
            ]
            save_fit(fits[0], out / f"{fits[0].law.name}.nc")
    else:
        fits = list(source)
    on_stage(WRITING)
    asked_of = {"hardware": hardware, "speeds": speeds, "price": price, "gpus": gpus, "measured": measured}
    asked = asked_about(fits[0], **asked_of, **question)  # type: ignore[arg-type]
    if len(fits) == 1:
        return fits[0], write_report(fits[0], answers_of(fits[0], asked, tolerance, method_post, drift), out)
    answers, several = answers_of_several(fits, asked, tolerance, method_post, comparison, drift)
    lead = next(item for item in fits if item.law.name == several.leading)
    return lead, write_report(lead, answers, out, comparison=several)


def _require_use_of_measured(source: str | Path | RunTable | Fit | Sequence[Fit]) -> None:
    """Check that losses measured after quantization have a fit that can take them."""
    if isinstance(source, str | Path | RunTable):
        raise InputError(
            "measured losses are of a fit (FIT.nc), and a run table was given; valid: a fit, or the losses as rows "
            "of the table with bits_post and their run's run_id"
        )
    from bitlaw.reporting.answers import is_quantized_after

    fits = [source] if isinstance(source, Fit) else source
    if not any(is_quantized_after(fit) for fit in fits):
        names = ", ".join(fit.law.name for fit in fits)
        raise InputError(
            f"measured losses after quantization were given, of which {names} says nothing: it has no term for them, "
            "or no fitted row was quantized after training"
        )


def demo(
    out: str | Path = "reports/tiny_sweep",
    progress: bool = False,
    on_task: Progress | None = None,
    on_stage: Stage = untold,
) -> tuple[Fit, Path]:
    """Fit the embedded sweep and write its report; parameters as of ``report``."""
    with as_file(files("bitlaw.data").joinpath("tiny_sweep.csv")) as path:
        table = read_runs(path)
    return report(table, out, progress=progress, on_task=on_task, on_stage=on_stage)
