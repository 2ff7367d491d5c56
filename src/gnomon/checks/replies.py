"""Who gave a usable answer to a question about the zone, and why the others did not.

A server that is silent or lame is reported once, by the checks on delegation and transport; every other check
says with these codes that it could not judge there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gnomon.base import Address
from gnomon.checks.observed import Answer, is_silent
from gnomon.checks.outcome import Outcome, not_applicable, unknown

if TYPE_CHECKING:
    from gnomon.checks.view import ZoneView

UNHEARD = {
    "no-answer": "Not judged at {servers}: no usable answer (see net.udp and net.tcp).",
    "not-serving": "Not judged at {servers}: no authority for {zone} there (see del.lame).",
    "not-asked": "Not judged at {servers}: not asked.",
}
UNSIGNED = {"unsigned": "No server of {zone} has a readable DNSKEY: the zone is not signed."}


@dataclass(frozen=True, slots=True)
class Heard:
    """The usable answers in address order; the addresses without one, by the code that says why."""

    answers: tuple[Answer, ...]
    missing: Mapping[str, tuple[Address, ...]]

    def but(self, judged: Collection[Address]) -> Heard:
        """The same without `judged` among the missing: something was found out about these after all."""
        left = {reason: tuple(a for a in of if a not in judged) for reason, of in self.missing.items()}
        return Heard(self.answers, {reason: of for reason, of in left.items() if of})


def hear(view: ZoneView, ask: str, addresses: tuple[Address, ...] | None = None) -> Heard:
    """The answers to `ask` of the servers that serve the zone; truncated and unreadable ones are not usable."""
    answers: list[Answer] = []
    missing: dict[str, list[Address]] = {}
    for address in view.addresses if addresses is None else addresses:
        answer = view.answer(ask, address)
        if answer is not None and view.service(address).state == "ok" and not _is_partial(answer):
            answers.append(answer)
        else:
            missing.setdefault(_reason(view, ask, address), []).append(address)
    return Heard(tuple(answers), {reason: tuple(of) for reason, of in sorted(missing.items())})


def unheard(view: ZoneView, heard: Heard, *asks: str) -> Iterator[Outcome]:
    """One outcome for each reason why servers could not be judged."""
    for reason, addresses in heard.missing.items():
        shown = [x for address in addresses for ask in asks for x in view.asked(ask, address)]
        shown += [x for address in addresses for x in view.service(address).exchanges]
        yield unknown(reason, shown, servers=labels(view, addresses))


def signed_servers(view: ZoneView) -> tuple[Address, ...]:
    """The addresses that give a readable DNSKEY with authority, in address order."""
    return tuple(address for address, keys in view.dnskeys().items() if keys)


def without_keys(view: ZoneView) -> Iterator[Outcome]:
    """What a check on keys or signatures says where no server has a DNSKEY: not signed, or not known."""
    heard = hear(view, "Q4")
    if heard.answers:
        yield not_applicable("unsigned", [a.exchange for a in heard.answers])
    yield from unheard(view, heard, "Q4")


def labels(view: ZoneView, addresses: tuple[Address, ...] | list[Address]) -> tuple[str, ...]:
    """`name/address` of each."""
    return tuple(view.server_label(address) for address in addresses)


def _is_partial(answer: Answer) -> bool:
    return answer.message.tc or answer.message.malformed is not None


def _reason(view: ZoneView, ask: str, address: Address) -> str:
    state = view.service(address).state
    if state == "unobserved":
        return "not-asked"
    if state not in ("ok", "silent"):
        return "not-serving"
    attempts = view.asked(ask, address)
    silent = state == "silent" or any(is_silent(x) for x in attempts) or view.answer(ask, address) is not None
    return "no-answer" if silent else "not-asked"


@dataclass(frozen=True, slots=True)
class Probed:
    """What came of a question of which the answer's form is judged, at each server that is alive.

    `dropped` are servers that answer other questions but not this one; `heard` tells of the rest.
    """

    answers: tuple[Answer, ...]
    dropped: tuple[Address, ...]
    heard: Heard


def probe(view: ZoneView, ask: str, *, alive: str) -> Probed:
    """The answers to `ask`, whatever they say; a silent server dropped it if it answered `alive` (some question)."""
    answers: list[Answer] = []
    dropped: list[Address] = []
    missing: dict[str, list[Address]] = {}
    for address in view.addresses:
        answer = view.answer(ask, address)
        if answer is not None:
            answers.append(answer)
        elif any(is_silent(x) for x in view.asked(ask, address)) and view.answer(alive, address) is not None:
            dropped.append(address)
        else:
            missing.setdefault(_reason(view, ask, address), []).append(address)
    heard = Heard(tuple(answers), {reason: tuple(of) for reason, of in sorted(missing.items())})
    return Probed(tuple(answers), tuple(dropped), heard)
