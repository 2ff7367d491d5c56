"""Registering a set of verdicts."""

from __future__ import annotations

from pathlib import Path

from gnomon.base import Level
from gnomon.review.people.models import User
from gnomon.review.register.actions.entry import enter
from gnomon.review.register.actions.indicator import instant
from gnomon.review.register.models import EvidenceItem
from gnomon.review.reviews.models import Review
from gnomon.review.zones.models import Run
from gnomon.review.zones.queries import measurements_of, rules

# One reference for each verdict, of at most so many: enough to look, and the rest follow from the selection.
MAX_REFS = 100


def register_verdicts(by: User, review: Review, run: Run, check_id: str, code: str) -> EvidenceItem:
    """Put all verdicts of an attached run that came out as `check_id/code` into the register.

    Raises:
        InputError: there is none.
        Refused: `by` has no seat in the review.
    """
    opened = measurements_of(run)
    chosen = opened.select(check_id, code)
    rule = rules().get(check_id)
    content = {
        "check": check_id, "code": code, "level": chosen.worst.word, "verdicts": len(chosen.rows),
        "zones": chosen.zones, "judged": chosen.judged, "check_version": chosen.rows[0].check_version,
    }  # fmt: skip
    first, last = opened.observed()
    words = "Rule not met" if chosen.worst >= Level.NOTICE else "Rule met" if chosen.worst is Level.PASS else ""
    title = f"{words}: {rule.summary}" if rule and words else f"Zones that came out as {check_id}/{code}"
    share = 100 * chosen.zones / chosen.judged if chosen.judged else 0.0
    return enter(
        by, review, "measurement", form=EvidenceItem.Form.VERDICTS, run=run,
        title=title[:200],
        shows=f"{share:.1f} % ({chosen.zones:,} of {chosen.judged:,} zones judged). "
        f"For example: {chosen.rows[0].sentence}",
        content=content, refs=[row.evidence[0] for row in chosen.rows[:MAX_REFS] if row.evidence],
        sha256=chosen.sha256, observed_from=instant(first), observed_to=instant(last),
        source=rule.source if rule else check_id, collector=run.tool,
        rerun=f"gnomon replay {Path(run.directory).name} --profile {run.profile}",
    )  # fmt: skip
