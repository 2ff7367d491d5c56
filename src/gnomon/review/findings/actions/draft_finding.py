"""Writing a finding down."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db.models import Max

from gnomon.base import InputError, Property
from gnomon.review.audit.actions import act
from gnomon.review.findings.models import Finding, FindingState
from gnomon.review.people.models import User
from gnomon.review.register.models import EvidenceItem
from gnomon.review.reviews.models import Area, ScopeQuestion


def draft_finding(
    by: User,
    area: Area,
    statement: str,
    *,
    evidence: Sequence[EvidenceItem],
    properties: Sequence[str],
    explanation: str = "",
    questions: Sequence[ScopeQuestion] = (),
) -> Finding:
    """Draft a finding of an area: one sentence that rests on at least one evidence item of the same review.

    Raises:
        InputError: no evidence, no property, something of another review, or an unusable text.
        Refused: `by` has no seat in the review.
    """
    if not evidence:
        raise InputError("a finding needs at least one item of evidence")
    if not properties or any(word not in {p.value for p in Property} for word in properties):
        raise InputError(f"a finding touches one or more of: {', '.join(p.value for p in Property)}")
    if any(item.review_id != area.review_id for item in evidence) or any(q.area_id != area.pk for q in questions):
        raise InputError("evidence must be of the same review, and questions of the same area, as the finding")
    with act(by, "draft", "finding", review=area.review, area=area) as done:
        last = Finding.objects.filter(review=area.review).aggregate(last=Max("number"))["last"] or 0
        finding = Finding(
            review=area.review, area=area, number=last + 1, statement=" ".join(statement.split()),
            explanation=explanation.strip(), properties=list(properties), author=by,
            state=FindingState.objects.get(pk="draft"),
        )  # fmt: skip
        try:
            finding.full_clean()
        except ValidationError as error:
            raise InputError(f"cannot draft the finding: {' '.join(error.messages)}") from None
        finding.save()
        finding.evidence.set(evidence)
        finding.questions.set(questions)
        done.did(finding, finding.statement)
    return finding
