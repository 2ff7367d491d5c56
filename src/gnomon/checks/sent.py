"""All that the servers of a zone sent, put together once for the checks that look at every message or record.

Servers repeat themselves: of the records of a zone's messages one in seven is different. A rule for every record asks
first whether any of the different ones breaks it, and only then who sent it, where and how often.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, compress
from typing import TYPE_CHECKING, NamedTuple

from gnomon.base import Address
from gnomon.base.once import cached_property, once
from gnomon.checks.observed import Answer, alike, is_answered, is_udp
from gnomon.checks.outcome import Outcome, Shown, outcome, shown_by
from gnomon.checks.replies import Finding, everything_heard, told
from gnomon.evidence import Exchange
from gnomon.wire import Message, Record
from gnomon.wire.message import SECTIONS, different_records

if TYPE_CHECKING:
    from gnomon.checks.view import ZoneView

# The questions of the compliance pack about the software, of class CHAOS.
CHAOS = frozenset({"S17", "S18"})

Sections = tuple[tuple[Record, ...], ...]
"""The different records of the answer, authority and additional sections."""


class Sent:
    """The answers of all servers of a zone, in order of their addresses, then of the questions' codes."""

    def __init__(self, heard: Mapping[Address, tuple[Answer, ...]]) -> None:
        self.answers: tuple[Answer, ...] = tuple(chain.from_iterable(heard.values()))
        # The number of each answer by its question and message, and the place of the first with each number.
        self._numbers, self._first = alike(self.answers)

    @cached_property
    def exchanges(self) -> Shown:
        return shown_by(self.answers)

    def where(self, holds: Callable[[Answer], bool]) -> list[Answer]:
        """The answers for which that holds, by question and message alone: of equal ones it looks at the first."""
        chosen = [holds(self.answers[place]) for place in self._first]
        return list(compress(self.answers, map(chosen.__getitem__, self._numbers)))

    @cached_property
    def about_zone(self) -> Sections:
        """What came to questions about the zone."""
        return _records(self._of_zone)

    @cached_property
    def about_server(self) -> Sections:
        """What came to questions of the compliance pack, but for those of class CHAOS."""
        return _records(self._of_pack)

    @cached_property
    def about_software(self) -> Sections:
        """What came to the questions of that pack that are of class CHAOS."""
        return _records(self._of_chaos)

    @cached_property
    def sections(self) -> Sections:
        """All different records, those of each section and kind of question by themselves."""
        return (*self.about_zone, *self.about_server, *self.about_software)

    def bearing(self, rtypes: Iterable[int]) -> list[Answer]:
        """The first answers that have the different records of these types in the answer or authority section."""
        looked_for = frozenset(rtypes)
        kinds = (self._of_zone, self._of_pack, self._of_chaos)
        pairs = (pair for of in kinds for section in of[:2] for pair in section)
        return [self.answers[place] for place in sorted({place for r, place in pairs if r.rtype in looked_for})]

    @cached_property
    def messages(self) -> tuple[Message, ...]:
        """The different messages."""
        return tuple(dict.fromkeys([self.answers[place].message for place in self._first]))

    @cached_property
    def _of_zone(self) -> list[list[tuple[Record, int]]]:
        return self._different("zone")

    @cached_property
    def _of_pack(self) -> list[list[tuple[Record, int]]]:
        return self._different("server")

    @cached_property
    def _of_chaos(self) -> list[list[tuple[Record, int]]]:
        return self._different("software")

    def _different(self, kind: str) -> list[list[tuple[Record, int]]]:
        """The different records of each section, with the place in `answers` of the first that has it."""
        first: dict[Message, int] = {}
        for place in self._first:
            answer = self.answers[place]
            if _kind(answer.exchange.ask) == kind:
                first.setdefault(answer.message, place)
        messages, places = list(first), list(first.values())
        return [[(r, places[at]) for r, at in different_records(messages, section)] for section in SECTIONS]


@cache
def _kind(ask: str) -> str:
    """What a question is about."""
    return "zone" if ask[0] in "QZ" else "software" if ask in CHAOS else "server"


def _records(of: list[list[tuple[Record, int]]]) -> Sections:
    return tuple([tuple([record for record, _ in section]) for section in of])


class Attempts(NamedTuple):
    """The attempts of ordinary questions about the zone (Q) in the order they were sent, some of them by themselves."""

    all: tuple[Exchange, ...]
    answered: tuple[Exchange, ...]
    over_udp: tuple[Exchange, ...]


@once
def attempts(view: ZoneView) -> Attempts:
    """What was tried to ask the servers of the zone, whatever came of it."""
    tried = [x for x in view.about(view.subject) if x.ask[0] == "Q"]
    return Attempts(tuple(tried), tuple(filter(is_answered, tried)), tuple(filter(is_udp, tried)))


def told_of_all(view: ZoneView, findings: Sequence[Finding], good: str) -> Iterator[Outcome]:
    """As `told`; `good` is shown by everything that was sent."""
    if findings:
        yield from told(view, findings, good, ())
    elif sent(view).exchanges:
        yield outcome(good, sent(view).exchanges)


@once
def with_authority(view: ZoneView) -> tuple[Answer, ...]:
    """The authoritative answers to questions about the zone."""
    return tuple(sent(view).where(lambda answer: answer.exchange.ask[0] in "QZ" and answer.message.aa))


@once
def sent(view: ZoneView) -> Sent:
    """What the servers of the zone sent, to questions about it and to those of the compliance pack."""
    return Sent(everything_heard(view))
