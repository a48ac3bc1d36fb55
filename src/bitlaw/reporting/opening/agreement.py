"""Whether the answers depend on the law, in a sentence."""

from bitlaw.laws.law import Law
from bitlaw.reporting.several import SeveralLaws
from bitlaw.reporting.words import joined
from bitlaw.units import format_probability


def laws_sentence(law: Law, several: SeveralLaws | None) -> str:
    """Whether the answers depend on the law; for one law, that this was not checked."""
    if several is None:
        return (
            f"One law was fitted, {law.name}, so whether another would answer differently was not checked "
            "(NOT RUN)."
        )
    weights = joined(f"{name} {format_probability(weight)}" for name, weight in several.weights.items())
    stack = f"What is said here is said by their stack, in which they weigh {weights}."
    by_question = {what: said for what, said in several.answers_by_question().items() if len(said) > 1}
    agreed = {
        what: next(iter(said.values())) for what, said in by_question.items() if len(set(said.values())) == 1
    }
    apart = {what: said for what, said in by_question.items() if what not in agreed}
    who = "Both" if len(several.scores) == 2 else f"All {len(several.scores)}"
    if not by_question:
        return f"No question was put to more than one of {len(several.scores)} laws. {stack}"
    if not apart:
        said = joined(f"{answer} {what}" for what, answer in agreed.items())
        return f"{who} laws say {said}. {stack}"
    disagree = "; ".join(
        f"{what}, {joined(f'{name} says {answer}' for name, answer in said.items())}"
        for what, said in apart.items()
    )
    rest = joined(f"{answer} {what}" for what, answer in agreed.items())
    return f"The laws disagree: {disagree}{f'; {who.lower()} say {rest}' if rest else ''}. {stack}"
