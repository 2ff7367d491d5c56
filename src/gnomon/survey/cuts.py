"""The way down the tree: zone cuts, the servers of a zone, name server addresses, the chain of trust, the pack."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from typing import Protocol, TypeVar, cast

from gnomon.base import ROOT, Address, Name, NameServer, reverse_name
from gnomon.evidence import cut_subject, name_subject, server_subject
from gnomon.survey import plan as q
from gnomon.survey import reading
from gnomon.survey.automation_questions import H7_CDNSKEY, H7_CDS
from gnomon.survey.pack import ask_pack
from gnomon.survey.plan import Plan
from gnomon.survey.question import Question
from gnomon.survey.service_questions import H4, H5, H6, H8
from gnomon.survey.steps import Ask, Key, Need, Reply, Steps, ask

LABEL_PREFIX = b"gnomon-"
"""Every random label begins with it and goes on with 16 characters of a-z and 2-7."""

T = TypeVar("T")

_LOOKED_UP = {"reverse": q.A1, "text": H5, "tlsa": H4, "caa": H6, "mx": H8}


class GivenDelegation(Protocol):
    """A delegation given by the user instead of the parent's."""

    @property
    def ns_names(self) -> Sequence[Name]: ...
    @property
    def glue(self) -> Mapping[Name, Sequence[Address]]: ...


@dataclass(frozen=True, slots=True)
class Cut:
    """A zone as found from above: its NS names, their addresses as far as the referral had them, the zone above."""

    zone: Name
    ns_names: tuple[Name, ...]
    glue: Mapping[Name, tuple[Address, ...]]
    above: Cut | None = field(repr=False)

    def upwards(self) -> Iterable[Cut]:
        """The cut itself, then each one above it; ends with the root."""
        cut: Cut | None = self
        while cut is not None:
            yield cut
            cut = cut.above


@dataclass(frozen=True, slots=True)
class Place:
    """The closest zone at or above a name; `nothing_below` if that zone denied that the name exists (RFC 8020)."""

    cut: Cut
    nothing_below: bool = False


class Walker:
    """Makes the shared tasks and holds what all tasks of a run have in common.

    Args:
        run_id: seeds every choice, so that the same run asks the same servers and the same random names.
        zones: those surveyed; the keys and DS of the zones above them are asked for.
        silent: how many questions in a row each address did not answer.
    """

    def __init__(
        self,
        plan: Plan,
        run_id: str,
        hints: Sequence[NameServer],
        *,
        zones: Iterable[Name],
        undelegated: Mapping[Name, GivenDelegation],
        silent: Mapping[Address, int],
    ) -> None:
        self.plan = plan
        # With a DS alone the delegation is found as usual.
        self.undelegated = {zone: given for zone, given in undelegated.items() if given.ns_names}
        self.server_cookies: dict[Address, bytes] = {}  # as far as Q2 brought any
        self.between: dict[Name, Cut] = {}  # zones that only a referral to a name below them showed
        self._seed = run_id.encode()[:64]
        self._ancestors = {above for zone in zones if zone not in self.undelegated for above in zone.ancestors()[1:]}
        self._silent = silent
        addresses: dict[Name, list[Address]] = {}
        for hint in hints:
            addresses.setdefault(hint.name, []).append(hint.address)
        glue = {name: reading.in_order(of) for name, of in addresses.items()}
        self.root = Cut(ROOT, reading.names_in_order(glue), glue, None)

    def make(self, key: Key, zone: Name) -> tuple[str, Steps[object]]:
        """The subject and the steps of a shared task that is first needed for `zone`."""
        kind, about = key
        if isinstance(about, Name):
            if kind == "cut":
                return cut_subject(about), self._find_cut(about)
            if kind == "chain":
                return cut_subject(about), self._ask_chain(about)
            if kind == "host":
                return name_subject(about), self._find_host(about)
            if kind == "signal":
                return name_subject(about), self._find_signal(about)
            return name_subject(about), self._look_up(about, _LOOKED_UP[kind])
        if kind == "prefix":
            assert self.plan.prefix_lookup is not None
            return server_subject(about), self._look_up(prefix_name(about, self.plan.prefix_lookup), q.R1)
        fresh = self.plan.probe_domain.prepend(self.label(about.packed))
        cookie = self.client_cookie(about) + self.server_cookies.get(about, b"")
        return server_subject(about), ask_pack(self.plan, about, zone, fresh, cookie)

    # Choices that look random and are the same for the same run

    def digest(self, *parts: bytes) -> bytes:
        """10 octets that depend on the run and on `parts`."""
        return blake2b(b"\0".join(parts), key=self._seed, digest_size=10).digest()

    def client_cookie(self, address: Address) -> bytes:
        """8 octets of its own for each server address (RFC 7873 section 4.1)."""
        return self.digest(b"cookie", address.packed)[:8]

    def label(self, *parts: bytes) -> bytes:
        """A label that nobody has: the prefix and 16 characters (80 bits)."""
        number = int.from_bytes(self.digest(b"label", *parts), "big")
        return LABEL_PREFIX + bytes(b"abcdefghijklmnopqrstuvwxyz234567"[number >> s & 31] for s in range(0, 80, 5))

    def shuffled(self, servers: Iterable[NameServer], name: Name) -> list[NameServer]:
        """The servers in the order in which they are tried for `name`: those known to be silent at the end."""
        found = {(self._silent.get(s.address, 0) > 2, self.digest(name.key, s.address.packed)): s for s in servers}
        return [found[key] for key in sorted(found)]

    def is_silent(self, server: NameServer) -> bool:
        """It did not answer the last three questions."""
        return self._silent.get(server.address, 0) > 2

    # Asking the servers of a zone

    def servers(self, cut: Cut, names: int = 1) -> Steps[list[NameServer]]:
        """Servers of a zone: all glue; where fewer than `names` names have any that answers, a few are looked up."""
        found = [NameServer(name, address) for name in cut.ns_names for address in cut.glue.get(name, ())]
        usable = {s.name for s in found if not self.is_silent(s)}
        if len(usable) >= names:
            return found
        without = sorted((n for n in cut.ns_names if n not in cut.glue), key=lambda n: self.digest(n.key))
        for name in without[: self.plan.tries]:
            addresses = yield from self.host(name)
            found += [NameServer(name, address) for address in addresses]
            usable |= {name} if addresses else set()
            if len(usable) >= names:
                break
        return found

    def ask_one(
        self, cut: Cut, name: Name, questions: Sequence[Question], usable: Callable[[Reply], bool]
    ) -> Steps[list[Reply]]:
        """Ask the servers of a zone one after the other until all replies are usable; the last replies.

        Where none is known to answer, one of them gets the first question only: a dead zone must cost little,
        however many names point into it.
        """
        replies: list[Reply] = []
        order = self.shuffled((yield from self.servers(cut)), name)
        tried = _different([server for server in order if not self.is_silent(server)], self.plan.tries)
        if not tried:
            tried, questions = order[:1], questions[:1]
        wires = [(question, question.compose(name)) for question in questions]
        for server in tried:
            replies = yield from ask([Ask(one, server.name, server.address, wire) for one, wire in wires], cut.zone)
            if all(usable(reply) for reply in replies):
                break
        return replies

    def ask_some(
        self,
        servers: Sequence[NameServer],
        name: Name,
        questions: Sequence[Question],
        usable: Callable[[Reply], bool],
        most: int = 2,
    ) -> Steps[list[list[Reply]]]:
        """Ask so many servers, of different names and IP versions if possible; up to twice as many until so many are
        usable.

        Returns the replies of each server asked; the one to the first question decides.
        """
        left = self.shuffled(servers, name)
        wires = [(question, question.compose(name)) for question in questions]
        asked: list[list[Reply]] = []
        good: list[NameServer] = []
        while left and len(asked) < 2 * most and len(good) < most:
            new = _different(left, most - len(good), good)
            left = [server for server in left if server not in new]
            replies = yield from ask([Ask(one, s.name, s.address, wire) for s in new for one, wire in wires])
            for index, server in enumerate(new):
                asked.append(replies[index * len(wires) : (index + 1) * len(wires)])
                if usable(asked[-1][0]):
                    good.append(server)
        return asked

    # Shared tasks, seen from those that need them

    def place(self, name: Name) -> Steps[Place | None]:
        """The closest zone at or above `name`, looking at each label; None if even the way there is not known."""
        return (yield from _need("cut", name, Place))

    def host(self, name: Name) -> Steps[tuple[Address, ...]]:
        """The addresses of a name server; none if they cannot be found."""
        return (yield from _need("host", name, tuple)) or ()

    def closest(self, name: Name) -> Steps[Cut | None]:
        """The closest zone above a host, as far as looking makes sense.

        Stops at the first label that is no zone: the last step is the question itself, which follows referrals.
        """
        cut: Cut | None = None
        for ancestor in reversed(name.parent().ancestors()):
            place = yield from self.place(ancestor)
            if place is None:
                return None
            cut = place.cut
            if cut.zone != ancestor or place.nothing_below:
                break
        return cut

    # The shared tasks

    def _find_cut(self, name: Name) -> Steps[Place | None]:
        place = yield from self._look_for_cut(name)
        if place is not None and place.cut.zone == name and name in self._ancestors:
            yield Need([("chain", name)], wait=False)
        return place

    def _look_for_cut(self, name: Name) -> Steps[Place | None]:
        if name.is_root:
            return Place(self.root)
        above = yield from self.place(name.parent())
        if above is None:
            return None
        if name in self.undelegated:
            given = self.undelegated[name]
            glue = {host: reading.in_order(of) for host, of in given.glue.items() if of}
            return Place(Cut(name, reading.names_in_order(given.ns_names), glue, above.cut))
        if above.nothing_below or len(name.labels) > self.plan.cuts:
            return above
        cut = above.cut
        for _ in range(self.plan.indirections):
            replies = yield from self.ask_one(cut, name, [q.C0], partial(leads_on, name, cut.zone))
            message = replies[0].message if replies else None
            found = reading.referral(message, name, cut.zone) if message else None
            if message is None or found is None:
                return Place(cut, message is not None and reading.is_nxdomain(message))
            cut = self.cut_of(found, cut)
            if cut.zone == name:
                break
        return Place(cut)

    def cut_of(self, found: reading.Referral, above: Cut) -> Cut:
        """The cut that a referral shows, with no more names than are ever asked."""
        names = found.ns_names[: self.plan.ns_names]
        return Cut(found.zone, names, {name: found.glue[name] for name in names if name in found.glue}, above)

    def _ask_chain(self, name: Name) -> Steps[None]:
        place = yield from self.place(name)
        cut = place.cut if place is not None and place.cut.zone == name else self.between.get(name)
        if cut is None:
            return
        most = self.plan.parent_servers
        servers = yield from self.servers(cut, names=most)
        yield from self.ask_some(servers, name, [q.C2], is_final)
        if most > 2:
            yield from self.ask_some(servers, name, [q.C4], is_final, most)
        above = cut.above
        if above is not None and name not in self.undelegated:
            servers = yield from self.servers(above, names=most)
            yield from self.ask_some(servers, name, [q.C1], is_final)
            if most > 2:
                yield from self.ask_some(servers, name, [q.C3], is_final, most)

    def _find_host(self, name: Name) -> Steps[tuple[Address, ...]]:
        found: set[Address] = set()
        target = name
        cut = yield from self.closest(target)
        aliases_left = self.plan.aliases
        for _ in range(self.plan.aliases + self.plan.indirections):
            if cut is None:
                break
            replies = yield from self.ask_one(cut, target, [q.H1, q.H2], partial(leads_on, target, cut.zone))
            messages = [message for reply in replies if (message := reply.message)]
            for message in messages:
                found.update(reading.addresses(message.answer, (target,)))
            aliases = [alias for message in messages if (alias := reading.alias(message, target))]
            lower = [down for message in messages if (down := reading.referral(message, target, cut.zone))]
            if found:
                break
            if aliases and aliases_left:
                aliases_left -= 1
                target = aliases[0]
                cut = yield from self.closest(target)
            elif lower and not aliases:
                cut = self.cut_of(lower[0], cut)
            else:
                break
        return reading.in_order(found)

    def _look_up(self, name: Name, question: Question) -> Steps[tuple[bytes, ...]]:
        """The record data that a name has of one type, aliases and referrals followed."""
        target = name
        # The zones above a surveyed one are known already.
        place = (yield from self.place(name)) if question is H6 else None
        cut = place.cut if place is not None else (yield from self.closest(target))
        for _ in range(self.plan.indirections):
            if cut is None:
                break
            replies = yield from self.ask_one(cut, target, [question], partial(leads_on, target, cut.zone))
            message = replies[0].message if replies else None
            if message is None:
                break
            target = reading.end_of_aliases(message, previous := target)
            found = tuple(r.rdata for r in message.answer if r.rtype == question.qtype and r.owner == target)
            lower = reading.referral(message, target, cut.zone)
            if found:
                return found
            if target != previous:
                cut = yield from self.closest(target)
            elif lower is not None:
                cut = self.cut_of(lower, cut)
            else:
                break
        return ()

    def _find_signal(self, name: Name) -> Steps[None]:
        """What the operator of a name server says of a zone, and what is needed to validate it."""
        cut = yield from self.closest(name)
        for _ in range(self.plan.indirections):
            if cut is None:
                return
            replies = yield from self.ask_one(cut, name, [H7_CDS, H7_CDNSKEY], partial(leads_on, name, cut.zone))
            messages = [message for reply in replies if (message := reply.message)]
            lower = [down for message in messages if (down := reading.referral(message, name, cut.zone))]
            if not lower:
                break
            cut = self.cut_of(lower[0], cut)
            self.between.setdefault(cut.zone, cut)
        if cut is not None:
            yield Need([("chain", above.zone) for above in cut.upwards()])


def prefix_name(address: Address, zone: Name) -> Name:
    """The name that a prefix look-up service in DNS has for an address (as Team Cymru's: origin.<zone>, origin6.)."""
    labels = reverse_name(address).labels[:-2]
    for label in reversed((*labels, b"origin" if address.version == 4 else b"origin6")):
        zone = zone.prepend(label)
    return zone


def leads_on(name: Name, above: Name, reply: Reply) -> bool:
    """The reply of a server of the zone `above` settles the question about `name` or refers further down."""
    message = reply.message
    if message is None:
        return False
    return reading.is_final(message) or reading.refers(message, name, above)


def is_final(reply: Reply) -> bool:
    """The reply settles the question."""
    return reply.message is not None and reading.is_final(reply.message)


def _need(kind: str, name: Name, _: type[T]) -> Steps[T | None]:
    (result,) = yield Need([(kind, name)])
    return cast("T | None", result)


def _different(servers: Iterable[NameServer], count: int, chosen: Sequence[NameServer] = ()) -> list[NameServer]:
    """The first `count` servers, preferring names and then IP versions that those before them do not have."""
    left, taken = list(servers), list(chosen)
    while left and len(taken) < len(chosen) + count:
        names = {server.name for server in taken}
        versions = {server.address.version for server in taken}
        taken.append(min(left, key=lambda server: (server.name in names, server.address.version in versions)))
        left.remove(taken[-1])
    return taken[len(chosen) :]
