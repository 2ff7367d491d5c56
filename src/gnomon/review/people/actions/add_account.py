"""Adding an account."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from gnomon.base import InputError
from gnomon.review.audit.actions import System, act
from gnomon.review.people.models import User


def add_account(
    by: User | System, account: str, name: str, organisation: str = "", password: str | None = None
) -> User:
    """Add somebody; without a password nobody can sign in to the account. The first account is the operator's.

    Raises:
        InputError: the account exists or a field cannot be used.
        Refused: `by` is not the operator.
    """
    user = User(account=account.strip().lower(), name=name.strip(), organisation=organisation.strip())
    with act(by, "add", "account") as done:
        user.is_operator = not User.objects.exists()
        if password is None:
            user.set_unusable_password()
        else:
            user.set_password(password)
        try:
            if password is not None:
                validate_password(password, user)
            user.full_clean()
        except ValidationError as error:
            raise InputError(f"cannot add the account {account!r}: {' '.join(error.messages)}") from None
        user.save()
        done.did(user, user.name)
    return user
