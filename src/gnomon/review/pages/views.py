"""The front page, and the pages that say that something cannot be shown."""

from __future__ import annotations

from contextlib import suppress

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from gnomon.base import InputError, Level
from gnomon.review.audit.queries import events
from gnomon.review.pages.route import page
from gnomon.review.reviews.models import Review
from gnomon.review.zones.queries import current_run, measurements_of, rules


@page("see", "review")
def front(request: HttpRequest) -> HttpResponse:
    """Open reviews, the zone look-up, what is measured, and what Gnomon is."""
    run = current_run()
    levels, worst = None, dict[str, tuple[Level, int]]()
    if run is not None:
        # A run that is not at its place does not keep the reviews from being read.
        with suppress(InputError):
            measured = measurements_of(run)
            levels, worst = measured.levels(), measured.trouble()
    context = {
        "reviews": Review.objects.select_related("phase").order_by("-opened_on"),
        "run": run,
        "levels": levels,
        "worst": [(check, level, zones, rules().get(check)) for check, (level, zones) in list(worst.items())[:6]],
        "events": events()[:5],
    }
    return render(request, "pages/front.html", context)


@page("see", "health")
def health(_request: HttpRequest) -> HttpResponse:
    """Says that the process lives; touches nothing."""
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@page("see", "review")
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """No such address."""
    return render(request, "pages/error.html", {"status": 404, "why": ""}, status=404)


@page("see", "review")
def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """A request that is not taken."""
    return render(request, "pages/error.html", {"status": 403, "why": ""}, status=403)


def broken(_request: HttpRequest) -> HttpResponse:
    """A bug; says so without using anything that may be broken too."""
    return HttpResponse(
        "Gnomon has a bug here; nothing was changed. The server's log says more.\n",
        content_type="text/plain; charset=utf-8",
        status=500,
    )


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without a valid token: usually an old tab after signing in or out elsewhere."""
    return render(request, "pages/error.html", {"status": 403, "expired": True}, status=403)
