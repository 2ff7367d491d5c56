"""The log as pages."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from gnomon.review.audit.queries import events, head
from gnomon.review.pages.route import page

PAGE_ROWS = 50


@page("see", "event")
def all_events(request: HttpRequest) -> HttpResponse:
    """Everything that happened on this instance."""
    return event_list(request, {}, None)


def event_list(request: HttpRequest, context: dict[str, object], review: str | None) -> HttpResponse:
    """One page of events, of a review or of all."""
    found = Paginator(events(review), PAGE_ROWS).get_page(request.GET.get("page"))
    number, digest = head()
    return render(request, "audit/events.html", {**context, "events": found, "head": number, "digest": digest})
