"""Django on a directory of its own, and the review that the tests work in."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from gnomon.review.instance import configure

_DATA = tempfile.TemporaryDirectory(prefix="gnomon-review-")
# A worker of a parallel run inherits its parent's directory; the databases of the tests are in memory anyway.
configure(Path(os.environ.get("GNOMON_DATA", _DATA.name)))

from django.test import Client  # noqa: E402

from gnomon.review.audit.actions import SYSTEM  # noqa: E402
from gnomon.review.people.actions import add_account  # noqa: E402
from gnomon.review.people.models import User  # noqa: E402
from gnomon.review.preset import preset  # noqa: E402
from gnomon.review.register.actions import register_verdicts  # noqa: E402
from gnomon.review.register.models import EvidenceItem  # noqa: E402
from gnomon.review.reviews.actions import appoint, open_review  # noqa: E402
from gnomon.review.reviews.models import Area, Review  # noqa: E402
from gnomon.review.zones.actions import attach_run  # noqa: E402
from gnomon.review.zones.models import Run  # noqa: E402

PASSWORD = "a long enough password"


@dataclass
class Workspace:
    """An open review: who is who, and what is in it."""

    operator: User
    chair: User
    rapporteur: User
    member: User
    stranger: User
    review: Review
    run: Run

    @property
    def run_directory(self) -> Path:
        return Path(self.run.directory)

    def area(self, number: int) -> Area:
        return Area.objects.select_related("review", "sub_team").get(review=self.review, number=number)

    def item(self, check_id: str = "del.lame", code: str = "too-few-left") -> EvidenceItem:
        return register_verdicts(self.member, self.review, self.run, check_id, code)

    def client(self, role: str) -> Client:
        """A browser signed in as that role (operator, chair, rapporteur, member, stranger), or `anonymous`."""
        client = Client()
        if role != "anonymous":
            client.force_login(getattr(self, role))
        return client


def build(evidence: Path) -> Workspace:
    """A review with one rapporteur and one member, both of area 3's sub-team, a chair, and somebody without a seat."""
    operator = add_account(SYSTEM, "operator", "Op Erator", password=PASSWORD)
    people = {
        account: add_account(operator, account, account.title(), "Example", PASSWORD)
        for account in ("chair", "rapporteur", "member", "stranger")
    }
    run = attach_run(operator, evidence)
    review = open_review(operator, preset("ssr-review"), "Review under test", "test")
    team = review.areas.get(number=3).sub_team
    appoint(operator, review, people["chair"], "chair")
    appoint(operator, review, people["rapporteur"], "rapporteur", team)
    appoint(operator, review, people["member"], "member", team)
    return Workspace(operator, **people, review=review, run=run)
