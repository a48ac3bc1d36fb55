"""Several laws fitted to the same rows, as a report shows them: scores, weights, and each law's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bitlaw.criticism.differences import law_differences
from bitlaw.criticism.law_scores import HeldOutScore, Score, scores
from bitlaw.criticism.stacking import elpd_by_run
from bitlaw.decisions.across_laws import AcrossLaws
from bitlaw.decisions.budget_decision import BudgetDecision
from bitlaw.decisions.intervals import json_value
from bitlaw.decisions.post_training_decision import PostTrainingDecision
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.decisions.prediction import Prediction
from bitlaw.inference.fit import Fit
from bitlaw.reporting.tables import Table

if TYPE_CHECKING:
    from bitlaw.criticism.comparison import Comparison


@dataclass(frozen=True)
class SeveralLaws:
    """What a report of several laws says beyond that of one.

    Parameters
    ----------
    prediction, precision_fixed, precision_free, post_training
        The questions of a report under each law and under their stack; None where no law answers.
        A law without the term a question needs is missing from its answers.
    scores
        What each law expected of each run left out, by name, best first.
    held_out
        What it expected of the largest runs, left out together; None where that was not computed.
    differences
        What differs between the laws, in sentences.
    spending
        How the compute is best spent under each law; None where no law splits it.
    """

    prediction: AcrossLaws[Prediction]
    precision_fixed: AcrossLaws[PrecisionDecision] | None
    precision_free: AcrossLaws[PrecisionDecision] | None
    post_training: AcrossLaws[PostTrainingDecision] | None
    scores: Mapping[str, Score]
    held_out: Mapping[str, HeldOutScore | None]
    differences: tuple[str, ...]
    spending: AcrossLaws[BudgetDecision] | None = None

    @property
    def weights(self) -> Mapping[str, float]:
        """Weight of each law in the stack, by name, best first."""
        return {name: self.prediction.weights[name] for name in self.scores}

    @property
    def leading(self) -> str:
        """The law with the most weight."""
        return max(self.weights, key=lambda name: self.weights[name])

    def answers_by_question(self) -> dict[str, dict[str, str]]:
        """Each law's answer in a few words, by what is asked."""
        found: dict[str, dict[str, str]] = {}
        for across, what in (
            (self.precision_fixed, "in training with sizes fixed"),
            (self.precision_free, "in training with compute fixed"),
        ):
            if across is not None:
                found[what] = {name: answer.answer for name, answer in across.by_law.items()}
        if self.post_training is not None:
            found["after training"] = {
                name: answer.answer for name, answer in self.post_training.by_law.items()
            }
        return found

    def to_dict(self) -> dict[str, Any]:
        """Scores and answers as plain JSON types."""
        return {
            name: json_value(
                {
                    "weight": self.weights[name],
                    "elpd": score.elpd,
                    "difference": score.difference,
                    "difference_se": score.difference_se,
                    "held_out": None if (far := self.held_out.get(name)) is None else vars(far),
                    "answers": {what: said.get(name) for what, said in self.answers_by_question().items()},
                }
            )
            for name, score in self.scores.items()
        }


def several_laws(
    fits: Sequence[Fit],
    prediction: AcrossLaws[Prediction],
    precision_fixed: AcrossLaws[PrecisionDecision] | None = None,
    precision_free: AcrossLaws[PrecisionDecision] | None = None,
    post_training: AcrossLaws[PostTrainingDecision] | None = None,
    comparison: Comparison | None = None,
    spending: AcrossLaws[BudgetDecision] | None = None,
) -> SeveralLaws:
    """Laws beside each other, with the scores of a comparison where there is one.

    Parameters
    ----------
    fits
        One fit per law, to the same rows.
    prediction, precision_fixed, precision_free, post_training
        Their answers.
    comparison
        The comparison the fits come from; without it runs are scored as each fit left them out, and
        the largest ones are not held out together.
    spending
        How each law would spend the compute.

    Raises
    ------
    InputError
        If a fit's scores are not finite.
    """
    names = [fit.law.name for fit in fits]
    compared = {law.law: law for law in comparison.laws if law.law in names} if comparison is not None else {}
    own = {name: law.one_out for name, law in compared.items()}
    if not own:
        own = dict(zip(names, scores(elpd_by_run(fits)), strict=True))
    return SeveralLaws(
        prediction=prediction,
        precision_fixed=precision_fixed,
        precision_free=precision_free,
        post_training=post_training,
        scores=dict(sorted(own.items(), key=lambda item: -item[1].elpd)),
        held_out={name: law.held_out for name, law in compared.items()},
        differences=(comparison.differences if comparison is not None else law_differences(fits)).sentences(),
        spending=spending,
    )


def laws_table(several: SeveralLaws) -> Table:
    """Laws beside each other: how they predicted runs left out, and what each answers."""
    by_question = several.answers_by_question()
    rows = []
    for name, score in several.scores.items():
        far = several.held_out.get(name)
        beyond = "not run" if far is None else f"{_difference(far)}; {100 * far.coverage:.0f} % covered"
        said = [answers.get(name, "no term") for answers in by_question.values()]
        rows.append((name, _difference(score), f"{several.weights[name]:.2f}", beyond, *said))
    precision = (several.precision_fixed, several.precision_free)
    stack = [across.stack.answer for across in precision if across is not None]
    if several.post_training is not None:
        stack.append(several.post_training.stack.answer)
    rows.append(("the stack", "–", "–", "–", *stack))
    return Table(
        "Laws fitted to the same rows, the best first. elpd: the expected log predictive density of each "
        "run left out, in nats, as a difference to the best ± its standard error; weight: of its draws in "
        "the stack; largest runs: the same for the largest runs left out together, and how many of their "
        "losses lay in their 90 % intervals.",
        ("law", "elpd", "weight", "largest runs", *by_question),
        tuple(rows),
        (len(rows) - 1,),
    )


def _difference(score: Score) -> str:
    text = "best" if score.difference == 0 else f"{score.difference:.1f} ± {score.difference_se:.1f}"
    return text.replace("-", "−").replace(" ", "\N{NO-BREAK SPACE}")
