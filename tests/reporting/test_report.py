import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from bitlaw.finding import Finding, Status
from bitlaw.inference.fit import Fit
from bitlaw.reporting import exhibits, report
from bitlaw.reporting.answers import Answers
from bitlaw.reporting.report import render, write_report
from bitlaw.reporting.style import Style
from bitlaw.reporting.summary import summary
from fits import collapsed_fit, kumar_constants
from pages import page_one

HOSTILE = '<script>alert("x")</script>\n\'"&\u202e\x00' + "é😀" * 300
COARSE = Style(dpi=40)
VOID = {"meta", "img", "link", "br", "hr", "input"}


class Page(HTMLParser):
    """What the tests ask of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.first_paragraph = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open and "script" not in self.open:
            self.text.append(data)


@pytest.fixture(scope="module")
def text(fit: Fit, answers: Answers) -> str:
    return render(fit, answers)


def test_page_is_self_contained(text: str) -> None:
    page = Page(text)
    assert page.open == []
    for _, attributes in page.tags:
        for name in ("src", "href", "srcset", "action"):
            value = attributes.get(name) or ""
            assert value == "" or value.startswith("#")
    assert not any(tag in ("iframe", "link", "object", "img", "image") for tag, _ in page.tags)
    assert not re.search(r"\b(fetch|XMLHttpRequest|import|sendBeacon|WebSocket)\(", text)
    assert set(re.findall(r"url\(.", text)) <= {"url(#"}  # clip paths of figures
    assert "@import" not in text
    assert len(text.encode()) < 3_000_000


def test_every_anchor_exists(text: str) -> None:
    page = Page(text)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.tags:
        if (attributes.get("href") or "").startswith("#"):
            assert attributes["href"][1:] in ids
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids


def test_figures_have_findings_as_alternative_text(text: str) -> None:
    images = [
        attributes for tag, attributes in Page(text).tags if tag == "svg" and "aria-labelledby" in attributes
    ]
    assert len(images) == 11
    for image in images:
        assert image["role"] == "img"
        named = re.search(f'id="{image["aria-labelledby"]}">(.*?)</strong>', text, re.DOTALL).group(1)
        assert len(named) > 40
        assert re.search(r"\d", named)


def test_headings_are_in_order(text: str) -> None:
    levels = [int(tag[1]) for tag, _ in Page(text).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in zip(levels, levels[1:], strict=False))


def test_every_table_has_a_caption_and_heads(text: str) -> None:
    tags = [tag for tag, _ in Page(text).tags]
    assert tags.count("table") == tags.count("caption") > 4
    assert all("scope" in attributes for tag, attributes in Page(text).tags if tag == "th")


def test_opening_answers_with_numbers_and_names_what_warns(text: str) -> None:
    opening = page_one(text)
    for asked in ("sizes-fixed", "compute-fixed", "spend", "quantize", "expect"):
        assert f'<article class="card moderate" id="{asked}"' in opening
    assert opening.count("What would change it") == 5
    assert "Train weights, activations and KV cache in" in opening or "Train in 16 bits" in opening
    assert "uantize the weights" in opening
    assert "9 runs for 17 constants" in opening
    assert "25M to 400M parameters" in opening
    assert "7B" in opening
    assert opening.count("90 % ETI") >= 1
    assert "%" in opening


def test_constants_after_training_are_explained(text: str) -> None:
    for symbol in ("κ = ", "γ_post = ", "γ_D = "):
        assert symbol in text
    assert "2^γ_D" in text


def test_hostile_names_are_text(fit: Fit, answers_for: Callable[[Fit], Answers]) -> None:
    first = fit.rows["run_id"].iloc[0]
    runs = fit.runs.assign(run_id=fit.runs["run_id"].replace(first, HOSTILE), pareto_k=2.0)
    gone = fit.rows.iloc[[0, 0]].assign(run_id=HOSTILE, reason=HOSTILE)
    hostile = replace(
        fit,
        rows=fit.rows.assign(run_id=fit.rows["run_id"].replace(first, HOSTILE)),
        runs=runs,
        excluded=gone,
        provenance=replace(fit.provenance, source=f"/home/somebody/{HOSTILE.split('/')[0]}"),
        findings=(Finding("data.note", Status.WARN, None, None, f"{HOSTILE}\ud800", HOSTILE),),
    )
    answers = replace(answers_for(hostile), question=HOSTILE)
    page = render(hostile, answers, style=COARSE)
    assert page.count("<script") == 2  # the explorer's data and its script
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert "/home/somebody" not in page
    assert "\x00" not in page
    page.encode("utf-8")
    assert Page(page).open == []
    json.dumps(summary(hostile, answers), allow_nan=False)


@pytest.mark.parametrize("where", ["corpus", "method_post"])
def test_hostile_groups_and_methods_are_text_in_figures_too(
    fit: Fit, answers_for: Callable[[Fit], Answers], where: str
) -> None:
    name = f"{HOSTILE} $\\frac{{"
    if where == "corpus":
        constants = kumar_constants()
        hostile = collapsed_fit(
            "kumar2024", constants, jitter=0.02, pool=where, groups={name: {}, "_under": {"E": 2.0}}
        )
    else:
        named = fit.rows[where].where(fit.rows[where] == "", name)
        hostile = replace(fit, rows=fit.rows.assign(method_post=named))
    page = render(hostile, answers_for(hostile))
    assert page.count("<script") == 2
    assert "\x00" not in page
    assert Page(page).open == []
    assert "alert(" in page
    data = re.search(r'id="explore-data">(.*?)</script>', page, re.DOTALL).group(1)
    assert json.loads(data)["law"] == "kumar2024"
    assert not {"<", ">", "&"} & set(data)


def test_failed_convergence_is_shouted(fit: Fit, answers_for: Callable[[Fit], Answers], text: str) -> None:
    failed = replace(
        fit,
        findings=(Finding("convergence.rhat", Status.FAIL, 1.2, 1.01, "The largest R-hat is 1.2.", "Stop."),),
    )
    page = render(failed, answers_for(failed), style=COARSE)
    assert "Do not use its numbers" in page
    opening = page_one(page)
    assert opening.index("Do not use its numbers") < opening.index("The decision")
    assert "The largest R-hat is 1.2" in opening.partition("The decision")[0]
    assert opening.count("FIT FAILED") == 10
    assert 'class="card moderate"' not in opening
    assert summary(failed, answers_for(failed))["status"] == "FAIL"
    assert "Do not use its numbers" not in text


def test_written_whole_and_the_same_each_time(fit: Fit, answers: Answers, tmp_path: Path) -> None:
    path = write_report(fit, answers, tmp_path / "new" / "report", style=COARSE)
    assert path == tmp_path / "new" / "report" / "index.html"
    assert sorted(item.name for item in path.parent.iterdir()) == [
        "index.html",
        "model_card.md",
        "summary.json",
    ]
    before = {item.name: item.read_bytes() for item in path.parent.iterdir()}
    write_report(fit, answers, path.parent, style=COARSE)
    assert before == {item.name: item.read_bytes() for item in path.parent.iterdir()}


def test_summary_is_plain_and_names_no_place(fit: Fit, answers: Answers, tmp_path: Path) -> None:
    placed = replace(fit, provenance=replace(fit.provenance, source="/home/somebody/runs.csv"))
    write_report(placed, answers, tmp_path, style=COARSE)
    raw = (tmp_path / "summary.json").read_text(encoding="utf-8")
    loaded = json.loads(raw, parse_constant=lambda name: pytest.fail(f"{name} in summary.json"))
    assert {"command", "status", "findings", "prediction", "optimum", "ptq", "constants"} <= set(loaded)
    assert loaded["status"] == "WARN"
    assert loaded["budget"]["best"] == answers.budget.best
    assert loaded["plan"] is None
    assert loaded["provenance"]["source"] == "runs.csv"
    assert "/home" not in raw
    assert str(tmp_path) not in raw
    assert not re.search(r'"[A-Za-z]:\\\\|"/[a-z]', raw)
    assert not re.search(r"\d{2}:\d{2}:\d{2}", raw)


@pytest.mark.parametrize("existing", [False, True])
def test_a_figure_that_fails_leaves_nothing_behind(
    fit: Fit, answers: Answers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, existing: bool
) -> None:
    out = tmp_path / "report"
    if existing:
        out.mkdir()
        (out / "index.html").write_text("before")

    def broken(*_: object) -> None:
        raise RuntimeError("broken figure")

    monkeypatch.setattr(exhibits.data_and_fit, "figure", broken)
    with pytest.raises(RuntimeError, match="broken figure"):
        write_report(fit, answers, out)
    assert out.exists() == existing
    if existing:
        assert [item.read_text() for item in out.iterdir()] == ["before"]


def test_a_failed_write_leaves_the_old_report(
    fit: Fit, answers: Answers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "index.html").write_text("before")
    monkeypatch.setattr(report, "render", lambda *_: "not UTF-8: \ud800")
    with pytest.raises(UnicodeEncodeError):
        write_report(fit, answers, tmp_path)
    assert [item.read_text() for item in tmp_path.iterdir()] == ["before"]


def test_excluded_rows_are_listed_by_reason(fit: Fit, answers: Answers) -> None:
    gone = fit.rows.iloc[:3].assign(reason=["diverged", "diverged", "loss spike"])
    page = render(replace(fit, excluded=gone), answers, style=COARSE)
    assert "loss spike" in page
    assert isinstance(gone, pd.DataFrame)
    data = summary(replace(fit, excluded=gone), answers)["data"]
    assert data["excluded"] == {"diverged": 2, "loss spike": 1}
    assert math.isfinite(data["worst_pareto_k"])
