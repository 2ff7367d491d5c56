"""Accounts."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.validators import RegexValidator
from django.db import models

from gnomon.review.audit.models import Recorded


class User(AbstractBaseUser, Recorded):
    """Somebody with an account. What they may do follows from their seats in a review, never from the account.

    `is_operator` marks who keeps this instance: opens reviews, attaches runs, adds accounts.
    """

    account = models.CharField(
        max_length=60,
        unique=True,
        validators=[RegexValidator(r"\A[a-z0-9][a-z0-9._-]*\Z", "use a-z, 0-9, dot, hyphen and underscore")],
    )
    name = models.CharField(max_length=120)
    organisation = models.CharField(max_length=160, blank=True)
    is_operator = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = BaseUserManager["User"]()

    USERNAME_FIELD = "account"

    def __str__(self) -> str:
        return self.name

    @property
    def code(self) -> str:
        return self.account

    def get_absolute_url(self) -> str:
        return ""

    def snapshot(self) -> dict[str, object]:
        """The account without secrets and without the time of the last sign-in."""
        return {"account": self.account, "name": self.name, "organisation": self.organisation,
                "is_operator": self.is_operator, "is_active": self.is_active}  # fmt: skip


class SignInAttempt(models.Model):
    """One try to sign in, kept for a minute. `key` is a keyed digest of account and address."""

    key = models.CharField(max_length=64, db_index=True)
    at = models.DateTimeField(auto_now_add=True)
