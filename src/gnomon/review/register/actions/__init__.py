"""Acts on the register of evidence."""

from gnomon.review.register.actions.document import register_document
from gnomon.review.register.actions.indicator import register_indicator
from gnomon.review.register.actions.verdicts import register_verdicts

__all__ = ["register_document", "register_indicator", "register_verdicts"]
