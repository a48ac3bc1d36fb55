"""What a notebook shows of a result."""

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import arviz
import numpy as np
import pandas as pd
import pytest

from bitlaw import notebook
from bitlaw.decisions.across_laws import optimum_across
from bitlaw.decisions.decision import Decision
from bitlaw.decisions.on_chips import optimum_on_chips
from bitlaw.decisions.optimum import optimum
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.decisions.predict import predict
from bitlaw.decisions.ptq import ptq
from bitlaw.decisions.stacked import predict_across
from bitlaw.finding import Finding, Status
from bitlaw.inference.draws import points_frame
from bitlaw.inference.fit import Fit
from fits import collapsed_fit, kumar_constants

HOSTILE = '<script>alert("1")</script>\n‮مرحبا 🦙 & ' + "x" * 200
COUPLED = {"mean_loss": 2.6, "floor_share": 0.6, "n_share": 0.4, "slope_n": 0.06, "slope_d": 0.08, "g": 0.5}
ADDITIVE = {
    "k_w": 0.02, "c_w": 0.9, "k_a": 0.03, "c_a": 0.8, "k_kv": 0.005, "c_kv": 1.1,
    "gamma_D_train": 0.1, "gamma_N_train": 0.2,
}  # fmt: skip
POINT = {"n_params": 1e8, "tokens": 1e10}


class Page(HTMLParser):
    """Tags and texts of a page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.cells: list[str] = []
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.tags[-1] in ("td", "th"):
            self.cells.append(data)


@pytest.fixture(scope="module")
def fit() -> Fit:
    fitted = collapsed_fit("kumar2024", kumar_constants(), vocab_size=32000.0, jitter=0.02)
    return replace(fitted, findings=(Finding("a.b", Status.WARN, None, None, f"Run {HOSTILE} is odd."),))


@pytest.fixture(scope="module")
def results(fit: Fit) -> dict[str, Any]:
    other = collapsed_fit(
        "bitlaw-default", kumar_constants() | COUPLED | ADDITIVE, rows=fit.rows, jitter=0.02
    )
    both = [fit, other]
    return {
        "fit": fit,
        "prediction": predict(fit, points_frame(**POINT)),
        "optimum": optimum(fit, **POINT),
        "ptq": ptq(fit, **POINT),
        "on chips": optimum_on_chips(fit, ["h100", "b200"], **POINT),
        "optimum of laws": optimum_across(both, **POINT),
        "prediction of laws": predict_across(both, points_frame(**POINT)),
    }


@pytest.mark.parametrize(
    "name",
    ["fit", "prediction", "optimum", "ptq", "on chips", "optimum of laws", "prediction of laws"],
)
def test_a_result_shows_its_sentence_and_its_table(results: dict[str, Any], name: str) -> None:
    result = results[name]
    page = Page(result._repr_html_())
    for part in result.sentence().split("\n\n"):
        assert part in page.text
    assert set(page.tags) <= {
        "div", "p", "details", "summary", "ul", "li", "table", "thead", "tbody", "tr", "th", "td",
    }  # fmt: skip
    assert page.tags.count("tr") == 1 + len(result.table())
    assert str(result.table().columns[0]) in page.cells


def test_texts_of_others_are_text(fit: Fit, results: dict[str, Any]) -> None:
    page = Page(results["prediction"]._repr_html_())
    assert HOSTILE in page.text
    named = replace(fit, provenance=replace(fit.provenance, source=HOSTILE))
    assert HOSTILE in Page(named._repr_html_()).text
    assert "script" not in Page(named._repr_html_()).tags


def test_cells_are_readable_and_long_tables_are_cut() -> None:
    rows = [[HOSTILE, 0.123456, None, True]] * 70
    page = Page(notebook.table_html([HOSTILE, "n", "empty", "safe"], rows))
    assert page.cells[:6] == [HOSTILE, "n", "safe", HOSTILE, "0.1235", "yes"]
    assert (page.tags.count("tr"), "… and 10 more rows" in page.text) == (61, True)
    cells = notebook.table_html(["a", "b"], [[np.bool_(False), float("nan")]])
    assert Page(cells).cells == ["a", "no"]


def test_a_new_decision_shows_itself_without_a_line_of_its_own() -> None:
    class Next(Decision):
        def sentence(self) -> str:
            return "Log a larger run."

        def table(self) -> pd.DataFrame:
            return pd.DataFrame({"run": ["a"], "gain": [0.5]})

    page = Page(Next(law="coupled", prob=0.9, draws=10, seed=0)._repr_html_())
    assert page.cells == ["run", "gain", "a", "0.5"]
    assert PrecisionDecision._repr_html_ is Decision._repr_html_


def test_a_fit_that_did_not_converge_says_so(fit: Fit) -> None:
    failed = replace(fit, findings=(Finding("c.rhat", Status.FAIL, 1.2, 1.01, "R-hat of E is 1.2."),))
    page = Page(failed._repr_html_())
    assert "It did not converge" in page.text
    assert "Findings: FAIL" in page.text


def test_the_draws_are_a_tree_that_arviz_reads(fit: Fit) -> None:
    tree = fit.to_datatree()
    assert set(tree.children) == {"posterior", "prior", "sample_stats", "observed_data"}
    summary = arviz.summary(tree, var_names=["E", "alpha"], round_to="none")
    assert summary.loc["E", "mean"] == pytest.approx(fit.draws("E").mean())
    assert tree["observed_data"]["loss"].to_numpy().tolist() == fit.rows["loss"].tolist()
    constants = fit.table().set_index("constant")
    assert set(constants.index) == {item.name for item in fit.law.parameters}
    assert constants.loc["E", "posterior"].startswith(f"{np.median(fit.draws('E')):.3g} (90 % ETI ")
