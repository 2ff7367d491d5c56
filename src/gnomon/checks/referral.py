"""Delegation: the size and the glue of the parent's referral."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.base import Name
from gnomon.checks.outcome import Outcome, not_applicable, outcome
from gnomon.checks.registry import IOP, REL, check
from gnomon.checks.view import ZoneView

_HEADER_OCTETS, _QUESTION_OCTETS = 12, 255 + 4
_RECORD_OCTETS, _POINTER_OCTETS = 10, 2
_PLAIN_LIMIT_OCTETS = 512


@check(
    "del.referral-fits-512",
    properties=(IOP,),
    asked=("P1",),
    codes={
        "fits": "A referral to {zone} takes at most {octets} octets.",
        "too-large": "A referral to {zone} can take {octets} octets, more than the 512 of plain DNS over UDP.",
        "no-delegation": "{zone} has no delegation.",
    },
)
def referral_fits_512(view: ZoneView) -> Iterator[Outcome]:
    """The referral fits into 512 octets, whatever name is asked.

    Why: without EDNS an answer over UDP has 512 octets; a referral that does not fit needs TCP or loses its glue.
    Rule: warning if the largest possible referral does not fit: a question of 255 octets, all NS records with names
        compressed, and one A and one AAAA of glue if every name server is inside the parent's domain.
    Source: IANA name server requirements; RFC 1035 section 4.2.1.
    Do: use fewer name servers, or names that share their ending.
    """
    delegation = view.delegation()
    if delegation is None or not delegation.ns_names:
        yield not_applicable("no-delegation", view.asked("P1"))
        return
    octets = referral_octets(view.zone, delegation.ns_names)
    code = "too-large" if octets > _PLAIN_LIMIT_OCTETS else "fits"
    yield outcome(code, delegation.exchanges, octets=octets)


def referral_octets(zone: Name, ns_names: tuple[Name, ...]) -> int:
    """The octets of the largest referral to `zone`, names compressed (RFC 1035 section 4.1.4)."""
    written = {ancestor.key for ancestor in zone.ancestors()}
    octets = _HEADER_OCTETS + _QUESTION_OCTETS
    for name in ns_names:
        octets += _POINTER_OCTETS + _RECORD_OCTETS + _compressed(name, written)
    if all(name.is_subdomain_of(zone.parent()) for name in ns_names):
        octets += 2 * (_POINTER_OCTETS + _RECORD_OCTETS) + 4 + 16
    return octets


def _compressed(name: Name, written: set[bytes]) -> int:
    octets = 0
    for ancestor in name.ancestors():
        if ancestor.is_root:
            return octets + 1
        if ancestor.key in written:
            return octets + _POINTER_OCTETS
        written.add(ancestor.key)
        octets += ancestor.wire[0] + 1
    return octets


@check(
    "del.referral-glue-complete",
    properties=(REL, IOP),
    asked=("P1",),
    codes={
        "complete": "Every referral to {zone} carries the addresses of the name servers inside it.",
        "in-domain-missing": "The referral from {parent} has no glue for {names}, which cannot be found without.",
        "sibling-missing": "The referral from {parent} has no glue for {names} in the parent's domain.",
        "none-needed": "No name server of {zone} is inside it, so its referral needs no glue.",
        "no-referral": "No server of the parent gave a referral to {zone}.",
    },
)
def referral_glue_complete(view: ZoneView) -> Iterator[Outcome]:
    """The referral carries the addresses of the name servers inside the zone.

    Why: a server whose name is inside the zone it serves can only be found through glue.
    Rule: error if an NS name inside the zone has no glue in a referral that is not truncated; notice if one that is
        below the parent but outside the zone has none.
    Source: RFC 9471 section 3; RFC 1034 section 4.2.1.
    Do: register the host's addresses at the parent.
    """
    referrals = [a for a in view.parent_answers() if a.says == "referral"]
    inside = [name for name in view.parent_ns() if name.is_subdomain_of(view.zone)]
    faults = 0
    for referral in referrals:
        message, parent = referral.answer.message, str(referral.answer.address)
        bare = [name for name in referral.ns_names if name not in referral.glue]
        own = [name for name in bare if name.is_subdomain_of(view.zone)]
        sibling = [n for n in bare if n not in own and n.is_subdomain_of(view.zone.parent()) and not view.is_tld]
        for code, names in (("in-domain-missing", own), ("sibling-missing", sibling)):
            if names and not message.tc:
                faults += 1
                texts = tuple(map(str, names))
                yield outcome(code, referral.answer.exchange, subject=parent, parent=parent, names=texts)
    shown = [a.answer.exchange for a in referrals]
    if not referrals:
        yield not_applicable("no-referral", view.asked("P1"))
    elif not faults:
        yield outcome("complete" if inside else "none-needed", shown)
