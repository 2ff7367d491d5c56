"""Pages of findings and recommendations."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from gnomon.base import InputError
from gnomon.review.findings.actions import draft_finding
from gnomon.review.findings.forms import FindingForm
from gnomon.review.findings.models import Finding
from gnomon.review.findings.queries import findings_of, recommendations_of
from gnomon.review.pages.route import ReviewRequest, review_page, signed_in
from gnomon.review.register.actions import register_verdicts
from gnomon.review.register.queries import items_of
from gnomon.review.reviews.models import Review
from gnomon.review.reviews.queries import own_area
from gnomon.review.zones.queries import current_run, measurements_of, rules


@review_page("see", "finding")
def findings(request: ReviewRequest, review: Review) -> HttpResponse:
    """All findings of a review."""
    listed = findings_of(review).prefetch_related("evidence", "recommendations__review")
    context = {
        "review": review, "tab": "findings", "findings": Paginator(listed, 50).get_page(request.GET.get("page")),
        "may_draft": request.rights.may("draft", "finding"),
    }  # fmt: skip
    return render(request, "findings/findings.html", context)


@review_page("see", "finding")
def finding(request: ReviewRequest, review: Review, number: int) -> HttpResponse:
    """One finding with what it rests on and what follows from it."""
    found = get_object_or_404(findings_of(review), number=number)
    context = {
        "review": review, "tab": "findings", "finding": found,
        "evidence": items_of(review).filter(findings=found),
        "questions": found.questions.select_related("area__review"),
        "recommendations": recommendations_of(review).filter(findings=found),
    }  # fmt: skip
    return render(request, "findings/finding.html", context)


@review_page("draft", "finding", post=True)
def new_finding(request: ReviewRequest, review: Review) -> HttpResponse:
    """The form of a new finding; opened from a check's result it is filled in already."""
    if request.method == "POST":
        form = FindingForm(review, request.POST)
        if form.is_valid():
            try:
                return redirect(_draft(request, review, form.cleaned_data))
            except InputError as error:
                form.add_error(None, str(error))
    else:
        form = FindingForm(review, initial=_filled_in(request, review))
    return render(request, "findings/new.html", {"review": review, "tab": "findings", "form": form})


def _draft(request: ReviewRequest, review: Review, given: dict[str, Any]) -> Finding:
    with transaction.atomic():
        evidence = list(given["evidence"])
        run = current_run()
        if given["check"] and run is not None:
            evidence.append(register_verdicts(signed_in(request), review, run, given["check"], given["code"]))
        return draft_finding(
            signed_in(request), given["area"], given["statement"], evidence=evidence, properties=given["properties"],
            explanation=given["explanation"], questions=list(given["questions"]),
        )  # fmt: skip


def _filled_in(request: ReviewRequest, review: Review) -> dict[str, Any]:
    """What the form starts with: the area it was opened from, or a check's result in numbers."""
    initial: dict[str, Any] = {"area": request.GET.get("area") or own_area(request.user, review)}
    check_id, code = request.GET.get("check", ""), request.GET.get("code", "")
    run, rule = current_run(), rules().get(check_id)
    if run is None or rule is None or not code:
        return initial
    chosen = measurements_of(run).select(check_id, code)
    return initial | {
        "statement": rule.broken_by(chosen.zones, chosen.judged),
        "explanation": rule.why,
        "properties": [p.value for p in rule.check.properties],
        "check": check_id,
        "code": code,
    }


@review_page("see", "recommendation")
def recommendations(request: ReviewRequest, review: Review) -> HttpResponse:
    """All recommendations with what their measures give today."""
    listed = recommendations_of(review).prefetch_related("findings__review")
    return render(
        request, "findings/recommendations.html", {"review": review, "tab": "recommendations", "list": listed}
    )


@review_page("see", "recommendation")
def recommendation(request: ReviewRequest, review: Review, number: int) -> HttpResponse:
    """One recommendation, letter by letter of SMART, and whether it is met."""
    found = get_object_or_404(recommendations_of(review), number=number)
    readings = list(found.measure.readings.all())
    context = {
        "review": review, "tab": "recommendations", "advice": found, "measure": found.measure,
        "readings": readings, "latest": readings[0] if readings else None,
        "findings": found.findings.select_related("review", "area", "state"),
    }  # fmt: skip
    return render(request, "findings/recommendation.html", context)
