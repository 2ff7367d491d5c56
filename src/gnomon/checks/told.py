"""What the servers of a zone say of one type at its apex, where the plan asks some or all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gnomon.base import Address
from gnomon.base.codes import NOERROR, RRType
from gnomon.base.once import once
from gnomon.checks.outcome import Outcome, unknown
from gnomon.checks.replies import Heard, is_partial, labels, lacks_edns, probe, refuses_edns, unheard
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange


@dataclass(frozen=True, slots=True)
class Told:
    """What servers that serve the zone say of one type at its apex; `sets` without records are empty."""

    sets: Mapping[Address, tuple[bytes, ...]]
    rcodes: Mapping[Address, str]
    without_authority: tuple[Address, ...]
    dropped: tuple[Address, ...]
    heard: Heard

    @property
    def faulty(self) -> tuple[Address, ...]:
        return (*self.rcodes, *self.without_authority, *self.dropped)


@once
def told_at_apex(view: ZoneView, ask: str, rtype: RRType) -> Told:
    """What came of one of the plan's questions about the apex; servers that only ignore EDNS are heard."""
    probed = probe(view, ask, alive="Q1")
    without_edns = [a.address for a in probed.answers if refuses_edns(a) and lacks_edns(view, a.address)]
    without_edns += [address for address in probed.dropped if lacks_edns(view, address)]
    sets: dict[Address, tuple[bytes, ...]] = {}
    rcodes: dict[Address, str] = {}
    without: list[Address] = []
    partial: list[Address] = []
    for answer in probed.answers:
        message = answer.message
        if answer.address in without_edns:
            continue
        if message.rcode != NOERROR:
            rcodes[answer.address] = str(message.rcode)
        elif not message.aa:
            without.append(answer.address)
        elif is_partial(answer):
            partial.append(answer.address)
        else:
            found = message.rrset("answer", view.zone, rtype)
            sets[answer.address] = found.rdatas if found else ()
    missing = dict(probed.heard.missing)
    dropped = tuple(address for address in probed.dropped if address not in without_edns)
    if sets or rcodes or without or dropped:
        # A survey asks some of the servers only.
        missing.pop("not-asked", None)
    answers = tuple(answer for answer in probed.answers if answer.address not in without_edns)
    heard = Heard(answers, missing).also("no-answer", partial).also("no-edns", without_edns)
    return Told(sets, rcodes, tuple(without), dropped, heard)


def exchanges_of(view: ZoneView, ask: str, at: Sequence[Address]) -> tuple[Exchange, ...]:
    """The attempts of one question at these addresses."""
    return tuple(x for address in at for x in view.asked(ask, address))


def by_value(view: ZoneView, said: Mapping[Address, tuple[str, ...]]) -> tuple[str, ...]:
    """What is said with the servers that say it, in order of their first address."""
    at: dict[tuple[str, ...], list[Address]] = {}
    for address, texts in said.items():
        at.setdefault(texts, []).append(address)
    return tuple(f"{', '.join(texts) or 'none'} at {' '.join(labels(view, of))}" for texts, of in at.items())


def unusable(view: ZoneView, told: Told, ask: str) -> Iterator[Outcome]:
    """What a check says that needs an answer from any server, where no server gave a proper one."""
    if told.faulty:
        yield unknown("unusable", exchanges_of(view, ask, told.faulty), servers=labels(view, told.faulty))
    yield from unheard(view, told.heard.but(told.faulty), ask)
