"""What a view needs, said where it is defined; the middleware lets no view run that does not say it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from gnomon.base import Refused
from gnomon.review.pages.middleware import no_permission
from gnomon.review.people.models import User
from gnomon.review.policy import Rights, who_may
from gnomon.review.reviews.models import Review
from gnomon.review.reviews.queries import review_called

P = ParamSpec("P")
View = Callable[..., HttpResponse]


class ReviewRequest(HttpRequest):
    """A request for a page of a review; `rights` says what the reader may do in it."""

    rights: Rights


def page(verb: str, kind: str, *, post: bool = False) -> Callable[[View], View]:
    """A page of the instance. Only those with `post` take forms."""

    def wrap(view: View) -> View:
        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method not in _methods(post):
                return HttpResponseNotAllowed(_methods(post))
            return view(request, *args, **kwargs)

        inner.needs = (verb, kind, False)  # type: ignore[attr-defined]
        return inner

    return wrap


def review_page(
    verb: str, kind: str, *, post: bool = False
) -> Callable[[Callable[Concatenate[ReviewRequest, Review, P], HttpResponse]], View]:
    """A page of a review: the view gets the review, and the request carries the reader's rights in it."""

    def wrap(view: Callable[Concatenate[ReviewRequest, Review, P], HttpResponse]) -> View:
        @wraps(view)
        def inner(request: HttpRequest, short_name: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if request.method not in _methods(post):
                return HttpResponseNotAllowed(_methods(post))
            review = review_called(short_name)
            known = cast(ReviewRequest, request)
            known.rights = Rights(request.user, review)
            if not known.rights.may(verb, kind):
                return no_permission(request, f"To {verb} this {kind} takes {who_may(verb, kind)}.")
            return view(known, review, *args, **kwargs)

        inner.needs = (verb, kind, True)  # type: ignore[attr-defined]
        return inner

    return wrap


def signed_in(request: HttpRequest) -> User:
    """Who is asking.

    Raises:
        Refused: nobody who signed in.
    """
    if not isinstance(request.user, User):
        raise Refused("Sign in first.")
    return request.user


def _methods(post: bool) -> list[str]:
    return ["GET", "HEAD", "POST"] if post else ["GET", "HEAD"]
