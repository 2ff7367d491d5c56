"""What to ask and when; asking it; going on after an interruption."""

from gnomon.survey.plan import ASSESS_PLAN, QUESTIONS, Plan, Question, explain_plan
from gnomon.survey.runner import Given, Progress, Stopped, read_given, run_survey

__all__ = [
    "ASSESS_PLAN",
    "QUESTIONS",
    "Given",
    "Plan",
    "Progress",
    "Question",
    "Stopped",
    "explain_plan",
    "read_given",
    "run_survey",
]
