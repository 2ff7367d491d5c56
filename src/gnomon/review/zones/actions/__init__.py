"""Acts on runs."""

from gnomon.review.zones.actions.attach_run import attach_run

__all__ = ["attach_run"]
