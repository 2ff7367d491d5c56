"""Delegation: the NS names and the domains they lie in, for who holds these can answer for the zone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from gnomon.base import Name, printable_bytes
from gnomon.checks.outcome import Outcome, not_applicable, outcome
from gnomon.checks.registry import IOP, REL, SEC, STA, check
from gnomon.checks.unjudged import unjudged
from gnomon.checks.view import ZoneView
from gnomon.sources.operators import operator_key

# RFC 6761, RFC 6762, RFC 7686, RFC 9476 and RFC 2606: names that lead nowhere in the DNS, or into one's own network.
_SPECIAL = frozenset({b"localhost", b"invalid", b"test", b"example", b"local", b"onion", b"alt", b"internal"})


@check(
    "del.ns-name-sane",
    properties=(IOP,),
    asked=("P1", "Q3"),
    codes={
        "sane": "{count:The only NS name|All # NS names} of {zone} {count:is the name of a host|are names of hosts} "
        "that others can look up.",
        "single-label": "The NS name {name} has a single label: a name was probably meant to be below {zone}.",
        "address": "The NS name {name} is an address written as a name.",
        "special-use": "The NS name {name} lies under {top}, which leads nowhere for others.",
        "no-names": "{zone} has no NS names.",
    },
)
def ns_name_sane(view: ZoneView) -> Iterator[Outcome]:
    """NS names are names that the rest of the world can look up.

    Why: a typing mistake in an NS record is a server that nobody finds, and sometimes one that a stranger can set up.
    Rule: error if an NS name is a single label (but in the root), an IPv4 address in place of a name, or lies under a
        special-use top-level domain in which the zone itself does not lie. Names inside the zone that do not exist are
        del.ns-resolvable's.
    Source: RFC 6761; RFC 1912 section 2.4; RFC 1035 section 5.1.
    Do: write the whole name with its final dot; NS records hold names, addresses go into A and AAAA records.
    """
    faults = 0
    for name in view.ns_names:
        labels = name.labels
        top = labels[-1].lower() if labels else b""
        own = view.zone.labels[-1:]
        if len(labels) == 1 and not view.is_root:
            code = "single-label"
        elif len(labels) >= 4 and all(label.isdigit() and int(label) < 256 for label in labels[:4]):
            code = "address"
        elif top in _SPECIAL and not (own and own[0].lower() == top):
            code = "special-use"
        else:
            continue
        faults += 1
        yield outcome(
            code, view.asked("P1"), view.asked("Q3"), subject=str(name), name=str(name), top=printable_bytes(top)
        )
    if not view.ns_names:
        yield not_applicable("no-names", view.asked("P1"))
    elif not faults:
        yield outcome("sane", view.asked("P1"), view.asked("Q3"), count=len(view.ns_names))


@check(
    "del.ns-name-typo",
    properties=(SEC,),
    asked=("P1", "Q3"),
    version=2,
    codes={
        "none": "No NS name of {zone} looks like a misspelling of the others.",
        "lookalike": "The domain of the NS name {name} differs by one letter from {domain}, where {count} "
        "{count:other lies|others lie}.",
        "no-names": "{zone} has no NS names.",
    },
)
def ns_name_typo(view: ZoneView) -> Iterator[Outcome]:
    """No NS name is a misspelling of its siblings' domain.

    Why: the misspelled domain can belong to somebody who registered it for that purpose, and then a share of all
        questions goes there.
    Rule: warning if the domain of one NS name (the name without its first label) differs from the one in which at least
        two others lie by one letter added, lost, changed or swapped, below the same top-level domain. Numbered domains
        are no misspellings, nor are names in one registrable domain, such as of its sites. Who holds the domain takes
        registration data and is not judged.
    Source: practice; Vissers 2017 ("The Wolf of Name Street").
    Do: compare the NS records with what was meant, at the registry and in the zone; correct it at once.
    """
    domains = Counter(name.parent().key for name in view.ns_names)
    common = [Name(key) for key, count in domains.items() if count > 1]
    faults = 0
    for name in view.ns_names:
        alike = [
            domain for domain in common if domains[name.parent().key] == 1 and _is_lookalike(name.parent(), domain)
        ]
        for domain in alike[:1]:
            faults += 1
            facts = {"name": str(name), "domain": str(domain)}
            shown = (*view.asked("P1"), *view.asked("Q3"))
            yield outcome("lookalike", shown, subject=str(name), count=domains[domain.key], **facts)
    if not view.ns_names:
        yield not_applicable("no-names", view.asked("P1"))
    elif not faults:
        yield outcome("none", view.asked("P1"), view.asked("Q3"))


def _is_lookalike(one: Name, other: Name) -> bool:
    a, b = str(one).lower(), str(other).lower()
    if one.labels[-1:] != other.labels[-1:] or len(one.labels) != len(other.labels) or one.is_root:
        return False
    without_digits = ["".join(c for c in text if not c.isdigit()) for text in (a, b)]
    return without_digits[0] != without_digits[1] and _is_one_edit(a, b) and operator_key(one) != operator_key(other)


def _is_one_edit(a: str, b: str) -> bool:
    """Whether one insertion, deletion, substitution or swap of neighbours makes `a` into `b` (Damerau 1964)."""
    if len(a) > len(b):
        a, b = b, a
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    if len(a) != len(b):
        return len(b) - len(a) == 1 and a[start:] == b[start + 1 :]
    swapped = a[start : start + 2] == b[start : start + 2][::-1] and a[start + 2 :] == b[start + 2 :]
    return a != b and (a[start + 1 :] == b[start + 1 :] or swapped)


@unjudged("del.ns-name-unregistered", properties=(SEC,), needs="registration-data")
def ns_name_unregistered() -> None:
    """The domain of every NS name is registered.

    Why: whoever registers the free domain of an NS name answers for the zone from then on.
    Rule: critical if the registrable domain of an NS name can be registered by anybody; error if it is about to be
        deleted. That a name does not exist in the DNS is del.ns-resolvable's.
    Source: Akiwate 2020 ("Unresolved Issues"); Liu 2016 (dangling records); Kalafut 2010.
    Do: take the name out of the NS records at once, on both sides; never register such a domain to prove it.
    """


@unjudged("del.ns-name-expiring", properties=(SEC, REL), needs="registration-data")
def ns_name_expiring() -> None:
    """The registration of no NS name's domain runs out soon.

    Why: when it lapses the server's name is lost, and with it the zone to whoever registers the domain next.
    Rule: warning if the registration ends within 30 days, error within 7 days, without a sign that it is renewed.
    Source: none; a proposal of this project.
    Do: renew the domain, for several years and automatically.
    """


@unjudged("del.ns-name-sacrificial", properties=(SEC,), needs="reference-list")
def ns_name_sacrificial() -> None:
    """No NS name is one that a registrar made up to get rid of a host object.

    Why: some registrars rename the hosts of a deleted domain into other domains, some of which nobody has registered.
    Rule: critical if an NS name fits a known pattern of such renaming and its domain can be registered; error if it
        fits and cannot.
    Source: Akiwate 2021 ("Risky BIZness").
    Do: replace the name by one of a server that serves the zone.
    """


@unjudged("del.provider-claimable", properties=(SEC,), needs="reference-list")
def provider_claimable() -> None:
    """The zone is not delegated to a provider at which anybody could set it up.

    Why: where a provider's servers refuse the zone, and any customer may create it there, a stranger can take it over.
    Rule: error (critical for critical zones) if all addresses of a provider refuse the zone and the provider lets any
        customer create it. That they refuse is del.lame's.
    Source: Infoblox and Eclypsium 2024 ("Sitting Ducks").
    Do: set the zone up at the provider, or take the provider's names out of the delegation.
    """


@unjudged("del.orphan-glue", properties=(SEC, STA), needs="parent-zone-file")
def orphan_glue() -> None:
    """The parent has no address records of hosts in domains that are not delegated.

    Why: such records outlive their domain, keep other delegations alive unseen, and are used by malicious zones.
    Rule: notice for each address record below a name without delegation; warning if another delegation uses it; error
        if the host's domain can be registered.
    Source: SSAC SAC048; Kalafut 2010; Sommese 2021.
    Do: have the registry remove the host.
    """
