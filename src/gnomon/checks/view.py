"""The zone view: everything the evidence says about one zone, the only thing a check sees.

A view is read only and memoised; the same exchanges give the same answers in the same order. It never raises on
what came from the network: record data that cannot be read is left out here and stays visible in the message
(`Answer.message.malformed`, `observed.unreadable_in`). Times are the evidence's, never the clock's.

Convention for checks: one outcome per thing that is wrong (its server, key or name as `subject`), and one outcome
for the zone when nothing is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from gnomon.base import Address, Name, NameServer
from gnomon.base.codes import CDNSKEY, CDS, CSYNC, DNSKEY, NOERROR, NS, NSEC3PARAM, SOA
from gnomon.base.once import cached_property, once
from gnomon.checks import hosts, parent
from gnomon.checks.hosts import Host
from gnomon.checks.levels import ZoneClass
from gnomon.checks.levels import class_of as class_of
from gnomon.checks.observed import Answer, Index, answers_in, is_answered, parsed
from gnomon.checks.outcome import Shown, shown_by
from gnomon.checks.parent import Delegation, ParentAnswer, Undelegated
from gnomon.checks.read import address_order, in_order, name_order, read, read_all
from gnomon.checks.service import SOA_ASKS, Service, service
from gnomon.checks.signed import Key
from gnomon.evidence import Exchange
from gnomon.evidence.subject import zone_subject
from gnomon.sources.routing import Route
from gnomon.wire import Message, RRset, rdata
from gnomon.wire.rdata import Ds, Soa

if TYPE_CHECKING:
    from gnomon.checks.chain import Chain

T = TypeVar("T")

_NONE: Mapping[Any, Any] = MappingProxyType({})

# Which questions show an RRset at the apex, best first.
_APEX_ASKS: dict[int, tuple[str, ...]] = {
    SOA: ("Q2", "Q1", "Q7"),
    NS: ("Q3", "Q3N"),
    DNSKEY: ("Q4", "Q4N"),
    CDS: ("Q8",),
    CDNSKEY: ("Q8K",),
    CSYNC: ("Q8C",),
    NSEC3PARAM: ("Q8P",),
}


class Routing(Protocol):
    """A dated routing table, given as a value to the view."""

    def route(self, address: Address) -> Route | None:
        """The announced range that holds `address`, None if no AS originates it."""


class ZoneView:
    """The evidence on one zone; see the module's text for the promises it keeps.

    Args:
        zone: the zone's apex.
        exchanges: those of subject `zone <zone>`, and the shared ones it needs (its servers, the names of its
            name servers, the cuts above it); any order.
        root_anchors: the trust anchors of the run.
        undelegated: a delegation given by the user instead of the parent's.
        zone_class: R root, T top level, A under arpa, K critical, S any other.
        routing: a routing table, None if none was given.
    """

    def __init__(
        self,
        zone: Name,
        exchanges: Iterable[Exchange],
        *,
        root_anchors: Sequence[Ds] = (),
        undelegated: Undelegated | None = None,
        zone_class: ZoneClass | None = None,
        routing: Routing | None = None,
    ) -> None:
        self.zone = zone
        self._index = Index(exchanges, address_order)
        self.exchanges = self._index.exchanges
        self.root_anchors = tuple(root_anchors)
        self.undelegated = undelegated
        self.zone_class: ZoneClass = zone_class or class_of(zone)
        self.routing = routing
        self._memo: dict[object, object] = {}
        self._asked: dict[str, Shown] = {}
        self._apex_exchanges: dict[int, Shown] = {}
        self._apexes: dict[int, Mapping[Address, tuple[Answer, RRset]]] = {}
        self._apex_rrsets: dict[int, Mapping[Address, RRset]] = {}
        self._services: dict[Address, Service] = {}

    @property
    def is_root(self) -> bool:
        return self.zone.is_root

    @property
    def is_tld(self) -> bool:
        return self.zone_class == "T"

    @cached_property
    def subject(self) -> str:
        """The subject of the zone's own exchanges."""
        return zone_subject(self.zone)

    @cached_property
    def observed_at(self) -> int:
        """Unix time in seconds at which the zone's own exchanges began; 0 without any exchange."""
        own = self.about(self.subject) or self.exchanges
        return own[0].sent_at_ns // 1_000_000_000 if own else 0

    # Exchanges

    def about(self, subject: str) -> tuple[Exchange, ...]:
        """All exchanges of one subject in the order they were sent."""
        return self._index.by_subject.get(subject, ())

    def attempts(self, ask: str) -> Mapping[Address, tuple[Exchange, ...]]:
        """All attempts of one question of the plan by address, in address order."""
        return self._index.by_ask.get(ask, _NONE)

    def asked(self, ask: str, address: Address | None = None) -> tuple[Exchange, ...]:
        """All attempts of one question of the plan, at one address or at all in address order."""
        if address is not None:
            return self._index.by_ask.get(ask, _NONE).get(address, ())
        found = self._asked.get(ask)
        if found is None:
            found = self._asked[ask] = Shown(chain.from_iterable(self.attempts(ask).values()))
        return found

    def message(self, exchange: Exchange) -> Message | None:
        """The response, parsed once; None if there was none or it was not accepted."""
        return parsed(exchange.response) if is_answered(exchange) and exchange.response is not None else None

    def answer(self, ask: str, address: Address, qname: Name | None = None, qtype: int | None = None) -> Answer | None:
        """The accepted response of one address to one question; with Q9 say which name and type."""
        if qname is None and qtype is None:
            return self._index.first_answers.get(ask, _NONE).get(address)
        for found in self.answers_at(ask, address):
            if (qname is None or found.qname == qname) and (qtype is None or found.qtype == qtype):
                return found
        return None

    def first_answers(self, ask: str) -> Mapping[Address, Answer]:
        """The first accepted response of each address to one question, in address order."""
        return self._index.first_answers.get(ask, _NONE)

    @cached_property
    def asks(self) -> tuple[str, ...]:
        """The codes of all questions that were asked, sorted."""
        return tuple(self._index.by_ask)

    def answers_at(self, ask: str, address: Address) -> tuple[Answer, ...]:
        """The accepted responses of one address to one question; several if it was asked for several names or types."""
        return self._index.answers_at.get(ask, _NONE).get(address, ())

    def answers(self, ask: str) -> tuple[Answer, ...]:
        """The accepted responses of all addresses to one question, in address order."""
        return self._index.answers.get(ask, ())

    def server_answer(self, ask: str, address: Address) -> Answer | None:
        """The accepted response to a question of the compliance pack (asked once per server address)."""
        return self.answer(ask, address)

    def answers_about(self, subject: str) -> tuple[Answer, ...]:
        """The accepted responses of one shared subject in the order they were sent."""
        return _answers_about(self, subject)

    def answers_for_host(self, name: Name) -> tuple[Answer, ...]:
        """What the zone's servers (Q9), and a parent's that serve it too (P3), say of the addresses of a name in it."""
        return self._answers_for_hosts.get(name, ())

    @cached_property
    def _answers_for_hosts(self) -> Mapping[Name, tuple[Answer, ...]]:
        found: dict[Name, list[Answer]] = {}
        for answer in (*self.answers("Q9"), *self.answers("P3")):
            if answer.qname is not None:
                found.setdefault(answer.qname, []).append(answer)
        return {name: tuple(of) for name, of in found.items()}

    # Servers

    @cached_property
    def servers(self) -> tuple[NameServer, ...]:
        """Every (NS name, address) of the delegation and of the apex NS RRsets, sorted."""
        pairs = {NameServer(name, address) for name in self.ns_names for address in self.addresses_of(name).addresses}
        placed = {pair.address for pair in pairs}
        # The root has no delegation: its servers are those of the hints, which is where they were asked.
        for x in self.about(self.subject):
            if x.ask[0] == "Q" and x.server_name is not None and x.address not in placed:
                pairs.add(NameServer(x.server_name, x.address))
        return tuple(sorted(pairs, key=lambda s: (name_order(s.name), address_order(s.address))))

    @cached_property
    def addresses(self) -> tuple[Address, ...]:
        """The distinct addresses of `servers` in address order."""
        return tuple(sorted({server.address for server in self.servers}, key=address_order))

    @cached_property
    def delegated_addresses(self) -> tuple[Address, ...]:
        """The distinct addresses of the delegated NS names; of all servers where there is no delegation."""
        if self.delegation() is None:
            return self.addresses
        found = {a for name in self.parent_ns() for a in self.addresses_of(name).addresses}
        return tuple(sorted(found, key=address_order))

    @cached_property
    def delegated_servers(self) -> Mapping[Name, tuple[Address, ...]]:
        """The addresses behind each delegated NS name as a resolver finds them: glue, else resolution."""
        hosts_of = {name: self.addresses_of(name) for name in self.parent_ns()}
        return {n: h.glue if h.glue and n.is_subdomain_of(self.zone) else h.addresses for n, h in hosts_of.items()}

    @cached_property
    def apex_servers(self) -> Mapping[Name, tuple[Address, ...]]:
        """The addresses behind each NS name at the apex: authoritative ones, else glue; all servers' sets together."""
        hosts_of = {name: self.addresses_of(name) for name in self.apex_ns_names}
        return {name: host.authoritative or host.glue for name, host in hosts_of.items()}

    @cached_property
    def apex_ns_names(self) -> tuple[Name, ...]:
        """The union of the NS names at the apex over all servers, sorted."""
        return in_order(n for names in self.child_ns().values() for n in names)

    def service(self, address: Address) -> Service:
        """Whether an address serves the zone, in one word."""
        found = self._services.get(address)
        if found is None:
            found = self._services[address] = service(self, address)
        return found

    @cached_property
    def serving(self) -> frozenset[Address]:
        """The addresses that serve the zone: those with the service "ok"."""
        asked = {address for ask in SOA_ASKS for address in self.attempts(ask)}
        return frozenset(address for address in asked if self.service(address).state == "ok")

    def names_at(self, address: Address) -> tuple[Name, ...]:
        """The NS names that have this address, sorted."""
        return self._names.get(address, ())

    @cached_property
    def _names(self) -> Mapping[Address, tuple[Name, ...]]:
        names: dict[Address, tuple[Name, ...]] = {}
        for server in self.servers:
            names[server.address] = (*names.get(server.address, ()), server.name)
        return names

    def server_label(self, address: Address) -> str:
        """`name/address` for sentences and subjects; the first of several names."""
        return self._labels.get(address) or str(address)

    @cached_property
    def _labels(self) -> Mapping[Address, str]:
        return {address: f"{names[0]}/{address}" for address, names in self._names.items()}

    @cached_property
    def ns_names(self) -> tuple[Name, ...]:
        """The union of the delegation's and the apex's NS names, sorted."""
        return in_order((*self.parent_ns(), *self.apex_ns_names))

    def addresses_of(self, ns_name: Name) -> Host:
        """How an NS name resolves."""
        return _host(self, ns_name)

    # Parent side

    @cached_property
    def parent_zone(self) -> Name:
        """The apex of the zone above, as its answers show it; the name above where they do not."""
        return parent.parent_zone(self)

    def parent_answers(self) -> tuple[ParentAnswer, ...]:
        """What each parent server that answered says of the zone."""
        return self._parent_answers

    @cached_property
    def _parent_answers(self) -> tuple[ParentAnswer, ...]:
        return parent.parent_answers(self)

    def delegation(self) -> Delegation | None:
        """The zone's delegation; None for the root, for a name without one, and when no parent answered."""
        return self._delegation

    @cached_property
    def _delegation(self) -> Delegation | None:
        return parent.delegation(self)

    def parent_ns(self) -> tuple[Name, ...]:
        """The delegated NS names, sorted."""
        delegation = self._delegation
        return delegation.ns_names if delegation else ()

    def ds_sets(self) -> dict[Address, RRset | None]:
        """The DS RRset at each parent server that answered; None where it says there is none."""
        return self._ds_sets

    @cached_property
    def _ds_sets(self) -> dict[Address, RRset | None]:
        return parent.ds_sets(self)

    def ds(self) -> RRset | None:
        """The DS RRset: the user's, else that of the first parent server that has one."""
        if self.undelegated is not None:
            return parent.given_ds(self.zone, self.undelegated)
        return next((found for found in self.ds_sets().values() if found is not None), None)

    # Apex

    def apex_rrset(self, rtype: int) -> Mapping[Address, RRset]:
        """The RRset of that type at the apex as each server gives it with authority (AA, NOERROR)."""
        found = self._apex_rrsets.get(rtype)
        if found is None:
            found = self._apex_rrsets[rtype] = {a: rrset for a, (_, rrset) in self._apex(rtype).items()}
        return found

    def apex_answer(self, rtype: int, address: Address) -> Answer | None:
        """The answer that `apex_rrset` took the RRset of this server from."""
        found = self._apex(rtype).get(address)
        return found[0] if found else None

    def apex_exchanges(self, rtype: int) -> tuple[Exchange, ...]:
        """The exchanges that `apex_rrset` rests on, in address order."""
        found = self._apex_exchanges.get(rtype)
        if found is None:
            found = self._apex_exchanges[rtype] = shown_by(answer for answer, _ in self._apex(rtype).values())
        return found

    def _apex(self, rtype: int) -> Mapping[Address, tuple[Answer, RRset]]:
        found = self._apexes.get(rtype)
        if found is None:
            found = self._apexes[rtype] = self._find_apex(rtype)
        return found

    def _find_apex(self, rtype: int) -> Mapping[Address, tuple[Answer, RRset]]:
        found: dict[Address, tuple[Answer, RRset]] = {}
        for ask in _APEX_ASKS.get(rtype, ()):
            for answer in self.answers(ask):
                message = answer.message
                if answer.address in found or not message.aa or message.rcode != NOERROR:
                    continue
                rrset = message.rrset("answer", self.zone, rtype)
                if rrset is not None:
                    found[answer.address] = answer, rrset
        return dict(sorted(found.items(), key=lambda item: address_order(item[0])))

    def soa(self, address: Address) -> Soa | None:
        """The SOA record that a server gives with authority."""
        return self.soas().get(address)

    def soas(self) -> dict[Address, Soa]:
        """The SOA record of each server that gives one with authority."""
        return self._soas

    @cached_property
    def _soas(self) -> dict[Address, Soa]:
        return _first_of_each(rdata.soa, self.apex_rrset(SOA))

    def child_ns(self) -> dict[Address, tuple[Name, ...]]:
        """The NS names in the apex NS RRset of each server, sorted."""
        return self._child_ns

    @cached_property
    def _child_ns(self) -> dict[Address, tuple[Name, ...]]:
        sets = {a: in_order(read_all(rdata.ns, rrset.rdatas)) for a, rrset in self.apex_rrset(NS).items()}
        return {address: names for address, names in sets.items() if names}

    # DNSSEC

    def dnskeys(self) -> Mapping[Address, tuple[Key, ...]]:
        """The keys in the DNSKEY RRset of each server that has one."""
        return self._dnskeys

    @cached_property
    def _dnskeys(self) -> Mapping[Address, tuple[Key, ...]]:
        known = {key.rdata: key for key in self.keys()}
        sets = self.apex_rrset(DNSKEY)
        return {a: tuple(known[r] for r in rrset.rdatas if r in known) for a, rrset in sets.items()}

    @cached_property
    def signed_servers(self) -> tuple[Address, ...]:
        """The addresses that give a readable DNSKEY with authority, in address order."""
        return tuple([address for address, keys in self.dnskeys().items() if keys])

    def keys(self) -> tuple[Key, ...]:
        """The keys over all servers, sorted by key tag, algorithm and octets."""
        return self._keys

    @cached_property
    def _keys(self) -> tuple[Key, ...]:
        at: dict[bytes, list[Address]] = {}
        for address, rrset in self.apex_rrset(DNSKEY).items():
            for octets in rrset.rdatas:
                at.setdefault(octets, []).append(address)
        keys = (Key(octets, k, tuple(at[octets])) for octets in at if (k := read(rdata.dnskey, octets)))
        return tuple(sorted(keys, key=lambda k: (k.dnskey.key_tag, k.dnskey.algorithm, k.rdata)))

    def chain(self) -> Chain:
        """The chain of trust from the root anchors to the apex."""
        return self._chain

    @cached_property
    def _chain(self) -> Chain:
        from gnomon.checks.chain import build

        return build(self)


@once
def _answers_about(view: ZoneView, subject: str) -> tuple[Answer, ...]:
    return answers_in(view.about(subject), address_order)


@once
def _host(view: ZoneView, ns_name: Name) -> Host:
    return hosts.resolve(view, ns_name)


def _first_of_each(parse: Callable[[bytes], T], sets: Mapping[Address, RRset]) -> dict[Address, T]:
    parsed = {address: read_all(parse, rrset.rdatas) for address, rrset in sets.items()}
    return {address: values[0] for address, values in parsed.items() if values}
