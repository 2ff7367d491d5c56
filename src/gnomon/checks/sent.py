"""All that the servers of a zone sent, put together once for the checks that look at every message or record.

Servers repeat themselves: of the records of a zone's messages one in seven is different. A rule for every record asks
first whether any of the different ones breaks it, and only then who sent it, where and how often.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from gnomon.base import Address
from gnomon.checks.observed import Answer
from gnomon.checks.outcome import Outcome, Shown, outcome
from gnomon.checks.replies import Finding, everything_heard, told
from gnomon.wire import Message, Record
from gnomon.wire.message import SECTIONS, different_records

if TYPE_CHECKING:
    from gnomon.checks.view import ZoneView

Sections = tuple[tuple[Record, ...], ...]
"""The different records of the answer, authority and additional sections."""


class Sent:
    """The answers of all servers of a zone, in order of their addresses, then of the questions' codes."""

    def __init__(self, heard: Mapping[Address, tuple[Answer, ...]]) -> None:
        self.answers: tuple[Answer, ...] = tuple([answer for of in heard.values() for answer in of])

    @cached_property
    def exchanges(self) -> Shown:
        return Shown([answer.exchange for answer in self.answers])

    @cached_property
    def about_zone(self) -> Sections:
        """What came to questions about the zone."""
        return _records(self._of_zone)

    @cached_property
    def about_server(self) -> Sections:
        """What came to questions of the compliance pack."""
        return _records(self._of_pack)

    @cached_property
    def sections(self) -> Sections:
        """All different records, those of each section and kind of question by themselves."""
        return (*self.about_zone, *self.about_server)

    def bearing(self, rtypes: Iterable[int]) -> list[Answer]:
        """The first answers that have the different records of these types in the answer or authority section."""
        looked_for = frozenset(rtypes)
        pairs = (pair for of in (self._of_zone, self._of_pack) for section in of[:2] for pair in section)
        return [self.answers[place] for place in sorted({place for r, place in pairs if r.rtype in looked_for})]

    @cached_property
    def messages(self) -> tuple[Message, ...]:
        """The different messages."""
        return tuple({answer.message.wire: answer.message for answer in self.answers}.values())

    @cached_property
    def _of_zone(self) -> list[list[tuple[Record, int]]]:
        return self._different("QZ")

    @cached_property
    def _of_pack(self) -> list[list[tuple[Record, int]]]:
        return self._different("S")

    def _different(self, kinds: str) -> list[list[tuple[Record, int]]]:
        """The different records of each section, with the place in `answers` of the first that has it."""
        first: dict[bytes, int] = {}
        for place, answer in enumerate(self.answers):
            if answer.exchange.ask[0] in kinds:
                first.setdefault(answer.message.wire, place)
        places = list(first.values())
        messages = [self.answers[place].message for place in places]
        return [[(r, places[at]) for r, at in different_records(messages, section)] for section in SECTIONS]


def _records(of: list[list[tuple[Record, int]]]) -> Sections:
    return tuple([tuple([record for record, _ in section]) for section in of])


def told_of_all(view: ZoneView, findings: Sequence[Finding], good: str) -> Iterator[Outcome]:
    """As `told`; `good` is shown by everything that was sent."""
    if findings:
        yield from told(view, findings, good, ())
    elif sent(view).exchanges:
        yield outcome(good, sent(view).exchanges)


def with_authority(view: ZoneView) -> tuple[Answer, ...]:
    """The authoritative answers to questions about the zone."""
    return view.once("with-authority", lambda: _find_with_authority(view))


def _find_with_authority(view: ZoneView) -> tuple[Answer, ...]:
    return tuple([a for a in sent(view).answers if a.exchange.ask[0] in "QZ" and a.message.aa])


def sent(view: ZoneView) -> Sent:
    """What the servers of the zone sent, to questions about it and to those of the compliance pack."""
    return view.once("sent", lambda: Sent(everything_heard(view)))
