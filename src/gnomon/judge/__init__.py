"""Runs checks over evidence, writes verdicts, judges again and compares."""

from gnomon.judge.run import Difference, JudgeSummary, Replay, judge, replay
from gnomon.judge.store import verdicts
from gnomon.judge.verdict import INTERNAL_ERROR, Verdict, judge_zone, sentence, sentence_for
from gnomon.judge.views import ViewMaker, views

__all__ = [
    "INTERNAL_ERROR", "Difference", "JudgeSummary", "Replay", "Verdict", "ViewMaker", "judge", "judge_zone", "replay",
    "sentence", "sentence_for", "verdicts", "views",
]  # fmt: skip
