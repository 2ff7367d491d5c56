"""The survey of one zone: what is asked of its parent and of each of its servers, wave by wave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from gnomon.base import Address, Name, reverse_name
from gnomon.base.codes import BADCOOKIE, CDNSKEY, CDS, OPTION_COOKIE, SOA
from gnomon.survey import automation, reading
from gnomon.survey import plan as q
from gnomon.survey.automation_questions import AT_APEX, Q8, Q8K
from gnomon.survey.cuts import Cut, Walker, leads_on
from gnomon.survey.leads import leads
from gnomon.survey.pack import parts_of
from gnomon.survey.question import Question
from gnomon.survey.services import ServiceSurvey
from gnomon.survey.steps import Ask, Key, Need, Reply, Steps, ask
from gnomon.wire import Message
from gnomon.wire.bitmap import apex_types

_HOSTS_AT_ONCE = 4  # the first ones tell whether the servers behind the others answer at all
_BETWEEN = 4  # names between the zone and names in it that are asked for
_FEW = 2  # servers, of both IP versions if there are
_PRIMARY_ADDRESSES = 4
_ROUNDS = 3  # servers known from the delegation, from the zone itself, from these
_APEX_CODES = ("Q3", "Q3N", "Q4", "Q4N")
_PLAIN = {"Q3": q.Q3N, "Q4": q.Q4N, "Q5": q.Q5N}
_NO_EDNS_RCODES = (1, 4)  # FORMERR, NOTIMP: how servers without EDNS say so (RFC 6891 section 7)


class ZoneSurvey:
    """The steps for one zone, and what they learn."""

    def __init__(self, walker: Walker, zone: Name) -> None:
        self._walker = walker
        self._plan = walker.plan
        self._zone = zone
        self._addresses: dict[Name, dict[Address, None]] = {}  # NS names in the order in which they count
        self._resolved: set[Name] = set()
        self._elsewhere: set[Name] = set()  # NS names inside that lead to a zone below or to an alias
        self._servers: dict[Address, Name] = {}  # everything asked Q1, with the name it was found under
        self._answering: list[Address] = []
        self._authoritative: list[Address] = []
        self._asked: set[tuple[str, Name, Address]] = set()
        self._hosting: list[tuple[Address, Name | None]] = []  # servers of the parent that serve the zone too
        self._is_signed = False
        self._contact: tuple[Key, ...] = ()  # where mail to the zone's contact goes
        self._primaries: set[Name] = set()  # MNAMEs of the SOA records
        self._types: dict[Address, frozenset[int]] = {}  # those that a server lists at the apex
        self._has_ds = False
        self._wants: set[int] = set()  # the types of records for the parent that it has
        self._wires: dict[str, bytes] = {}

    def steps(self) -> Steps[None]:
        """Everything for this zone, in the order it is asked."""
        above = yield from self._delegation()
        yield from self._ask_hosting_parent()
        for _ in range(_ROUNDS):
            yield from self._resolve_outside()
            new = self._new_servers()
            if not new:
                break
            yield from self._ask_servers(new)
            yield from self._ask_more()
        beside: list[Key] = []  # asks others than the zone's servers
        if self._plan.reverse:
            beside += [("reverse", reverse_name(address)) for address in self._servers]
        if self._plan.prefix_lookup is not None:
            beside += [("prefix", address) for address in self._servers]
        if above is not None:
            beside += [("chain", cut.zone) for cut in above.upwards()]
        yield Need(beside, wait=False)
        if not self._authoritative:
            yield from self._ask(q.Q10, self._at(self._answering))
        if self._plan.primary:
            yield from self._ask_primary()
        packs: list[Key] = [("pack", address) for address in self._authoritative]
        yield from self._ask_services(packs)
        if above is not None and self._wants:
            yield from automation.ask_parent(self._walker, self._zone, above)
        if self._is_signed and not self._has_ds and self._wants & {CDS, CDNSKEY}:
            yield from automation.ask_operators(self._zone, self._addresses)
        yield Need([*packs, *beside])

    # Parent side

    def _delegation(self) -> Steps[Cut | None]:
        """Learn the delegated NS names and their glue; the parent, None if it has no part in it."""
        walker = self._walker
        given = walker.undelegated.get(self._zone)
        if given is not None:
            for name in reading.names_in_order(given.ns_names):
                self._add(name, reading.in_order(given.glue.get(name, ())))
            return None
        if self._zone.is_root:
            for name, addresses in walker.root.glue.items():
                self._add(name, addresses)
            return None
        place = yield from walker.place(self._zone.parent())
        cut = place.cut if place else None
        for _ in range(self._plan.indirections):
            if cut is None:
                break
            referrals = yield from self._ask_parent(cut)
            own = [found for found in referrals if found.zone == self._zone]
            if own or not referrals:
                for name in reading.names_in_order(name for found in own for name in found.ns_names):
                    self._add(name, reading.in_order(a for found in own for a in found.glue.get(name, ())))
                break
            # There is a zone in between that looking at each label did not show.
            cut = walker.cut_of(referrals[0], cut)
            walker.between.setdefault(cut.zone, cut)
        return cut

    def _ask_parent(self, parent: Cut) -> Steps[list[reading.Referral]]:
        usable = partial(leads_on, self._zone, parent.zone)
        most = self._plan.parent_servers
        servers = yield from self._walker.servers(parent, names=most)
        asked = yield from self._walker.ask_some(servers, self._zone, [q.P1, q.P2], usable, most)
        replies = [of[0] for of in asked]
        self._has_ds = any(reading.has_ds(m, self._zone) for of in asked for reply in of if (m := reply.message))
        if not any(usable(reply) for reply in replies):
            replies = yield from self._ask(q.P1N, [(r.ask.address, r.ask.server_name) for r in replies])
        messages = [message for reply in replies if (message := reply.message)]
        empty = [r for r in replies if r.is_authoritative and (m := r.message) and reading.is_empty(m, self._zone)]
        yield from self._ask(q.P4, [(r.ask.address, r.ask.server_name) for r in empty])
        self._hosting = [(r.ask.address, r.ask.server_name) for r in replies if r.is_authoritative]
        return [found for m in messages if (found := reading.referral(m, self._zone, parent.zone))]

    def _ask_hosting_parent(self) -> Steps[None]:
        """A parent's server that serves the zone too answers P1 instead of referring, and may leave the glue out."""
        about: dict[bytes, Name] = {}
        asks: list[Ask] = []
        for name in self._inside():
            if self._hosting and not self._addresses[name]:
                for question in (q.P3_A, q.P3_AAAA):
                    wire = question.compose(name)
                    about[wire] = name
                    asks += [Ask(question, server, address, wire) for address, server in self._hosting]
        for wire, message in _distinct((yield from ask(asks))):
            self._learn_inside(about[wire], message)

    # Addresses

    def _add(self, name: Name, addresses: Iterable[Address] = ()) -> None:
        if name in self._addresses or len(self._addresses) < self._plan.ns_names:
            self._addresses.setdefault(name, {}).update(dict.fromkeys(addresses))

    def _inside(self) -> list[Name]:
        return [name for name in self._addresses if name.is_subdomain_of(self._zone)]

    def _resolve_outside(self) -> Steps[None]:
        """Find the addresses of the NS names that the zone's own servers do not speak for."""
        names = [
            name
            for name in self._addresses
            if name not in self._resolved and (not name.is_subdomain_of(self._zone) or name in self._elsewhere)
        ]
        self._resolved.update(names)
        for at in range(0, len(names), _HOSTS_AT_ONCE):
            some = names[at : at + _HOSTS_AT_ONCE]
            found = yield Need([("host", name) for name in some])
            for name, addresses in zip(some, found, strict=True):
                self._add(name, addresses or ())

    def _new_servers(self) -> list[Address]:
        """The addresses not asked yet, as far as the plan's bound goes."""
        new: dict[Address, Name] = {}
        for name, addresses in self._addresses.items():
            for address in addresses:
                if address not in self._servers and len(self._servers) + len(new) < self._plan.addresses:
                    new.setdefault(address, name)
        self._servers.update(new)
        return list(new)

    # The zone's own servers

    def _ask_servers(self, new: Sequence[Address]) -> Steps[None]:
        """The questions that every server gets, the plain one first: who does not answer it is left alone over UDP."""
        first = yield from self._ask(q.Q1, self._at(new))
        answering = dict.fromkeys(reply.ask.address for reply in first if reply.response is not None)
        self._answering += answering
        self._authoritative += [reply.ask.address for reply in first if reply.is_authoritative]
        known = [m for reply in first if reply.is_authoritative and (m := reply.message) is not None]
        self._primaries.update(name for m in known if (name := reading.primary(m, self._zone)) is not None)
        self._contact = self._contact or next((leads(self._zone, self._zone, SOA, m) for m in known), ())
        over_tcp = [r.ask.address for r in first if r.response is not None or not r.was_kept_back]
        asks = [
            self._compose(question, self._servers[address], address)
            for address in over_tcp
            for question in (q.Q2, q.Q3, q.Q4, q.Q5, q.Q6, q.Q7, q.Q7K, q.Q7N)
            if address in answering or question is q.Q7
        ]
        replies = yield from ask([one for one in asks if one is not None])
        again = [
            self._compose(instead, reply.ask.server_name, reply.ask.address)
            for reply in replies
            for instead in self._instead(reply)
        ]
        replies += yield from ask([one for one in again if one is not None])
        apex: list[Name] = []
        for _, message in _distinct(reply for reply in replies if reply.ask.question.code in _APEX_CODES):
            apex += reading.apex_ns(message, self._zone)
            self._is_signed = self._is_signed or reading.has_dnskey(message)
        for name in reading.names_in_order(apex):
            self._add(name)
        for reply in replies:
            if reply.ask.question is q.Q6 and reply.is_authoritative and (denial := reply.message):
                types = apex_types(denial)
                if types:
                    self._types[reply.ask.address] = types

    def _instead(self, reply: Reply) -> list[Question]:
        """What is asked after this reply: the same in another form, the parts of what failed, or the next over TCP."""
        question = reply.ask.question
        if question is q.Q2:
            self._note_cookie(reply)
            if (message := reply.message) and message.rcode == BADCOOKIE and self._server_cookie(reply.ask.address):
                return [q.Q2_AGAIN]
            return parts_of([reply]) if reply.ask.address in self._authoritative else []
        if question is q.Q4 and reply.was_truncated:
            return [q.Q4L]
        if question is q.Q7:
            return [q.Q7N] if reply.response is not None and reply.ask.address not in self._answering else []
        plain = _PLAIN.get(question.code)
        return [plain] if plain is not None and _wants_no_edns(reply) else []

    def _note_cookie(self, reply: Reply) -> None:
        """Keep the server's part of the cookie that came back (RFC 7873 section 4.2) for the compliance pack."""
        edns = reply.message.edns if reply.message is not None else None
        cookie = (edns.option(OPTION_COOKIE) if edns is not None else None) or b""
        if 16 <= len(cookie) <= 40:
            self._walker.server_cookies.setdefault(reply.ask.address, cookie[8:])

    def _server_cookie(self, address: Address) -> bytes:
        return self._walker.server_cookies.get(address, b"")

    def _ask_more(self) -> Steps[None]:
        """What not every server is asked: records of signed zones, addresses of NS names inside the zone."""
        asks: list[Ask] = []
        if self._is_signed:
            for question in AT_APEX:
                at = [a for a in self._answering if question.qtype in self._types.get(a, (question.qtype,))]
                asks += self._once(question, self._zone, at)
            for question in (q.Q8P, q.Q8N):
                asks += self._once(question, self._zone, self._answering)
            asks += self._once(q.Q8D, self._zone, _spread(self._answering[::-1], _FEW))  # the first ones are asked more
        else:
            for question in (Q8, Q8K):
                asks += self._once(question, self._zone, (self._authoritative or self._answering)[:1])
        inside = self._inside()
        few = _spread(self._answering, _FEW)
        for name in reading.names_in_order(self._between(inside))[:_BETWEEN]:
            for question in (q.Q9M, q.Q9M_NS):
                asks += self._once(question, name, few)
        if self._zone.is_root:
            for name in q.SPECIAL_USE:
                asks += self._once(q.Z6, name, few)
        hosting = _spread(self._answering, self._plan.host_servers)
        about: dict[bytes, Name] = {}
        for name in inside:
            for question in (q.Q9_A, q.Q9_AAAA):
                new = self._once(question, name, hosting)
                asks += new
                about.update((one.wire, name) for one in new)
        for wire, message in _distinct((yield from ask(asks))):
            if wire in about:
                self._learn_inside(about[wire], message)
            types = {int(record.rtype) for record in message.answer if record.owner == self._zone}
            self._wants |= types.intersection(question.qtype for question in AT_APEX)

    def _between(self, names: Iterable[Name]) -> Iterable[Name]:
        """The names between the zone and these: they exist, if only because others are below them."""
        for name in names:
            for above in name.ancestors()[1:]:
                if above == self._zone:
                    break
                yield above

    def _ask_services(self, meanwhile: Sequence[Key]) -> Steps[None]:
        """The records for mail and the web, at a few of the servers."""
        at = [(a, self._servers[a]) for a in _spread(self._authoritative or self._answering, len(self._servers))]
        if at:
            first = self._contact if self._plan.contact else ()
            # One that did not tell may have any type.
            told = [self._types.get(address, frozenset[int]()) for address, _ in at]
            types = frozenset[int]().union(*told) if all(told) else frozenset[int]()
            survey = ServiceSurvey(self._walker, self._zone, at, bool(self._authoritative), types, first, meanwhile)
            yield from survey.steps()

    def _ask_primary(self) -> Steps[None]:
        """Whether who is named as primary, and is none of the name servers, serves the zone."""
        for name in reading.names_in_order(n for n in self._primaries if not n.is_root and n not in self._addresses)[
            :2
        ]:
            found: Iterable[Address]
            if name.is_subdomain_of(self._zone):
                at = self._authoritative[:1]
                asks = [one for question in (q.Q9_A, q.Q9_AAAA) for one in self._once(question, name, at)]
                replies = yield from ask(asks)
                found = [a for r in replies if (m := r.message) for a in reading.addresses(m.answer, (name,))]
            else:
                found = yield from self._walker.host(name)
            new = [address for address in found if address not in self._servers][:_PRIMARY_ADDRESSES]
            yield from ask([Ask(q.Z3, name, address, q.Z3.compose(self._zone)) for address in new])

    def _learn_inside(self, name: Name, message: Message) -> None:
        self._add(name, reading.addresses(message.answer, (name,)))
        if reading.refers(message, name, self._zone) or reading.alias(message, name):
            self._elsewhere.add(name)

    def _at(self, addresses: Iterable[Address]) -> list[tuple[Address, Name | None]]:
        return [(address, self._servers[address]) for address in addresses]

    def _ask(self, question: Question, servers: Iterable[tuple[Address, Name | None]]) -> Steps[list[Reply]]:
        asks = (self._compose(question, name, address) for address, name in servers)
        return (yield from ask([one for one in asks if one is not None]))

    def _once(self, question: Question, qname: Name, addresses: Iterable[Address]) -> list[Ask]:
        wire = question.compose(qname)
        key = f"{question.code}{question.qtype}"
        new = [address for address in addresses if (key, qname, address) not in self._asked]
        self._asked.update((key, qname, address) for address in new)
        return [Ask(question, self._servers[address], address, wire) for address in new]

    def _compose(self, question: Question, server_name: Name | None, address: Address) -> Ask | None:
        """The question about the zone for one server; None if the name asked for would be too long."""
        if question.cookie:
            cookie = self._walker.client_cookie(address) + self._server_cookie(address)
            return Ask(question, server_name, address, question.compose(self._zone, cookie))
        wire = self._wires.get(question.code)
        if wire is None:
            qname = self._zone
            if question in (q.Q5, q.Q5N, q.Q10):
                label = b"www" if question is q.Q10 else self._walker.label(self._zone.key)
                if len(label) + 1 + len(qname.wire) > 255:
                    return None
                qname = qname.prepend(label)
            wire = self._wires[question.code] = question.compose(qname)
        return Ask(question, server_name, address, wire)


def _distinct(replies: Iterable[Reply]) -> Iterable[tuple[bytes, Message]]:
    """The messages with what was asked, equal ones once: the servers of a zone mostly say the same."""
    seen: set[tuple[bytes, bytes]] = set()
    for reply in replies:
        wire, response = reply.ask.wire, reply.response
        if response is not None and (said := (wire, response[2:])) not in seen:
            seen.add(said)
            if message := reply.message:
                yield wire, message


def _spread(addresses: Sequence[Address], most: int) -> Sequence[Address]:
    """At most so many of them, of both IP versions where there are both."""
    first: dict[int, Address] = {}
    for address in addresses:
        first.setdefault(address.version, address)
    return list(dict.fromkeys([*first.values(), *addresses]))[:most]


def _wants_no_edns(reply: Reply) -> bool:
    return bool(reply.statuses) and (reply.response is None or reply.header_rcode in _NO_EDNS_RCODES)
