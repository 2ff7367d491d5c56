"""Judging every key or every signed record set alike: a function says what is wrong with one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gnomon.base.codes import CDNSKEY, CDS, DNSKEY, NSEC, NSEC3, SOA
from gnomon.base.once import once
from gnomon.checks.inventory import SignedAnswer
from gnomon.checks.outcome import Outcome, Shown, not_applicable, outcome, unknown
from gnomon.checks.replies import hear, labels, signed_servers, unheard, without_keys
from gnomon.checks.signed import Key
from gnomon.checks.validation import ExaminedRRset, label_of

if TYPE_CHECKING:
    from gnomon.checks.view import ZoneView

Flaw = tuple[str, dict[str, Any]]
"""An outcome code and the facts of its sentence."""


NONE_SEEN = {"none-seen": "No server of {zone} gave a signed answer."}


@dataclass(frozen=True, slots=True)
class Held:
    """A record set with its examined signatures, and the answers that have exactly this."""

    examined: ExaminedRRset
    answers: tuple[SignedAnswer, ...]

    @property
    def label(self) -> str:
        """Type and owner, for sentences."""
        return f"{self.examined.rrset.rtype} {str(self.examined.rrset.owner).lower()}"


@once
def held(view: ZoneView) -> tuple[Held, ...]:
    """Every record set that the zone's servers gave and that must be signed, equal ones once, as they were asked."""
    found: dict[int, tuple[ExaminedRRset, list[SignedAnswer]]] = {}
    for answer in view.chain().inventory.values():
        for examined in answer.rrsets:
            found.setdefault(id(examined), (examined, []))[1].append(answer)
    return tuple(Held(examined, tuple(answers)) for examined, answers in found.values())


@once
def exchanges_of_held(view: ZoneView) -> Shown:
    """The exchanges that gave these record sets, each once."""
    exchanges = [answer.answer.exchange for one in held(view) for answer in one.answers]
    return Shown({id(x): x for x in exchanges}.values())


def has_own_check(view: ZoneView, one: Held) -> bool:
    """Whether sig.dnskey, sig.soa, denial.signed or auto.cds-signed says if the record set is signed validly."""
    rrset = one.examined.rrset
    if rrset.rtype == SOA and rrset.owner == view.zone:
        return any(answer.ask == "Q2" for answer in one.answers)
    return rrset.rtype in (NSEC, NSEC3, DNSKEY, CDS, CDNSKEY)


def judge_each_rrset(
    view: ZoneView, flaws: Callable[[Held], Iterable[Flaw]], good: str, *, elsewhere: Iterable[str] = ()
) -> Iterator[Outcome]:
    """One outcome for each flaw with the record sets and servers that have it; `good` where there is none.

    Each sentence may use {servers}, {rrsets} and the facts of the first record set. The codes in `elsewhere` are
    another check's findings.
    """
    if not signed_servers(view):
        yield from without_keys(view)
        return
    found: dict[str, list[tuple[Held, dict[str, Any]]]] = {}
    everything = held(view)
    for one in everything:
        for code, facts in flaws(one):
            found.setdefault(code, []).append((one, facts))
    for code, of in sorted(found.items()):
        answers = [answer for one, _ in of for answer in one.answers]
        servers = labels(view, list(dict.fromkeys(answer.answer.address for answer in answers)))
        rrsets = tuple(dict.fromkeys(one.label for one, _ in of))
        state = unknown if code in elsewhere else outcome
        yield state(code, [a.answer.exchange for a in answers], servers=servers, rrsets=rrsets, **of[0][1])
    if everything and not found:
        yield outcome(good, exchanges_of_held(view))
    elif not everything:
        yield unknown("none-seen")
    yield from unheard(view, hear(view, "Q4", edns=True), "Q4")


def judge_each_key(
    view: ZoneView, flaws: Callable[[Key], Iterable[Flaw]], good: str, *, only: Callable[[Key], bool], none: str
) -> Iterator[Outcome]:
    """One outcome for each flaw of each key that `only` chooses; `good` where there is none, `none` without a key."""
    if not signed_servers(view):
        yield from without_keys(view)
        return
    heard = hear(view, "Q4")
    shown, clean = heard.shown, True
    published = view.keys()
    chosen = [key for key in published if only(key)]
    for key in chosen:
        for code, facts in flaws(key):
            clean, text = False, label_of(key)
            yield outcome(code, shown, subject=f"key {text}", key=text, **facts)
    if not chosen:
        yield not_applicable(none, shown)
    elif clean:
        yield outcome(good, shown, keys=tuple(map(label_of, chosen)))
    yield from unheard(view, heard, "Q4")
