"""Who gave a usable answer to a question about the zone, and why the others did not.

A server that is silent, lame or without EDNS is reported once, by the checks on delegation, transport and EDNS;
every other check says with these codes that it could not judge there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from gnomon.base import Address, Name
from gnomon.base.codes import DNSKEY, FORMERR, NOERROR, NOTIMP, NS, NXDOMAIN
from gnomon.base.once import cached_property, once
from gnomon.checks.aliases import is_below
from gnomon.checks.observed import Answer, is_answered, is_silent, is_udp
from gnomon.checks.outcome import Arg, Outcome, Shown, not_applicable, outcome, shown_by, unknown
from gnomon.evidence import Exchange
from gnomon.wire import Message

if TYPE_CHECKING:
    from gnomon.checks.view import ZoneView

UNHEARD = {
    "no-answer": "Not judged at {servers}: no usable answer (see net.udp, net.tcp, net.tc-fallback, net.loss and "
    "hdr.wellformed).",
    "not-serving": "Not judged at {servers}: no authority for {zone} there (see del.lame, del.soa-present).",
    "not-asked": "Not judged at {servers}: not asked.",
}
UNHEARD_EDNS = {**UNHEARD, "no-edns": "Not judged at {servers}: no EDNS there (see edns.support)."}
UNSIGNED = {"unsigned": "No server of {zone} has a readable DNSKEY: the zone is not signed."}

# The same question without EDNS, asked where the one with EDNS gets no proper answer.
_PLAIN = {"Q3": "Q3N", "Q4": "Q4N", "Q5": "Q5N"}
_WITH_EDNS = frozenset({"Q2", "Q3", "Q4", "Q5", "Q6", "Q7", "Q8", "Q8K", "Q8C", "Q8P", "Q8N", "Q8D"})


@dataclass(frozen=True)
class Heard:
    """The usable answers in address order; the addresses without any, by the code that says why."""

    answers: tuple[Answer, ...]
    missing: Mapping[str, tuple[Address, ...]]

    @cached_property
    def shown(self) -> Shown:
        """The exchanges of the answers."""
        return shown_by(self.answers)

    def but(self, judged: Collection[Address]) -> Heard:
        """The same without `judged` among the missing: something was found out about these after all."""
        left = {reason: tuple(a for a in of if a not in judged) for reason, of in self.missing.items()}
        return Heard(self.answers, {reason: of for reason, of in left.items() if of})

    def also(self, reason: str, addresses: Iterable[Address]) -> Heard:
        """The same with these among the missing too, for that reason."""
        missing = {**self.missing, reason: (*self.missing.get(reason, ()), *addresses)}
        return Heard(self.answers, {reason: of for reason, of in sorted(missing.items()) if of})


def hear(view: ZoneView, *asks: str, at: Sequence[Address] | None = None, edns: bool = False) -> Heard:
    """The usable answers of the servers that serve the zone; one to any of `asks` is enough to count as heard.

    A server that is lame by its SOA answer counts where it answers with authority all the same. Truncated and
    unreadable answers are not usable, nor, with `edns`, those without OPT. A refusal of EDNS is replaced by the
    answer to the same question without it.
    """
    return _hear(view, asks, None if at is None else tuple(at), edns)


@once
def _hear(view: ZoneView, asks: tuple[str, ...], among: tuple[Address, ...] | None, edns: bool) -> Heard:
    at = view.addresses if among is None else among
    answers: list[Answer] = []
    missing: dict[str, list[Address]] = {}
    usable, serving = [_usable(view, ask, edns) for ask in asks], view.serving
    all_serve = _all_serve(view) if among is None else serving.issuperset(at)
    if all_serve and any(all(map(given.__contains__, at)) for given in usable):
        # As in most zones: all of them serve it and were heard.
        found = [answer for address in at for given in usable if (answer := given.get(address)) is not None]
        return Heard(tuple(found), {})
    for address in at:
        before = len(answers)
        for given in usable:
            answer = given.get(address)
            if answer is not None and (address in serving or has_authority(answer)):
                answers.append(answer)
        if len(answers) == before:
            missing.setdefault(_reason(view, asks, address), []).append(address)
    return Heard(tuple(answers), _sorted(missing))


def unheard(view: ZoneView, heard: Heard, *asks: str) -> Iterator[Outcome]:
    """One outcome for each reason why servers could not be judged."""
    for reason, addresses in heard.missing.items():
        shown = [x for address in addresses for ask in asks for x in view.asked(ask, address)]
        shown += [x for address in addresses for x in view.service(address).exchanges]
        yield unknown(reason, shown, servers=labels(view, addresses))


def none_proper(view: ZoneView, heard: Heard, *asks: str) -> Iterator[Outcome]:
    """As `unheard`, for a check that could use none of the answers: an error instead of a denial, for example."""
    failing = tuple(dict.fromkeys(answer.address for answer in heard.answers))
    if failing:
        yield unknown("no-answer", heard.shown, servers=labels(view, failing))
    yield from unheard(view, heard, *asks)


def signed_servers(view: ZoneView) -> tuple[Address, ...]:
    """The addresses that give a readable DNSKEY with authority, in address order."""
    return view.signed_servers


def without_keys(view: ZoneView) -> Iterator[Outcome]:
    """What a check on keys or signatures says where no server has a DNSKEY: not signed, or not known."""
    heard = hear(view, "Q4")
    if any(map(says_no_keys, heard.answers)):
        yield not_applicable("unsigned", heard.shown)
        yield from unheard(view, heard, "Q4")
    else:
        yield from none_proper(view, heard, "Q4")


def says_no_keys(answer: Answer) -> bool:
    """An authoritative answer to the DNSKEY question that has none."""
    zone = answer.qname
    return has_authority(answer) and zone is not None and answer.message.rrset("answer", zone, DNSKEY) is None


def speaks_edns(view: ZoneView, address: Address) -> bool:
    """Whether any answer of the server to a question with EDNS has an OPT record."""
    return address in _speaking_edns(view)


@once
def _speaking_edns(view: ZoneView) -> frozenset[Address]:
    found = [answer for ask in ("Q3", "Q2", "Q4") for answer in view.first_answers(ask).values()]
    return frozenset([answer.address for answer in found if answer.message.edns is not None])


def lacks_edns(view: ZoneView, address: Address) -> bool:
    """Whether the server answers, but questions with EDNS only without OPT or not at all."""
    asks = ("Q2", "Q3", "Q4", "Q3N", "Q4N", "Q5N")
    return not speaks_edns(view, address) and any(view.answer(ask, address) for ask in asks)


def unjudged(view: ZoneView, judged: Collection[Address], ask: str) -> Iterator[Outcome]:
    """As `unheard`, for all servers but `judged`, where EDNS itself is in question."""
    missing: dict[str, list[Address]] = {}
    judged = frozenset(judged)
    for address in view.addresses:
        if address not in judged:
            missing.setdefault(_reason(view, ("Q1",), address), []).append(address)
    yield from unheard(view, Heard((), _sorted(missing)), ask)


def labels(view: ZoneView, addresses: Sequence[Address]) -> tuple[str, ...]:
    """`name/address` of each."""
    return tuple(map(view.server_label, addresses))


def has_authority(answer: Answer) -> bool:
    """An authoritative answer, positive or negative."""
    return answer.message.aa and answer.message.rcode in (NOERROR, NXDOMAIN)


def is_partial(answer: Answer) -> bool:
    """Not the whole of what the server has: cut off, or unreadable from some point on."""
    return answer.message.tc or answer.message.malformed is not None


def referred_to(message: Message, below: Name) -> Iterator[Name]:
    """The zones below that name to which an answer without authority refers."""
    if message.aa or message.rcode != NOERROR:
        return
    for record in message.authority:
        if record.rtype == NS and is_below(record.owner, below):
            yield record.owner


def says_only_tcp(answer: Answer) -> bool:
    """Truncated and without any record: ask over TCP, whatever was asked.

    So rate limits and filters against floods answer; what the server would have said is not known (RFC 2181
    section 9).
    """
    message = answer.message
    return message.tc and not message.answer and not message.authority


class Probed(NamedTuple):
    """What came of a question of which the form of the answer is judged.

    `dropped` are servers that answer other questions but not this one; `heard` tells of the rest.
    """

    answers: tuple[Answer, ...]
    dropped: tuple[Address, ...]
    heard: Heard

    @property
    def shown(self) -> Shown:
        """The exchanges of the answers."""
        return self.heard.shown


def probe(
    view: ZoneView, ask: str, *, alive: str, edns: bool = False, first: str = "", only_tcp: bool = False
) -> Probed:
    """The readable answers to `ask`, whatever they say; who is silent dropped it if `alive` was answered.

    Where much is lost (`losing`), silence shows nothing.

    With `edns`, servers that do not speak it are left to edns.support. Where `ask` was not asked, because the combined
    question `first` got a proper answer, that answer stands for it. Answers that only say to ask over TCP count where
    they are what is looked for (`only_tcp`).
    """
    return _probe(view, ask, alive, edns, first, only_tcp)


@once
def _probe(view: ZoneView, ask: str, alive: str, edns: bool, first: str, only_tcp: bool) -> Probed:
    zone, serving, asked_at = view.zone, view.serving, view.attempts(ask)
    speaking = _speaking_edns(view) if edns else serving
    given = view.first_answers(ask)
    if first:
        given = {**{a: x for a, x in view.first_answers(first).items() if a not in asked_at}, **given}
    if not only_tcp and any(map(says_only_tcp, given.values())):
        given = {a: answer for a, answer in given.items() if not says_only_tcp(answer)}
    found = [x for a in view.addresses if (x := given.get(a)) is not None and x.message.malformed is None]
    if len(found) == len(view.addresses) and _all_serve(view) and speaking.issuperset(view.addresses):
        # As in most zones: all of them serve it and were heard.
        heard = Heard(tuple(found), {})
        return Probed(heard.answers, (), heard)
    answers: list[Answer] = []
    dropped: list[Address] = []
    missing: dict[str, list[Address]] = {}
    for address in view.addresses:
        asked = ask if not first or address in asked_at else first
        answer = given.get(address)
        lame = answer is not None and address not in serving and answer.qname == zone
        if edns and address not in speaking and view.asked(asked, address):
            missing.setdefault("no-edns", []).append(address)
        elif answer is not None and answer.message.malformed is None and not lame:
            answers.append(answer)
        elif answer is None and is_dropped(view, asked, address) and view.answer(alive, address):
            dropped.append(address)
        else:
            missing.setdefault(_reason(view, (asked,), address), []).append(address)
    heard = Heard(tuple(answers), _sorted(missing))
    return Probed(heard.answers, tuple(dropped), heard)


def is_dropped(view: ZoneView, ask: str, address: Address) -> bool:
    """Whether a question was sent in vain to an address at which questions do not get lost by themselves."""
    return any(map(is_silent, view.asked(ask, address))) and address not in losing(view)


_LOST_SHARE = 20  # one question in so many, from which net.loss speaks


@once
def losing(view: ZoneView) -> frozenset[Address]:
    """The addresses that answered two questions over UDP or more, and one in 20 or more, only when asked again.

    That such a server does not answer one question says nothing about the question.
    """
    tried: dict[tuple[Address, str, bytes], list[Exchange]] = {}
    for x in view.exchanges if any(map(is_silent, view.exchanges)) else ():
        if is_udp(x) and x.ask[0] in "QZS":
            tried.setdefault((x.address, x.ask, x.query[12:].lower()), []).append(x)
    answered, lost = Counter[Address](), Counter[Address]()
    for (address, _, _), of in tried.items():
        if any(map(is_answered, of)):
            answered[address] += 1
            lost[address] += is_silent(of[0])
    return frozenset(a for a, count in lost.items() if count > 1 and count * _LOST_SHARE >= answered[a])


@once
def _all_serve(view: ZoneView) -> bool:
    return view.serving.issuperset(view.addresses)


@once
def _usable(view: ZoneView, ask: str, edns: bool) -> Mapping[Address, Answer]:
    if edns:
        return {a: answer for a, answer in _usable(view, ask, False).items() if answer.message.edns is not None}
    found = view.first_answers(ask)
    if ask in _WITH_EDNS:
        found = {a: answer for a, answer in found.items() if not refuses_edns(answer)}
    if plain := view.first_answers(_PLAIN.get(ask, "")):
        found = {**plain, **found}
    return {address: answer for address, answer in found.items() if not is_partial(answer)}


def refuses_edns(answer: Answer) -> bool:
    """As a server does that does not know EDNS (RFC 6891 section 7)."""
    return answer.message.rcode in (FORMERR, NOTIMP) and answer.message.edns is None


def _reason(view: ZoneView, asks: Sequence[str], address: Address) -> str:
    state = view.service(address).state
    if state == "unobserved":
        return "not-asked"
    if state not in ("ok", "silent"):
        return "not-serving"
    # Most questions are asked only where the first one was answered.
    attempts = [x for ask in asks for x in view.asked(ask, address)] or view.asked("Q1", address)
    answers = [answer for ask in asks if (answer := view.answer(ask, address)) is not None]
    if _WITH_EDNS.issuperset(asks) and lacks_edns(view, address) and not any(map(is_partial, answers)):
        return "no-edns"
    return "no-answer" if answers or any(map(is_silent, attempts)) else "not-asked"


def _sorted(missing: Mapping[str, Sequence[Address]]) -> dict[str, tuple[Address, ...]]:
    return {reason: tuple(of) for reason, of in sorted(missing.items())}


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong at one server: the outcome's code, what shows it, and the facts of its sentence."""

    code: str
    address: Address
    shown: tuple[Exchange, ...]
    facts: Mapping[str, Arg]


def finding(code: str, address: Address, *answers: Answer, **facts: Arg) -> Finding:
    """A finding that these answers show."""
    return Finding(code, address, shown_by(answers), facts)


def dropped(view: ZoneView, probed: Probed, ask: str, code: str = "dropped") -> list[Finding]:
    """A finding for each server that did not answer `ask`."""
    return [Finding(code, address, view.asked(ask, address), {}) for address in probed.dropped]


def told(view: ZoneView, findings: Sequence[Finding], good: str, shown: Collection[Exchange]) -> Iterator[Outcome]:
    """One outcome for each finding, with its server; without any the zone is `good`, if anything shows it."""
    for one in findings:
        server = view.server_label(one.address)
        yield outcome(one.code, one.shown, subject=server, server=server, **one.facts)
    if shown and not findings:
        yield outcome(good, shown)


@once
def everything_heard(view: ZoneView) -> Mapping[Address, tuple[Answer, ...]]:
    """All answers of the zone's servers, to questions about the zone and to those of the compliance pack."""
    asks = [ask for ask in view.asks if ask[0] in "QZS"]
    found: dict[Address, list[Answer]] = {address: [] for address in view.addresses}
    for answer in [answer for ask in asks for answer in view.answers(ask)]:
        if answer.address in found:
            found[answer.address].append(answer)
    return {address: tuple(of) for address, of in found.items()}
