"""Opening a review from a preset."""

from __future__ import annotations

from datetime import date

from django.core.exceptions import ValidationError
from django.utils import timezone

from gnomon.base import InputError
from gnomon.review.audit.actions import act
from gnomon.review.people.models import User
from gnomon.review.preset import Preset
from gnomon.review.reviews.models import Area, EvidenceKind, Phase, Review, ScopeQuestion, SubTeam

FIRST_PHASE = "preparing"


def open_review(
    by: User,
    preset: Preset,
    name: str,
    short_name: str,
    *,
    phase: str = FIRST_PHASE,
    opened_on: date | None = None,
    demonstration: bool = False,
) -> Review:
    """Make a review with the areas, sub-teams, questions and kinds of evidence of a preset.

    `short_name` is lower case and becomes part of every address: `ssr3` gives `/r/ssr3/`.

    Raises:
        InputError: the short name is taken or not usable, or there is no such phase.
        Refused: `by` does not keep this instance.
    """
    review = Review(
        short_name=short_name, name=name, purpose=preset.purpose, phase=_phase(phase),
        opened_on=opened_on or timezone.localdate(), updates_due=preset.updates_due, preset=preset.id,
        preset_sha256=preset.sha256, demonstration=demonstration,
    )  # fmt: skip
    with act(by, "open", "review", review=review) as done:
        try:
            review.full_clean()
        except ValidationError as error:
            raise InputError(f"cannot open the review {short_name!r}: {' '.join(error.messages)}") from None
        review.save()
        for order, (slug, (title, description)) in enumerate(preset.evidence.items(), 1):
            EvidenceKind.objects.get_or_create(
                slug=slug, defaults={"name": title, "description": description, "order": order}
            )
        for number, plan in enumerate(preset.areas, 1):
            team, _ = SubTeam.objects.get_or_create(review=review, name=plan.sub_team)
            area = Area.objects.create(
                review=review, number=number, title=plan.title, mandate=plan.mandate,
                properties=list(plan.properties), sub_team=team,
            )  # fmt: skip
            area.evidence_kinds.set(EvidenceKind.objects.filter(pk__in=plan.evidence))
            ScopeQuestion.objects.bulk_create(
                ScopeQuestion(area=area, number=n, text=question.text, method=question.method)
                for n, question in enumerate(plan.questions, 1)
            )
        done.did(review, review.name)
    return review


def _phase(slug: str) -> Phase:
    try:
        return Phase.objects.get(pk=slug)
    except Phase.DoesNotExist:
        known = ", ".join(Phase.objects.values_list("slug", flat=True))
        raise InputError(f"there is no phase {slug!r}; known: {known}") from None
