"""Runs checks over evidence, writes verdicts, judges again and compares."""

from gnomon.judge.byzone import ByZone
from gnomon.judge.run import Difference, JudgeSummary, Replay, judge, replay
from gnomon.judge.store import verdicts
from gnomon.judge.verdict import INTERNAL_ERROR, Judged, Note, Verdict, explanations, sentence, sentence_for
from gnomon.judge.views import ViewMaker, views
from gnomon.judge.zone import judge_zone

__all__ = [
    "INTERNAL_ERROR", "ByZone", "Difference", "JudgeSummary", "Judged", "Note", "Replay", "Verdict", "ViewMaker",
    "explanations", "judge", "judge_zone", "replay", "sentence", "sentence_for", "verdicts", "views",
]  # fmt: skip
