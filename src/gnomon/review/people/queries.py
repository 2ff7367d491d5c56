"""Reading accounts, and counting tries to sign in."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django.utils.crypto import salted_hmac

from gnomon.base import InputError
from gnomon.review.people.models import SignInAttempt, User

TRIES_PER_MINUTE = 10


def too_many_tries(account: str, address: str) -> bool:
    """Note one try of `account` from `address`; True if there were more than ten in the last minute."""
    key = salted_hmac("sign-in", f"{account.strip().lower()}\0{address}", algorithm="sha256").hexdigest()
    minute_ago = timezone.now() - timedelta(minutes=1)
    SignInAttempt.objects.filter(at__lt=minute_ago).delete()
    SignInAttempt.objects.create(key=key)
    return SignInAttempt.objects.filter(key=key, at__gte=minute_ago).count() > TRIES_PER_MINUTE


def operator() -> User:
    """Who keeps this instance.

    Raises:
        InputError: there is no account yet.
    """
    found = User.objects.filter(is_operator=True, is_active=True).order_by("pk").first()
    if found is None:
        raise InputError("the workspace has no account yet; make the first one with `gnomon init`")
    return found
