"""Acts on a review."""

from gnomon.review.reviews.actions.appoint import appoint
from gnomon.review.reviews.actions.open_review import open_review
from gnomon.review.reviews.actions.publish_update import UpdateText, publish_update

__all__ = ["UpdateText", "appoint", "open_review", "publish_update"]
