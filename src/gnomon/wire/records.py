"""Questions, records and RRsets: what the sections of a message hold."""

from gnomon._core import Question, Record, RRset, type_of

__all__ = ["Question", "RRset", "Record", "type_of"]
