"""What the evidence says of one name and type: from the zone's own servers, or from where it was looked up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from gnomon.base import Address, Name, RRType
from gnomon.base.codes import AAAA, CNAME, NOERROR, NS, NXDOMAIN, SOA, A
from gnomon.base.once import once
from gnomon.checks.observed import Answer, asked_in
from gnomon.checks.read import address_order, read, read_all
from gnomon.checks.replies import is_partial
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange
from gnomon.evidence.subject import cut_subject, name_subject
from gnomon.wire import Message, rdata
from gnomon.wire.bitmap import apex_types

Known = Literal["found", "no-data", "no-name", "failed", "not-asked"]

# The questions to the zone's own servers that look something up.
_OWN = ("Z1M", "Z1T", "Z1C", "Z1A", "Z1H", "Z2", "Q9")
_ELSEWHERE = ("H1", "H2", "H4", "H5", "H6")
_ALIASES = 8


class Lookup(NamedTuple):
    """One name and type.

    `state`: found, no-data (the name has no such record), no-name (it does not exist), failed (asked without a usable
    answer), not-asked. `aliases` are the targets that were followed from `asked`; `rdatas` belong to the last of them.
    `rcode` is that of the answer the state rests on, or of the last one; empty if none came.
    """

    asked: Name
    rtype: RRType
    state: Known
    rdatas: tuple[bytes, ...] = ()
    aliases: tuple[Name, ...] = ()
    rcode: str = ""
    exchanges: tuple[Exchange, ...] = ()

    @property
    def name(self) -> Name:
        """Where the aliases end."""
        return self.aliases[-1] if self.aliases else self.asked

    @property
    def is_known(self) -> bool:
        """Records were found, or it is known that there are none."""
        return self.state in ("found", "no-data", "no-name")

    @property
    def is_absent(self) -> bool:
        return self.state in ("no-data", "no-name")


@once
def look_up(view: ZoneView, name: Name, rtype: RRType) -> Lookup:
    """Follow `name` through everything that was recorded about it."""
    target, aliases = name, list[Name]()
    answers = list(_answers(view, name, rtype))
    for _ in range(_ALIASES):
        for answer in answers:
            rrset = answer.message.rrset("answer", target, rtype)
            if rrset is not None and not is_partial(answer):
                return _made(name, rtype, "found", aliases, answer, rrset.rdatas)
        alias = next((to for answer in answers if (to := _alias(answer, target)) is not None), None)
        if alias is None or alias in (name, *aliases):
            break
        aliases.append(alias)
        target = alias
        answers += _answers(view, alias, rtype)
    for answer in answers:
        if _denies(answer, target):
            state: Known = "no-name" if answer.message.rcode == NXDOMAIN else "no-data"
            return _made(name, rtype, state, aliases, answer)
    if name == view.zone and (by_bitmap := _absent_by_bitmap(view, rtype)) is not None:
        return _made(name, rtype, "no-data", aliases, by_bitmap)
    tried = tuple(_attempts(view, name, target, rtype))
    rcode = str(answers[-1].message.rcode) if answers else ""
    return Lookup(name, rtype, "failed" if tried else "not-asked", (), tuple(aliases), rcode, tried)


def _made(
    name: Name, rtype: RRType, state: Known, aliases: Sequence[Name], answer: Answer, rdatas: tuple[bytes, ...] = ()
) -> Lookup:
    rcode = str(answer.message.rcode)
    return Lookup(name, rtype, state, rdatas, tuple(aliases), rcode, (answer.exchange,))


def _answers(view: ZoneView, name: Name, rtype: RRType) -> Iterator[Answer]:
    yield from _own(view).get((name, rtype), ())
    for answer in view.answers_about(name_subject(name)):
        if answer.exchange.ask in _ELSEWHERE and answer.qtype == rtype:
            yield answer


@once
def _own(view: ZoneView) -> Mapping[tuple[Name, int], list[Answer]]:
    found: dict[tuple[Name, int], list[Answer]] = {}
    for ask in _OWN:
        for answer in view.answers(ask):
            if answer.qname is not None and answer.qtype is not None:
                found.setdefault((answer.qname, answer.qtype), []).append(answer)
    return found


def _attempts(view: ZoneView, name: Name, target: Name, rtype: RRType) -> Iterator[Exchange]:
    """The questions about `target`, where `name` leads, be they the zone's own or the subject's of either name."""
    yield from _own_attempts(view).get((target, rtype), ())
    for x in [x for one in dict.fromkeys((name, target)) for x in view.about(name_subject(one))]:
        if x.ask in _ELSEWHERE and asked_in(x.query) == (target, rtype):
            yield x


@once
def _own_attempts(view: ZoneView) -> Mapping[tuple[Name, int] | None, list[Exchange]]:
    found: dict[tuple[Name, int] | None, list[Exchange]] = {}
    for ask in _OWN:
        for x in view.asked(ask):
            found.setdefault(asked_in(x.query), []).append(x)
    return found


def _alias(answer: Answer, name: Name) -> Name | None:
    for record in answer.message.answer:
        if record.rtype == CNAME and record.owner == name:
            return read(rdata.ns, record.rdata)
    return None


def _denies(answer: Answer, name: Name) -> bool:
    """A proper negative answer about `name`, which may be an alias's target that the same server speaks for."""
    message = answer.message
    if message.rcode not in (NOERROR, NXDOMAIN) or is_partial(answer) or _is_referral(message):
        return False
    if answer.qname == name and not message.answer:
        return message.aa or any(r.rtype == SOA for r in message.authority)
    return any(r.rtype == SOA and name.is_subdomain_of(r.owner) for r in message.authority)


def _is_referral(message: Message) -> bool:
    kinds = {r.rtype for r in message.authority}
    return not message.aa and message.rcode == NOERROR and NS in kinds and SOA not in kinds


def _absent_by_bitmap(view: ZoneView, rtype: RRType) -> Answer | None:
    """An answer to Q6 in which the apex's NSEC or NSEC3 record does not list the type."""
    for answer in view.answers("Q6"):
        types = apex_types(answer.message) if answer.message.aa else frozenset()
        if types and rtype not in types:
            return answer
    return None


class HostLookup(NamedTuple):
    """A and AAAA of one host together."""

    name: Name
    v4: Lookup
    v6: Lookup
    addresses: tuple[Address, ...]

    @property
    def alias(self) -> Name | None:
        """Where the host leads if it is an alias."""
        return next((one.name for one in (self.v4, self.v6) if one.aliases), None)

    @property
    def is_known(self) -> bool:
        """Addresses were found, or it is known that there are none."""
        return bool(self.addresses) or (self.v4.is_known and self.v6.is_known)

    @property
    def is_missing(self) -> bool:
        """The name, or what it is an alias of, does not exist; one address is proof enough that it does."""
        return not self.addresses and "no-name" in (self.v4.state, self.v6.state)

    @property
    def rcode(self) -> str:
        """Of the question that failed; "no answer" if nothing came."""
        return next((one.rcode for one in (self.v4, self.v6) if one.state == "failed" and one.rcode), "no answer")

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        return self.v4.exchanges + self.v6.exchanges


@once
def look_up_host(view: ZoneView, name: Name) -> HostLookup:
    """The addresses of a host."""
    v4, v6 = look_up(view, name, A), look_up(view, name, AAAA)
    found = set(read_all(rdata.address, (*v4.rdatas, *v6.rdatas)))
    return HostLookup(name, v4, v6, tuple(sorted(found, key=address_order)))


def zone_of(view: ZoneView, name: Name) -> Name | None:
    """The closest zone above a name outside the zone, as the walk there found it; None if it was not walked."""
    for above in name.ancestors()[1:]:
        for answer in view.answers_about(cut_subject(above)):
            records = (*answer.message.answer, *answer.message.authority)
            if answer.exchange.ask == "C0" and any(r.rtype == NS and r.owner == above for r in records):
                return above
    return None
