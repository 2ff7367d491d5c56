"""What a check yields: a code, the facts in it, and the exchanges that prove it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from gnomon._core import references
from gnomon.base.once import cached_property
from gnomon.evidence.exchange import EvidenceRef, Exchange

if TYPE_CHECKING:
    from gnomon.checks.observed import Answer

# A named tuple made as a tuple costs half.
_new = tuple.__new__

Scalar = str | int | float | bool | None
Arg = Scalar | tuple[Scalar, ...]


class State(StrEnum):
    """Whether the rule could be evaluated."""

    OBSERVED = "observed"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"

    __hash__ = str.__hash__  # that of enumerations is a function in Python


# Looked up once: to find a member in its class takes longer than to make an outcome.
_OBSERVED, _UNKNOWN, _NOT_APPLICABLE = State.OBSERVED, State.UNKNOWN, State.NOT_APPLICABLE


class Outcome(NamedTuple):
    """One result of one check for one subject.

    `code` is the condition without the check's id; `subject` is the zone itself when empty, else the server, key
    or name that is meant. `args` fill the code's sentence; values are JSON scalars or tuples of them.
    """

    code: str
    args: dict[str, Arg]
    evidence: tuple[EvidenceRef, ...]
    state: State = State.OBSERVED
    subject: str = ""


class Shown(tuple[Exchange, ...]):
    """Exchanges on which many outcomes rest; their references are put together once."""

    @cached_property
    def refs(self) -> tuple[EvidenceRef, ...]:
        return references((tuple(self),))


def shown_by(answers: Iterable[Answer]) -> Shown:
    """The exchanges of these answers."""
    return Shown(map(_exchange_of, answers))


def outcome(code: str, *evidence: Exchange | Iterable[Exchange], subject: str = "", **args: Arg) -> Outcome:
    """The rule was evaluated: it came out as `code`, shown by these exchanges."""
    return _new(Outcome, (code, args, references(evidence), _OBSERVED, subject))


def unknown(code: str, *evidence: Exchange | Iterable[Exchange], subject: str = "", **args: Arg) -> Outcome:
    """The evidence is not enough to judge; `code` says why. Never counts as pass or fail."""
    return _new(Outcome, (code, args, references(evidence), _UNKNOWN, subject))


def not_applicable(code: str, *evidence: Exchange | Iterable[Exchange], subject: str = "", **args: Arg) -> Outcome:
    """The rule's precondition is absent (an unsigned zone has no signature to judge)."""
    return _new(Outcome, (code, args, references(evidence), _NOT_APPLICABLE, subject))


_exchange_of: Callable[[Answer], Exchange] = attrgetter("exchange")
