"""model_card.md: what a fit is for and what it is not, its data, law, results and limits. No times, no paths in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from bitlaw.criticism.contraction import contraction_table
from bitlaw.finding import Status, overall_status
from bitlaw.inference.fit import Fit
from bitlaw.reporting.opening.agreement import laws_sentence
from bitlaw.reporting.opening.cards import cards
from bitlaw.reporting.opening.certainty import counted_sentence, drift_sentence
from bitlaw.reporting.opening.measured import range_sentence
from bitlaw.reporting.several import SeveralLaws
from bitlaw.reporting.summary import all_findings, source_name
from bitlaw.reporting.tables import constants_table, excluded_table, not_passed, priors_table
from bitlaw.reporting.words import printable, short_name
from bitlaw.runs.columns import TRAINING_BITS
from bitlaw.units import format_bits, format_count, format_probability

if TYPE_CHECKING:
    from bitlaw.reporting.answers import Answers

_MEANS_SOMETHING = re.compile(r"([\\`*_\[\]<>|~$&]|^[#+-]|(?<=^\d)[.)](?=\s))")
_STEERS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_LONGEST = 2000


def markdown(text: object) -> str:
    r"""Text as Markdown that shows it as it is, on one line; letters that turn the direction of text are spelt out.

    Examples
    --------
    >>> print(markdown("<b>a_b</b> | 1*2"))
    \<b\>a\_b\</b\> \| 1\*2
    >>> print(markdown("- 1) - x"))
    \- 1) - x
    >>> print(markdown("two\nlines \u202eback"))
    two lines \\u202eback
    """
    line = " ".join(printable(str(text)).split())
    spelt = _STEERS.sub(lambda found: f"\\u{ord(found[0]):04x}", line)
    cut = spelt if len(spelt) <= _LONGEST else f"{spelt[:_LONGEST]}…"
    return _MEANS_SOMETHING.sub(r"\\\1", cut)


def model_card(fit: Fit, answers: Answers, several: SeveralLaws | None = None) -> str:
    """The card of a fit and of what was decided from it, as Markdown.

    Parameters
    ----------
    fit
        The fit; of several laws the leading one.
    answers
        What was decided from it; of several laws by their stack.
    several
        The laws beside each other, where there are several.
    """
    environment = Environment(
        loader=PackageLoader("bitlaw.reporting", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalize,
    )
    findings = all_findings(fit, answers, several)
    return environment.get_template("model_card.md.j2").render(
        name=f"{fit.law.name} fitted to {source_name(fit)}",
        status=overall_status(findings),
        failed=overall_status(findings) is Status.FAIL,
        question=answers.question,
        law=fit.law,
        weights={name: format_probability(weight) for name, weight in several.weights.items()}
        if several
        else {},
        agreement=laws_sentence(fit.law, several),
        measured=range_sentence(fit),
        structural=drift_sentence(answers, findings),
        cards=cards(fit, answers, several),
        findings=tuple(not_passed(findings).values()),
        counted=counted_sentence(findings, len(not_passed(findings))),
        data=_data(fit),
        excluded=excluded_table(fit),
        excluded_rows=len(fit.excluded),
        constants=constants_table(contraction_table(fit)),
        priors=priors_table(fit),
        provenance=fit.provenance,
        settings=dict(fit.provenance.settings),
        versions=dict(fit.provenance.versions),
    )


def _finalize(value: object) -> str:
    """Every value that the template prints, as Markdown."""
    return markdown(value)


def _data(fit: Fit) -> dict[str, Any]:
    rows = fit.rows
    after = rows["bits_post"].notna()
    return {
        "run table": source_name(fit),
        "SHA-256 of the rows used": fit.provenance.table_hash,
        "rows": f"{len(rows)}, of {rows['run_id'].nunique()} training runs",
        "rows quantized after training": str(int(after.sum())),
        "parameters": _range(rows["n_params"].min(), rows["n_params"].max()),
        "tokens": _range(rows["tokens"].min(), rows["tokens"].max()),
        **{
            f"training bits, {column.removeprefix('bits_')}": _levels(rows[column].unique())
            for column in TRAINING_BITS
        },
        "formats": ", ".join(sorted(short_name(str(name)) for name in rows["format"].unique() if str(name)))
        or "none",
        "bits after training": _levels(rows.loc[after, "bits_post"].unique()) if after.any() else "none",
        "pooled over": ", ".join(fit.pool) or "nothing",
    }


def _range(lo: float, hi: float) -> str:
    return format_count(float(lo)) if lo == hi else f"{format_count(float(lo))} to {format_count(float(hi))}"


def _levels(bits: Any) -> str:
    return ", ".join(format_bits(float(value)) for value in sorted(bits, reverse=True))
