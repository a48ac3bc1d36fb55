import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bitlaw
from bitlaw.criticism.common_rows import CommonRows, common_rows, load_laws
from bitlaw.criticism.comparison import Comparison, compare_laws
from bitlaw.errors import InputError
from bitlaw.finding import Finding, Status
from bitlaw.inference.draws import points_frame
from bitlaw.inference.fit import Fit
from bitlaw.inference.fit_file import load_fit
from bitlaw.inference.refit import ExactScores, Refit
from bitlaw.inference.simulate import simulate_losses
from bitlaw.laws.registry import load_law
from bitlaw.runs.table import RunTable
from fits import NOISE, collapsed_fit

CONSTANTS = {"E": 1.8, "a": 0.4, "b": 0.5, "alpha": 0.35, "beta": 0.37}
HELD_OUT = np.array([6, 7, 8])


def table_of(frame: pd.DataFrame) -> RunTable:
    return RunTable(frame, frame.iloc[:0].assign(reason=pd.Series(dtype=object)), "runs.csv")


def rows_of(bits: list[float], **columns: object) -> RunTable:
    frame = points_frame(
        run_id=[f"r{i}" for i in range(len(bits))],
        n_params=list(np.geomspace(1e7, 1e9, len(bits))),
        tokens=1e10,
        bits_weights=bits,
        loss=3.0,
        **columns,
    )
    return table_of(frame)


def law_fit(name: str, elpd: np.ndarray, status: Status = Status.PASS, **changes: float) -> Fit:
    fit = collapsed_fit("chinchilla", CONSTANTS | changes, jitter=0.002)
    return replace(
        fit,
        law=replace(fit.law, name=name),
        runs=fit.runs.assign(elpd=elpd),
        findings=(Finding("convergence.rhat", status, 1.0, 1.01, "R-hat is 1.0."),),
    )


def compared(
    *laws: tuple[Fit, float],
    unreliable: tuple[str, ...] = (),
    rough: tuple[str, ...] = (),
    rhat: float = 1.01,
    held_out: np.ndarray = HELD_OUT,
) -> Comparison:
    """A comparison of fits, each with its log density of a held-out run."""
    fits = [fit for fit, _ in laws]
    scored = [ExactScores(fit, ("n1-d1-16b",), unreliable, 1.0, rough) for fit in fits]
    common = CommonRows(tuple(fit.law for fit in fits), table_of(fits[0].rows), {"sun2025": "no term"})
    refits = [
        Refit(fit.posterior, np.full(len(held_out), value), rhat, np.full(len(held_out), 100.0))
        for fit, value in laws
    ]
    return compare_laws(common, scored, held_out, refits if len(held_out) else [])


def finding(comparison: Comparison, code: str) -> Finding:
    return next(item for item in comparison.findings if item.code == code)


def test_scores_differences_weights_and_coverage():
    elpd = np.linspace(1.0, 2.0, 9)
    worse = elpd - np.array([1.0, 3.0] * 4 + [2.0])
    better = law_fit("better", elpd)
    off = replace(law_fit("worse", worse, E=1.95), rows=better.rows)
    result = compared((off, 1.0), (better, 2.0))
    best, other = result.laws
    assert (best.law, other.law) == ("better", "worse")
    assert best.one_out.elpd == pytest.approx(elpd.sum())
    assert (best.one_out.difference, best.one_out.difference_se) == (0.0, 0.0)
    assert other.one_out.difference == pytest.approx(-18.0)
    assert other.one_out.difference_se == pytest.approx(np.sqrt(9 * np.var([1, 3] * 4 + [2], ddof=1)))
    assert best.one_out.weight == pytest.approx(1.0, abs=1e-3)
    assert (best.held_out.elpd, other.held_out.difference) == (6.0, -3.0)
    assert best.held_out.coverage == 1.0  # the losses are exactly the law's
    assert other.held_out.coverage == 0.0  # its floor is far above the noise too high
    assert best.held_out.mean_absolute_error < 0.002 < other.held_out.mean_absolute_error
    assert result.held_out.ratio == pytest.approx(4.0)
    assert (result.held_out.kept, result.held_out.losses) == (6, 3)
    assert "better predicts left-out runs best: its elpd is 18.0 nats (SE 3.0) above" in result.sentence()
    assert result.status is Status.PASS


def test_laws_within_two_standard_errors_are_said_to_be_alike():
    elpd = np.zeros(9)
    near = np.array([1.0, -1.2] * 4 + [0.0])
    result = compared((law_fit("one", elpd), 1.0), (law_fit("two", near), 1.0))
    found = finding(result, "comparison.apart")
    assert found.status is Status.WARN
    assert "do not tell one apart from two" in found.message
    assert "do not tell it apart from two" in result.sentence()


def test_another_law_beyond_the_data_is_a_warning():
    elpd = np.zeros(9)
    inside, beyond = law_fit("inside", elpd), law_fit("beyond", elpd - 1.0)
    assert finding(compared((inside, 2.0), (beyond, 1.0)), "comparison.beyond").status is Status.PASS
    found = finding(compared((inside, 1.0), (beyond, 2.0)), "comparison.beyond")
    assert found.status is Status.WARN
    assert found.message.startswith("inside predicts runs within the data best, beyond the largest runs")


def test_unreliable_scores_poor_refits_and_unconverged_fits_are_never_silent():
    elpd = np.zeros(9)
    laws = (law_fit("one", elpd, Status.FAIL), 1.0), (law_fit("two", elpd - 1.0), 1.0)
    result = compared(*laws, unreliable=("n4-d4-16b",), rough=("n1-d1-16b",), rhat=1.2)
    assert result.status is Status.FAIL
    assert "fit of one did not converge" in finding(result, "comparison.convergence").message
    assert "n4-d4-16b" in finding(result, "comparison.pareto_k").message
    assert finding(result, "comparison.refits").status is Status.WARN
    assert (
        "the scores of 1 of 1 refitted runs rest on fewer than 10 draws"
        in finding(result, "comparison.few_draws").message
    )
    assert not any(item.code == "comparison.few_draws" for item in compared(*laws).findings)
    assert [law.unreliable for law in result.laws] == [1, 1]


def test_one_law_alone_and_nothing_held_out():
    result = compared((law_fit("one", np.zeros(9)), 1.0), held_out=np.empty(0, int))
    assert "only one law applies: one" in result.sentence()
    assert finding(result, "comparison.apart").status is Status.NOT_RUN
    assert finding(result, "comparison.beyond").status is Status.NOT_RUN
    assert result.laws[0].one_out.weight == 1.0
    content = result.to_dict()
    assert content["held_out"] is None
    assert content["laws"][0]["held_out"] is None


def test_the_dict_is_plain_and_the_table_has_a_row_per_law():
    elpd = np.zeros(9)
    result = compared((law_fit("one", elpd), 1.0), (law_fit("two", elpd - 1.0), 1.0))
    content = json.loads(json.dumps(result.to_dict()))
    assert [law["law"] for law in content["laws"]] == ["one", "two"]
    assert content["laws"][0]["noise"]["sigma"]["median"] == pytest.approx(0.005, rel=0.05)
    assert set(content["laws"][0]["noise"]) == {"sigma"}
    assert content["not_applicable"] == {"sun2025": "no term"}
    assert content["held_out"]["run_ids"] == ["n4.0-d0.25-16b", "n4.0-d1.0-16b", "n4.0-d4.0-16b"]
    assert result.table()["law"].tolist() == ["one", "two"]


def test_laws_that_use_few_rows_do_not_take_part():
    laws = load_laws(["coupled", "kumar2024", "bitlaw-default", "ptq-gap", "sun2025"])
    common = common_rows(laws, rows_of([16.0, 16.0, 8.0, 4.0, 4.0]))
    assert [law.name for law in common.laws] == ["kumar2024", "bitlaw-default"]
    assert list(common.not_applicable) == ["coupled", "ptq-gap", "sun2025"]
    assert common.not_applicable["coupled"] == (
        "has no term for bits_weights below 16 (3 of 5 rows); comparing on what is left would answer another question"
    )
    assert "floating-point" in common.not_applicable["sun2025"]


def test_all_laws_are_fitted_to_the_rows_every_one_can_use():
    bits = [16.0] * 20 + [8.0]
    common = common_rows(load_laws(["coupled", "chinchilla"]), rows_of(bits))
    assert len(common.table.frame) == 20
    assert common.table.excluded["reason"].tolist() == ["not usable by every compared law"]
    assert common.table.findings[-1].code == "comparison.rows"
    assert common.table.findings[-1].value == 1.0


def test_laws_of_degradations_are_compared_among_themselves():
    own = rows_of([16.0] * 6).frame
    frame = pd.concat([own, own.assign(bits_post=4.0, method_post="gptq", loss=3.1)], ignore_index=True)
    table = table_of(frame)
    assert len(common_rows(load_laws(["ptq-gap", "ptq-gap-power"]), table).laws) == 2
    mixed = common_rows(load_laws(["ptq-gap", "ouyang2024"]), table)
    assert [law.name for law in mixed.laws] == ["ouyang2024"]
    assert "models degradations only" in mixed.not_applicable["ptq-gap"]


def test_no_law_unknown_laws_and_laws_named_twice_are_refused(tmp_path: Path):
    with pytest.raises(
        InputError, match="law sun2025: no run is trained in a floating-point format"
    ) as raised:
        common_rows(load_laws(["sun2025", "quartet2025"]), rows_of([16.0, 16.0]))
    assert len(raised.value.problems) == 3
    with pytest.raises(InputError, match='did you mean "chinchilla"'):
        load_laws(["chinchila"])
    copy = tmp_path / "mine.toml"
    copy.write_text(load_law("coupled").toml)
    with pytest.raises(InputError, match="law coupled is named 2 times"):
        load_laws(["coupled", str(copy)])
    with pytest.raises(InputError, match=r'law name "\.\./mine": fits are saved by it'):
        load_laws([replace(load_law("coupled"), name="../mine")])
    with pytest.raises(InputError, match="no law to compare"):
        load_laws([])
    assert {"chinchilla", "bitlaw-default"} <= {law.name for law in load_laws(None)}


def test_diverged_rows_are_not_predicted():
    fit = law_fit("one", np.zeros(9))
    frame = fit.rows.copy()
    frame.loc[frame.index[-1], "status"] = "diverged"
    assert compared((replace(fit, rows=frame), 1.0)).held_out.losses == 2


@pytest.mark.slow
def test_the_simulating_structure_is_recovered(tmp_path: Path):
    law = load_law("bitlaw-default")
    truth = NOISE | {
        "mean_loss": 3.0, "floor_share": 0.5, "n_share": 0.5, "slope_n": 0.06, "slope_d": 0.07, "g": 0.5,
        "gamma_D_train": 0.3, "gamma_N_train": -0.2, "sigma": 0.001, "sigma_cell": 0.001, "kappa_train": 0.01,
        "C": 0.03, "gamma_D": 0.5, "gamma_N": 0.3, "gamma_post": 0.65, "C_w": 0.6, "nu_gap": 8.0,
    }  # fmt: skip
    truth |= {
        f"{name}_{kind}": value for kind in ("w", "a", "kv") for name, value in (("k", 0.04), ("c", 1.0))
    }
    grid = [
        (n, d, bits)
        for n in (1e7, 4e7, 1.6e8)
        for d in (4e8, 2e9, 1e10, 5e10)
        for bits in (16.0, 8.0, 4.0, 3.0)
    ]
    n_params, tokens, bits = (list(values) for values in zip(*grid, strict=True))
    design = points_frame(
        run_id=[f"r{i}" for i in range(len(grid))], n_params=n_params, tokens=tokens, bits_weights=bits
    )
    table = table_of(simulate_losses(law, law.complete(truth, np), design, seed=5))
    out = tmp_path / "laws"
    comparison, fits = bitlaw.compare(table, ["kumar2024-coupled", "bitlaw-default", "chinchilla"], out=out)
    best, other = comparison.laws
    assert (best.law, other.law) == ("bitlaw-default", "kumar2024-coupled")
    assert list(comparison.not_applicable) == ["chinchilla"]
    assert -other.one_out.difference > 2 * other.one_out.difference_se
    assert best.one_out.weight > 0.9
    assert best.held_out.elpd > other.held_out.elpd
    assert len(comparison.held_out.run_ids) >= 9
    gap = next(
        item
        for item in comparison.differences.elasticities
        if (item.law, item.column) == ("bitlaw-default", "tokens")
    )
    assert gap.value.lo < 0.3 < gap.value.hi
    saved = load_fit(out / "bitlaw-default.nc")
    pd.testing.assert_frame_equal(saved.runs, fits["bitlaw-default"].runs, check_dtype=False)
    assert saved.provenance.table_hash == fits["kumar2024-coupled"].provenance.table_hash
    xr.testing.assert_identical(saved.posterior["E"], fits["bitlaw-default"].posterior["E"])
    assert json.loads((out / "comparison.json").read_text())["best"] == "bitlaw-default"
    assert sorted(path.name for path in out.iterdir()) == [
        "bitlaw-default.nc", "comparison.json", "kumar2024-coupled.nc",
    ]  # fmt: skip
