"""The page that lists every law, ``docs/laws.md``: run ``python docs/laws.py`` after adding or changing one."""

from pathlib import Path

from bitlaw.cli.laws import columns_needed
from bitlaw.laws.law import Law
from bitlaw.laws.registry import law_names, load_law

PAGE = Path(__file__).with_name("laws.md")
HEAD = """\
# The laws

Written by `python docs/laws.py` from the files in `models/`; `bitlaw laws NAME` shows one law in full, with its
constants, priors and their reasons. [How to add a law](add_a_law.md).

N and D are parameters and tokens, N̄ and D̄ their geometric means over the fitted runs, P bits. Every penalty
and every degradation is bounded so that no model is worse than guessing, ln(vocabulary).

| law | what it says | source | columns it explains the loss by |
|---|---|---|---|
"""


def page() -> str:
    """The page in Markdown."""
    laws = [load_law(name) for name in law_names()]
    rows = (
        f"| [`{law.name}`](#{law.name}) | {law.title} | {law.source} | {', '.join(columns_needed(law))} |\n"
        for law in laws
    )
    return HEAD + "".join(rows) + "".join(_section(law) for law in laws)


def _section(law: Law) -> str:
    lines = [f"\n## {law.name}\n", " ".join(law.summary.split()) + "\n"]
    for term in law.terms:
        cannot = getattr(term, "cannot", "")
        lines.append(
            f"- **{term.name}** ({term.source}): `{term.equation}`"
            + (f"  \n  It cannot say {cannot}." if cannot else "")
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
