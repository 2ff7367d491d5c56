"""Signing in and out."""

from __future__ import annotations

from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from gnomon.review.pages.route import page
from gnomon.review.people.forms import SignInForm
from gnomon.review.people.queries import too_many_tries


@page("sign", "account", post=True)
def sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page; at most ten tries a minute for one account from one address."""
    target = request.POST.get("next") or request.GET.get("next") or "/"
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        target = "/"
    form = SignInForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST" and form.is_valid():
        account = form.cleaned_data["account"].strip().lower()
        if too_many_tries(account, request.META.get("REMOTE_ADDR", "")):
            status = 429
            form.add_error(None, _("Too many tries for this account. Wait a minute, then try again."))
        else:
            user = authenticate(request, account=account, password=form.cleaned_data["password"])
            if user is not None:
                login(request, user)
                return redirect(target)
            status = 401
            form.add_error(None, _("This account and password do not belong together."))
    response = render(request, "people/sign_in.html", {"form": form, "next": target}, status=status)
    if status == 429:
        response["Retry-After"] = "60"
    return response


@page("sign", "account", post=True)
def sign_out(request: HttpRequest) -> HttpResponse:
    """Ends the session; only by a form, so that no link can do it."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    logout(request)
    return redirect("front")
