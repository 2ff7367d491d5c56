"""Acts on accounts."""

from gnomon.review.people.actions.add_account import add_account

__all__ = ["add_account"]
