"""Moving a finding on."""

from __future__ import annotations

from gnomon.base import InputError
from gnomon.review.audit.actions import act
from gnomon.review.findings.models import Finding, FindingState
from gnomon.review.people.models import User

# From which states a finding may come into a state; a state not listed here may be entered from any.
COMES_FROM = {"proposed": {"draft"}, "approved": {"proposed"}, "published": {"approved"}, "draft": set[str]()}
NEEDS_REASON = {"withdrawn"}


def decide_finding(by: User, finding: Finding, state: str, reason: str = "") -> Finding:
    """Bring a finding into another state; nobody approves what he wrote himself.

    Raises:
        InputError: no such state, no way there from the present one, no reason where one is due, or own work.
        Refused: `by` is not the chair.
    """
    target = FindingState.objects.filter(pk=state).first()
    if target is None:
        known = ", ".join(FindingState.objects.values_list("slug", flat=True))
        raise InputError(f"there is no state {state!r} of a finding; known: {known}")
    if finding.state_id == state or finding.state_id not in COMES_FROM.get(state, {finding.state_id}):
        raise InputError(f"{finding.code} is {finding.state_id}; it cannot become {state} from there")
    if state in NEEDS_REASON and not reason.strip():
        raise InputError(f"say why {finding.code} becomes {state}")
    if state == "approved" and finding.author_id == by.pk:
        raise InputError(f"{finding.code} must be approved by somebody who did not write it")
    with act(by, "decide", "finding", review=finding.review, area=finding.area, reason=reason) as done:
        done.will_change(finding)
        finding.state = target
        finding.save(update_fields=["state"])
        done.did(finding, f"now {target.name.lower()}: {finding.statement}")
    return finding
