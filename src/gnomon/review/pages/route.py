"""What a view needs, said where it is defined; the middleware lets no view run that does not say it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from gnomon.review.pages.middleware import no_permission
from gnomon.review.policy import Rights, who_may
from gnomon.review.reviews.models import Review
from gnomon.review.reviews.queries import review_called

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]
ReviewView = Callable[Concatenate[HttpRequest, Review, P], HttpResponse]


def page(verb: str, kind: str, *, post: bool = False) -> Callable[[View[P]], View[P]]:
    """A page of the instance. Only those with `post` take forms."""

    def wrap(view: View[P]) -> View[P]:
        @wraps(view)
        def inner(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if request.method not in _methods(post):
                return HttpResponseNotAllowed(_methods(post))
            return view(request, *args, **kwargs)

        inner.needs = (verb, kind, False)  # type: ignore[attr-defined]
        return inner

    return wrap


def review_page(verb: str, kind: str, *, post: bool = False) -> Callable[[ReviewView[P]], Callable[..., HttpResponse]]:
    """A page of a review: the view gets the review, and `request.rights` says what the reader may do in it."""

    def wrap(view: ReviewView[P]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def inner(request: HttpRequest, short_name: str, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method not in _methods(post):
                return HttpResponseNotAllowed(_methods(post))
            review = review_called(short_name)
            rights = Rights(request.user, review)
            if not rights.may(verb, kind):
                return no_permission(request, f"To {verb} this {kind} takes {who_may(verb, kind)}.")
            request.rights = rights  # type: ignore[attr-defined]
            return view(request, review, *args, **kwargs)

        inner.needs = (verb, kind, True)  # type: ignore[attr-defined]
        return inner

    return wrap


def _methods(post: bool) -> list[str]:
    return ["GET", "HEAD", "POST"] if post else ["GET", "HEAD"]
