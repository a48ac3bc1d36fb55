import re
from dataclasses import replace
from pathlib import Path

import pytest

from bitlaw.inference.fit import Fit
from bitlaw.reporting.answers import Answers
from bitlaw.reporting.report import render
from browsers import needs_chromium, printed, width_needed

PHONE, DESK = 390, 1200
LONG = "corpus/" * 60


@pytest.fixture(scope="module")
def page(fit: Fit, answers: Answers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "index.html"
    gone = fit.rows.iloc[[0, 1]].assign(run_id=LONG, reason=LONG)
    path.write_text(render(replace(fit, excluded=gone), replace(answers, question=LONG)), encoding="utf-8")
    return path


@needs_chromium
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_only_tables_and_figures_scroll_sideways(page: Path, width: int, tmp_path: Path) -> None:
    assert width_needed(page, width, tmp_path) <= width


@needs_chromium
def test_a_page_too_wide_is_noticed(tmp_path: Path) -> None:
    wide = tmp_path / "wide.html"
    wide.write_text('<!DOCTYPE html><body><p style="width:2000px">x</p></body>', encoding="utf-8")
    assert width_needed(wide, PHONE, tmp_path) > PHONE


@needs_chromium
def test_it_prints_on_pages_of_a4(page: Path, tmp_path: Path) -> None:
    pdf = printed(page, tmp_path)
    boxes = set(re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf))
    assert boxes
    for width, height in boxes:
        assert (float(width), float(height)) == pytest.approx((595.3, 841.9), abs=1.0)
    assert 3 <= len(re.findall(rb"/Type /Page\b", pdf)) <= 40
