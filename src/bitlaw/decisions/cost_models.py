"""The same question under other cost models: what the options would cost, and their losses then."""

from collections.abc import Mapping, Sequence

import numpy as np

from bitlaw.decisions.costs import cost_in_bits, tokens_bought
from bitlaw.decisions.law_draws import LawDraws
from bitlaw.decisions.on_offer import OnOffer
from bitlaw.decisions.question import PrecisionQuestion
from bitlaw.decisions.reoptimise import Allocation, reallocate
from bitlaw.runs.columns import UNQUANTIZED_BITS

IN_PROPORTION = "a cost in proportion to bits"
ALIKE = "no speed-up below 16 bits"


def other_costs(question: PrecisionQuestion, offer: Sequence[OnOffer]) -> dict[str, np.ndarray]:
    """What the options cost under other models than the question's, relative to 16 bits, shape (options,).

    In proportion to bits (arXiv 2411.04330); every precision alike, as on hardware without fast formats;
    where measured speeds were used, the peaks of the chip.

    Parameters
    ----------
    question, offer
        What was asked, and the options.
    """
    alike = {ALIKE: np.ones(len(offer))}
    pricing = question.pricing
    if pricing.chip is None:
        return alike
    models = {IN_PROPORTION: np.array([float(cost_in_bits(option.bits)) for option in offer])} | alike
    if any(option.speed_measured and option.bits < UNQUANTIZED_BITS for option in offer):
        peaks = pricing.at_peaks()
        costs = [peaks.relative(option.runs_in) if option.runs_in else option.cost for option in offer]
        models[f"the peaks of {pricing.name}"] = np.array(costs)
    return models


def spent_under(
    law: LawDraws, question: PrecisionQuestion, spent: Allocation, costs: Mapping[str, np.ndarray]
) -> list[Allocation]:
    """Parameters, tokens and loss of every option under each cost model; none where both sizes are fixed.

    Parameters
    ----------
    law
        The law at the options.
    question
        What is fixed.
    spent
        The allocation under the question's own costs, near which that under others is searched.
    costs
        The other models.
    """
    if question.flops is None:
        return []
    under = []
    for cost in costs.values():
        other = law.with_cost(cost)
        if question.n_params is None:
            under.append(reallocate(other, question.flops, spent.n_params * np.sqrt(law.cost / cost)))
        else:
            tokens = np.asarray(tokens_bought(question.flops, spent.n_params, cost))
            under.append(Allocation(spent.n_params, tokens, other.loss(spent.n_params, tokens)))
    return under
