"""The report."""
from dataclasses import dataclass
from bitlaw.decisions.post_training_decision import PostTrainingDecision
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.decisions.predict import Prediction
@dataclass(frozen=True)
class Answers:
    prediction: Prediction
    precision_fixed: PrecisionDecision | None
    precision_free: PrecisionDecision | None
    post_training: PostTrainingDecision | None
    question: str
