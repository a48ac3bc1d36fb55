"""What an answer may be at the edge of."""

from collections.abc import Sequence

from bitlaw.decisions.post_training_decision import PostTrainingOption
from bitlaw.decisions.precision_option import PrecisionOption


def offered(options: Sequence[PrecisionOption] | Sequence[PostTrainingOption]) -> str:
    """What an answer may be at the edge of: what is on offer, or the part of it that something supports."""
    refused = any(option.refused for option in options)
    return "on offer that what was measured supports" if refused else "on offer"
