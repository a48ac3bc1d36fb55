"""Every term by the name a law spec calls it; a new term is one more entry here."""

from bitlaw.laws.additive import ADDITIVE, ADDITIVE_IN_GROUPS
from bitlaw.laws.bases import BASES
from bitlaw.laws.capacity import EFFECTIVE_PARAMETERS, EFFECTIVE_PARAMETERS_PRINTED, EFFECTIVE_TOKENS
from bitlaw.laws.floating_point import FLOATING_POINT
from bitlaw.laws.format_factors import FORMAT_PARAMETERS, FORMAT_TOKENS
from bitlaw.laws.law import Base, Post, Training
from bitlaw.laws.post import EXPONENTIAL, POWER

BASE_TERMS: dict[str, Base] = BASES
TRAINING_TERMS: dict[str, Training] = {
    term.name: term
    for term in (
        EFFECTIVE_PARAMETERS,
        EFFECTIVE_PARAMETERS_PRINTED,
        EFFECTIVE_TOKENS,
        ADDITIVE,
        ADDITIVE_IN_GROUPS,
        FLOATING_POINT,
        FORMAT_PARAMETERS,
        FORMAT_TOKENS,
    )
}
POST_TERMS: dict[str, Post] = {term.name: term for term in (EXPONENTIAL, POWER)}
