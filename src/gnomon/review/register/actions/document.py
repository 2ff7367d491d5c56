"""Registering a document by its digest."""

from __future__ import annotations

import hashlib
from datetime import datetime

from gnomon.review.people.models import User
from gnomon.review.register.actions.entry import enter
from gnomon.review.register.models import EvidenceItem
from gnomon.review.reviews.models import Review


def register_document(
    by: User,
    review: Review,
    octets: bytes,
    *,
    title: str,
    shows: str,
    source: str,
    dated: datetime,
    media_type: str,
    kind: str = "document",
) -> EvidenceItem:
    """Note a document: its digest and size, where it came from and when it was true. The octets are not kept.

    Raises:
        InputError: the review knows no such kind of evidence.
        Refused: `by` has no seat in the review.
    """
    return enter(
        by, review, kind, form=EvidenceItem.Form.DOCUMENT, title=title, shows=shows, source=source,
        content={"media_type": media_type, "size_octets": len(octets)}, sha256=hashlib.sha256(octets).hexdigest(),
        observed_from=dated, observed_to=dated, rerun=f"sha256sum FILE    # of {source}",
    )  # fmt: skip
