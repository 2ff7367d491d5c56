"""The one way to change anything: permission, change and event together, or nothing at all."""

from gnomon.review.audit.actions.act import SYSTEM, Act, System, act

__all__ = ["SYSTEM", "Act", "System", "act"]
