"""What to ask and when; asking it; going on after an interruption."""

from gnomon.survey.plan import QUESTIONS, Plan, Question, explain_plan
from gnomon.survey.runner import Given, Progress, Stopped, read_given, run_survey

__all__ = ["QUESTIONS", "Given", "Plan", "Progress", "Question", "Stopped", "explain_plan", "read_given", "run_survey"]
