"""Acts on findings and recommendations."""

from gnomon.review.findings.actions.decide_finding import decide_finding
from gnomon.review.findings.actions.draft_finding import draft_finding
from gnomon.review.findings.actions.evaluate_measure import evaluate_measure
from gnomon.review.findings.actions.recommend import MeasurePlan, Smart, recommend

__all__ = ["MeasurePlan", "Smart", "decide_finding", "draft_finding", "evaluate_measure", "recommend"]
