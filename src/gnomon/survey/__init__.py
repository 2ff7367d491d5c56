"""What to ask and when; asking it; going on after an interruption."""

from gnomon.survey.plan import ASSESS_PLAN, QUESTIONS, SURVEY_PLAN, Plan, explain_plan
from gnomon.survey.question import Question
from gnomon.survey.runner import Given, Progress, Stopped, identification, read_given, run_survey

__all__ = [
    "ASSESS_PLAN",
    "QUESTIONS",
    "SURVEY_PLAN",
    "Given",
    "Plan",
    "Progress",
    "Question",
    "Stopped",
    "explain_plan",
    "identification",
    "read_given",
    "run_survey",
]
