"""Around every view: response headers, the policy's last word, visible control characters, errors as pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from gnomon.base import Broken, InputError, Refused, RetryLater, printable
from gnomon.review.policy import may

Respond = Callable[[HttpRequest], HttpResponse]

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Categories Cc (but tab and line ends), Cf, Zl, Zp, Cs and private use: nothing of ours has them.
INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\ud800-\udfff\ue000-\uf8ff\ufeff\ufff9-\ufffb\U000110bd\U000110cd"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001-\U000e007f\U000f0000-\U0010ffff]"
)


def headers(respond: Respond) -> Respond:
    """Response headers for every page, and control or direction characters in HTML written out as \\uNNNN."""

    def around(request: HttpRequest) -> HttpResponse:
        response = respond(request)
        response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        response["Cache-Control"] = "private, no-cache"
        if response["Content-Type"].startswith("text/html"):
            text = response.content.decode("utf-8", "surrogatepass")
            if INVISIBLE.search(text):
                response.content = INVISIBLE.sub(lambda found: printable(found[0]), text).encode()
        return response

    return around


class errors:
    """No view runs without a row in the policy; errors raised on purpose become pages in plain words."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.respond(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], _args: Any, _kwargs: Any
    ) -> HttpResponse | None:
        """Refuse a view that does not say what it needs, before it runs."""
        needs = getattr(view, "needs", None)
        if needs is None:
            raise Broken(f"the view {view.__name__} does not say what it needs")
        verb, kind, in_review = needs
        if not in_review and not may(request.user, verb, kind):
            return no_permission(request)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Errors of ours as pages; anything else is a bug and goes on."""
        if isinstance(error, Refused):
            return no_permission(request, str(error))
        if isinstance(error, InputError):
            return render(request, "pages/error.html", {"status": 404, "why": str(error)}, status=404)
        if isinstance(error, RetryLater):
            return render(request, "pages/error.html", {"status": 503, "why": str(error)}, status=503)
        return None


def no_permission(request: HttpRequest, why: str = "") -> HttpResponse:
    """To the sign-in page where that may help, else a page that says who may."""
    if not request.user.is_authenticated:
        return redirect(f"{reverse('sign-in')}?{urlencode({'next': request.get_full_path()})}")
    return render(request, "pages/error.html", {"status": 403, "why": why}, status=403)
