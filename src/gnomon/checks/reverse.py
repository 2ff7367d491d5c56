"""Reverse names: what the addresses of the name servers are called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gnomon.base import Address, Name, reverse_name
from gnomon.base.codes import CNAME, NOERROR, NXDOMAIN, PTR, SOA, RRType
from gnomon.base.once import once
from gnomon.checks.observed import Answer, is_unsent
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.read import in_order, read_all
from gnomon.checks.registry import IOP, check
from gnomon.checks.replies import UNHEARD, labels
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange
from gnomon.evidence.subject import name_subject
from gnomon.wire import Message, rdata

_ALIASES = 8


@dataclass(frozen=True, slots=True)
class _Reverse:
    """The names of an address; `rcode` of the last attempt, "no answer" without one; `denied` if there are none.

    `asked` is False if no question for them was sent.
    """

    names: tuple[Name, ...]
    rcode: str
    denied: bool
    exchanges: tuple[Exchange, ...]

    @property
    def asked(self) -> bool:
        return not all(map(is_unsent, self.exchanges))


@once
def _reverses(view: ZoneView) -> Mapping[Address, _Reverse]:
    """Each server address; nothing if the plan did not ask for reverse names."""
    if not any(view.about(name_subject(reverse_name(address))) for address in view.addresses):
        return {}
    return {address: _reverse(view, reverse_name(address)) for address in view.addresses}


def _reverse(view: ZoneView, name: Name) -> _Reverse:
    answers, exchanges = view.answers_about(name_subject(name)), view.about(name_subject(name))
    target = name
    for _ in range(_ALIASES):
        names = _records(answers, target, PTR)
        if names:
            return _Reverse(names, "", False, exchanges)
        aliases = _records(answers, target, CNAME)
        if len(aliases) != 1:
            break
        target = aliases[0]
    last = view.message(exchanges[-1]) if exchanges else None
    return _Reverse((), str(last.rcode) if last is not None else "no answer", _denies(last), exchanges)


def _denies(message: Message | None) -> bool:
    """A proper negative answer, not a step on the way to one."""
    if message is None or message.rcode not in (NOERROR, NXDOMAIN) or message.tc:
        return False
    return message.aa or any(r.rtype == SOA for r in message.authority)


def _records(answers: tuple[Answer, ...], owner: Name, rtype: RRType) -> tuple[Name, ...]:
    """The names that records of a type with one name in their data lead to."""
    found = (r.rdata for a in answers for r in a.message.answer if r.rtype == rtype and r.owner == owner)
    return in_order(read_all(rdata.ns, found))


@check(
    "addr.ptr-exists",
    properties=(IOP,),
    asked=("A1",),
    version=2,
    codes={
        "exist": "{count:The only name server address|All # name server addresses} of {zone} {count:has|have} a PTR "
        "record.",
        "missing": "{server} has no PTR record.",
        "failed": "The PTR record of {server} cannot be looked up: {rcode}.",
        "not-asked": UNHEARD["not-asked"],
        "not-looked-up": "The names of the addresses were not looked up.",
    },
)
def ptr_exists(view: ZoneView) -> Iterator[Outcome]:
    """Every name server address has a PTR record.

    Why: who reads logs or handles abuse finds the server's name with it; the DNS itself does not need it.
    Rule: notice for each address without a PTR record, or of which the record cannot be looked up. Asked when zones
        are assessed, not in surveys.
    Source: RFC 1912 section 2.1.
    Do: have the holder of the address block publish a PTR record with the server's name.
    """
    found = _reverses(view)
    left = [address for address, reverse in found.items() if not reverse.asked]
    faults = 0
    for address, reverse in found.items():
        if not reverse.names and reverse.asked:
            faults += 1
            server, code = view.server_label(address), "missing" if reverse.denied else "failed"
            yield outcome(code, reverse.exchanges, subject=server, server=server, rcode=reverse.rcode)
    if not found:
        yield not_applicable("not-looked-up")
    elif not faults and not left:
        yield outcome("exist", *(reverse.exchanges for reverse in found.values()), count=len(found))
    if left:
        yield unknown("not-asked", *(found[address].exchanges for address in left), servers=labels(view, left))


@check(
    "addr.ptr-matches",
    properties=(IOP,),
    asked=("A1",),
    codes={
        "match": "{count:The PTR record|The PTR records} of {count:the only name server address|all # name server "
        "addresses} of {zone} {count:leads back to its NS name|lead back to their NS names}.",
        "differs": "The PTR {names:record|records} of {server} {names:is|are} {names}, {names:not one|none} of its NS "
        "names.",
        "none": "Not every name server address has a PTR record (see addr.ptr-exists); those there are match.",
        "not-looked-up": "The names of the addresses were not looked up.",
    },
)
def ptr_matches(view: ZoneView) -> Iterator[Outcome]:
    """The PTR record of a name server address is its NS name.

    Why: two names for one server make it harder to see who runs it.
    Rule: notice for each address with PTR records none of which is one of its NS names. Asked when zones are
        assessed, not in surveys.
    Source: RFC 1912 section 2.1.
    Do: have the PTR record say the name that the NS records use.
    """
    found = _reverses(view)
    faults = 0
    for address, reverse in found.items():
        if reverse.names and not set(reverse.names) & set(view.names_at(address)):
            faults += 1
            server, names = view.server_label(address), tuple(map(str, reverse.names))
            yield outcome("differs", reverse.exchanges, subject=server, server=server, names=names)
    shown = [x for reverse in found.values() for x in reverse.exchanges]
    if not found:
        yield not_applicable("not-looked-up")
    elif not faults and all(reverse.names for reverse in found.values()):
        yield outcome("match", shown, count=len(found))
    elif not faults:
        yield not_applicable("none", shown)
