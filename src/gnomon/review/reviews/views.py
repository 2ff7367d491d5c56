"""Pages of a review and its areas."""

from __future__ import annotations

from datetime import date, timedelta

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from gnomon.base import InputError, Refused
from gnomon.review.audit.queries import events
from gnomon.review.audit.views import event_list
from gnomon.review.findings.queries import findings_of, missing_of, recommendations_of
from gnomon.review.pages.route import ReviewRequest, review_page, signed_in
from gnomon.review.policy import who_may
from gnomon.review.register.queries import items_of
from gnomon.review.reviews.actions import publish_update
from gnomon.review.reviews.actions.publish_update import ChangedMeanwhile
from gnomon.review.reviews.forms import UpdateForm
from gnomon.review.reviews.models import Area, Review
from gnomon.review.reviews.queries import area_statuses, areas_of, rapporteur_of, team, update_status


@review_page("see", "review")
def overview(request: ReviewRequest, review: Review) -> HttpResponse:
    """Where the review stands."""
    recommendations = list(recommendations_of(review))
    readings = [next(iter(r.measure.readings.all()), None) for r in recommendations]
    context = {
        "review": review, "tab": "overview", "areas": area_statuses(review), "team": team(review),
        "findings": findings_of(review).count(), "evidence": items_of(review).count(),
        "recommendations": len(recommendations), "met": sum(r is not None and r.met is True for r in readings),
        "events": events(review.short_name)[:8],
    }  # fmt: skip
    return render(request, "reviews/overview.html", context)


@review_page("see", "review")
def area(request: ReviewRequest, review: Review, number: int) -> HttpResponse:
    """One area: mandate, people, questions, updates, findings, and what is missing."""
    found = _area(review, number)
    updates = list(found.updates.select_related("author", "area__review"))
    status = update_status(review, updates[0] if updates else None)
    questions = list(found.questions.select_related("area").prefetch_related("findings__review"))
    findings = list(findings_of(review).filter(area=found).prefetch_related("recommendations__review"))
    context = {
        "review": review, "tab": "overview", "area": found, "status": status,
        "rapporteur": rapporteur_of(found.sub_team.present), "updates": updates,
        "questions": questions,
        "findings": findings,
        "missing": missing_of(questions, findings, status),
        "may_update": request.rights.may("publish", "update", found),
        "may_draft": request.rights.may("draft", "finding", found),
        "this_week": _monday(timezone.localdate()),
    }  # fmt: skip
    return render(request, "reviews/area.html", context)


@review_page("publish", "update", post=True)
def update(request: ReviewRequest, review: Review, number: int) -> HttpResponse:
    """The form of this week's update; revises it when it is there already."""
    found = _area(review, number)
    if not request.rights.may("publish", "update", found):
        raise Refused(f"To publish the update of this area takes {who_may('publish', 'update')}.")
    monday = _monday(timezone.localdate())
    present = found.updates.select_related("author").filter(week=monday).first()
    conflict = False
    if request.method == "POST":
        form = UpdateForm(request.POST)
        if form.is_valid():
            try:
                publish_update(signed_in(request), found, form.text(), week=monday, seen=form.cleaned_data["seen"] or 0)
                return redirect(f"{found.get_absolute_url()}#updates")
            except ChangedMeanwhile as error:
                conflict = True
                # Saving once more is then meant: the writer sees the other text now.
                given = request.POST.copy()
                given["seen"] = str(present.revision if present else 0)
                form = UpdateForm(given)
                form.add_error(None, str(error))
            except InputError as error:
                form.add_error(None, str(error))
    elif present is None:
        form = UpdateForm(initial={"seen": 0})
    else:
        form = UpdateForm(
            initial={"done": present.done, "next": present.next, "blocked": present.blocked,
                     "public": present.public, "seen": present.revision}
        )  # fmt: skip
    since = timezone.now() - timedelta(days=7)
    context = {
        "review": review, "tab": "overview", "area": found, "form": form, "week": monday, "present": present,
        "conflict": conflict, "week_events": events(review.short_name).filter(at__gte=since)[:12],
    }  # fmt: skip
    return render(request, "reviews/update.html", context, status=409 if conflict else 200)


@review_page("see", "event")
def event_log(request: ReviewRequest, review: Review) -> HttpResponse:
    """What happened in the review."""
    return event_list(request, {"review": review, "tab": "events"}, review.short_name)


def _area(review: Review, number: int) -> Area:
    return get_object_or_404(areas_of(review), number=number)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
