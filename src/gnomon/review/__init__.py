"""The review workspace. These functions are all that its callers need; Django comes in only when one is called."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from gnomon.review.instance import open_existing, setup
from gnomon.review.server import serve

if TYPE_CHECKING:
    from gnomon.report.model import Review as ReportedReview

__all__ = [
    "all_or_nothing", "attach_run", "audit_problems", "create_user", "open_existing", "open_review", "reported",
    "serve", "setup",
]  # fmt: skip


def all_or_nothing() -> AbstractContextManager[None]:
    """What is done to the workspace inside happens as a whole, or, if an error ends it, not at all."""
    from django.db import transaction

    return transaction.atomic()


def create_user(account: str, name: str, organisation: str = "", password: str | None = None) -> None:
    """Add an account to the workspace that `setup` opened; the first one keeps the instance.

    Raises:
        InputError: the account exists, or a field or the password cannot be used.
    """
    from gnomon.review.audit.actions import SYSTEM
    from gnomon.review.people.actions import add_account

    add_account(SYSTEM, account, name, organisation, password)


def attach_run(evidence: Path, profile: str = "default") -> None:
    """Show the judged run in `evidence` on the zone pages of the workspace; nothing is copied.

    Raises:
        InputError: no run or no verdicts there, or the workspace has no account yet.
    """
    from gnomon.review.people.queries import operator
    from gnomon.review.zones.actions import attach_run as act

    act(operator(), evidence, profile)


def open_review(preset: str, name: str, short_name: str, opened_on: date | None = None) -> None:
    """Open a review from a packaged preset or a preset file.

    Raises:
        InputError: no such preset or one that breaks a rule, a short name that is taken, or no account yet.
    """
    from gnomon.review.people.queries import operator
    from gnomon.review.preset import preset as read_preset
    from gnomon.review.reviews.actions import open_review as act

    act(operator(), read_preset(preset), name, short_name, opened_on=opened_on)


def reported(short_name: str) -> ReportedReview:
    """The review as `gnomon.report` prints it: areas, findings, evidence, recommendations, today's readings.

    Raises:
        InputError: there is no such review.
    """
    from gnomon.review.reporting import reported as build

    return build(short_name)


def audit_problems() -> list[str]:
    """Where the log of events does not hold; empty if every event is as it was written."""
    from gnomon.review.audit.queries import verify_chain

    return [f"event {problem.number}: {problem.what}" for problem in verify_chain()]
