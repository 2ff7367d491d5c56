"""The signatures over each record set together: are they there, by all algorithms, and not too many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gnomon.base import Address
from gnomon.base.codes import ALGORITHM_NAMES, DNSKEY, NS, SOA
from gnomon.checks.each import NONE_SEEN, Flaw, Held, exchanges_of_held, has_own_check, held, judge_each_rrset
from gnomon.checks.entry import ds_records
from gnomon.checks.inventory import SIGNED_ASKS, SignedAnswer, answers_at, sends_no_signatures
from gnomon.checks.outcome import Outcome, outcome, unknown
from gnomon.checks.registry import IOP, REL, SEC, check
from gnomon.checks.replies import UNHEARD_EDNS, UNSIGNED, hear, labels, signed_servers, unheard, without_keys
from gnomon.checks.signed import Key
from gnomon.checks.view import ZoneView
from gnomon.sources import algorithms

_CODES = {**NONE_SEEN, **UNSIGNED, **UNHEARD_EDNS}


@check(
    "sig.present",
    properties=(SEC, REL),
    asked=SIGNED_ASKS,
    codes={
        "all-signed": "Every record set of {zone} that was seen has a signature.",
        "missing": "{servers} {servers:gives|give} {rrsets} without a signature, and other record sets with one.",
        "no-signatures": "{servers} {servers:sends|send} no signatures at all (see dnssec.dnssec-aware).",
        "told-elsewhere": "{servers} {servers:gives|give} {rrsets} unsigned: see sig.dnskey, sig.soa, denial.signed, "
        "auto.cds-signed.",
        **_CODES,
    },
)
def present(view: ZoneView) -> Iterator[Outcome]:
    """Every record set that a signed zone is authoritative for has a signature.

    Why: validators reject data without one, for the zone's own keys say that it must have one.
    Rule: error for a record set without any RRSIG from a server that signs others, in the answer to any question with
        DO. Left to sig.dnskey, sig.soa, denial.signed and auto.cds-signed for their records, and to
        dnssec.dnssec-aware for a server that sends no signature with anything.
    Source: RFC 4035 sections 2.2 and 3.1.1.
    Do: sign the whole zone again, and load the signed version at every server.
    """
    if not signed_servers(view):
        yield from without_keys(view)
        return
    inventory, everything = view.chain().inventory, held(view)
    silent = [address for address in view.addresses if sends_no_signatures(inventory, address)]
    bare: dict[str, list[tuple[Held, SignedAnswer]]] = {}
    for one in everything:
        if one.examined.failure == "missing":
            code = "told-elsewhere" if has_own_check(view, one) else "missing"
            at = [answer for answer in one.answers if answer.answer.address not in silent]
            bare.setdefault(code, []).extend((one, answer) for answer in at)
    found = {code: of for code, of in bare.items() if of}
    for code, of in sorted(found.items()):
        servers = labels(view, list(dict.fromkeys(answer.answer.address for _, answer in of)))
        rrsets = tuple(dict.fromkeys(one.label for one, _ in of))
        state = outcome if code == "missing" else unknown
        yield state(code, [answer.answer.exchange for _, answer in of], servers=servers, rrsets=rrsets)
    if silent:
        shown = [a.answer.exchange for address in silent for a in answers_at(inventory, address)]
        yield unknown("no-signatures", shown, servers=labels(view, silent))
    elif everything and not found:
        yield outcome("all-signed", exchanges_of_held(view))
    elif not everything:
        yield unknown("none-seen")
    yield from unheard(view, hear(view, "Q4", edns=True), "Q4")


@check(
    "sig.alg-complete",
    properties=(SEC, IOP),
    asked=SIGNED_ASKS,
    codes={
        "complete": "Every record set of {zone} has a signature by each algorithm that the zone has keys of.",
        "dnskey-lacks": "The DNSKEY record set of {zone} has no signature by {algorithms:algorithm|algorithms} "
        "{algorithms} at {servers}.",
        "soa-lacks": "The SOA record set of {zone} has no signature by {algorithms:algorithm|algorithms} {algorithms} "
        "at {servers}.",
        "ns-lacks": "The NS record set of {zone} has no signature by {algorithms:algorithm|algorithms} {algorithms} at "
        "{servers}.",
        "others-lack": "{rrsets} {rrsets:has|have} no signature by {algorithms:algorithm|algorithms} {algorithms} at "
        "{servers}.",
        **_CODES,
    },
)
def alg_complete(view: ZoneView) -> Iterator[Outcome]:
    """Every record set has a signature by each algorithm of the zone's keys.

    Why: some validators insist on all algorithms that a zone has keys of, to notice signatures that were taken away.
    Rule: warning for a signed record set without a signature by an algorithm that the DNSKEY RRset of the same server
        has a usable key of. An algorithm of the DS that does not sign the DNSKEY RRset is ds.alg-coverage's finding.
        RFC 6840 tells validators to accept any path that is valid, so that most do not mind.
    Source: RFC 4035 section 2.2; RFC 6840 section 5.11.
    Do: sign everything with the new algorithm before its key is published, and withdraw them in the opposite order.
    """
    required = {address: _algorithms(keys) for address, keys in view.dnskeys().items()}
    of_all = frozenset[int]().union(*required.values())
    of_ds = frozenset(ds.algorithm for ds in ds_records(view))
    names = {int(DNSKEY): "dnskey-lacks", int(SOA): "soa-lacks", int(NS): "ns-lacks"}

    def flaws(one: Held) -> Iterator[Flaw]:
        have = {signature.fields.algorithm for signature in one.examined.signatures if signature.fields}
        if of_all <= have:
            return
        need = set().union(*(required.get(answer.answer.address, frozenset()) for answer in one.answers))
        rtype = int(one.examined.rrset.rtype)
        lacking = need - have - (of_ds if rtype == DNSKEY else frozenset())
        if have and lacking:
            at_apex = one.examined.rrset.owner == view.zone
            code = names.get(rtype, "others-lack") if at_apex else "others-lack"
            yield code, {"algorithms": tuple(map(_algorithm, sorted(lacking)))}

    yield from judge_each_rrset(view, flaws, "complete")


def _algorithms(keys: tuple[Key, ...]) -> frozenset[int]:
    usable = (key.dnskey for key in keys if key.dnskey.is_zone_key and not key.dnskey.is_revoked)
    return frozenset(key.algorithm for key in usable)


def _algorithm(number: int) -> str:
    return f"{number} ({ALGORITHM_NAMES[number]})" if number in ALGORITHM_NAMES else str(number)


@check(
    "sig.count",
    properties=(IOP, SEC),
    asked=SIGNED_ASKS,
    codes={
        "few": "No record set of {zone} has more than two signatures.",
        "over-2": "{rrsets} {rrsets:has|have} {count} signatures at {servers}; PowerDNS looks at two.",
        "over-8": "{rrsets} {rrsets:has|have} {count} signatures at {servers}; Unbound keeps eight.",
        "over-16": "{rrsets} {rrsets:has|have} {count} signatures at {servers}; BIND gives up after 16.",
        **_CODES,
    },
)
def count(view: ZoneView) -> Iterator[Outcome]:
    """No record set has more signatures than resolvers look at.

    Why: resolvers limit how many they try (KeyTrap), so that the one that would have verified may not be tried.
    Rule: notice over 2 RRSIG records for one record set, warning over 8, error over 16. A rollover has three for a
        while.
    Source: CVE-2023-50387 (KeyTrap) and the limits of PowerDNS Recursor, Unbound and BIND.
    Do: sign with one key of each kind, and take old signatures out of the zone.
    """

    def flaws(one: Held) -> Iterator[Flaw]:
        number = len(one.examined.rrset.signatures)
        code = next((f"over-{limit}" for limit in (16, 8, 2) if number > limit), "")
        if code:
            yield code, {"count": number}

    yield from judge_each_rrset(view, flaws, "few")


@check(
    "sig.alg-supported",
    properties=(SEC,),
    asked=SIGNED_ASKS,
    codes={
        "supported": "Every record set of {zone} has a signature by an algorithm that validators know.",
        "little-support": "{rrsets} {rrsets:is|are} signed only by {algorithms:algorithm|algorithms} {algorithms} at "
        "{servers}; few validators know {algorithms:it|them}.",
        **_CODES,
    },
)
def alg_supported(view: ZoneView) -> Iterator[Outcome]:
    """Every record set has a signature by an algorithm that validators must or should know.

    Why: who does not know the algorithm treats the zone as unsigned, without a word.
    Rule: notice for a record set that is signed only by algorithms for which the registry's column "Implement for
        DNSSEC Validation" says neither MUST nor RECOMMENDED.
    Source: RFC 4035 section 5.2; RFC 9904 with the IANA registry of DNSSEC algorithm numbers.
    Do: roll to algorithm 13 (RFC 6781 section 4.1.4).
    """

    def flaws(one: Held) -> Iterator[Flaw]:
        used = {signature.fields.algorithm for signature in one.examined.signatures if signature.fields}
        if used and not any(map(_is_known, used)):
            yield "little-support", {"algorithms": tuple(map(_algorithm, sorted(used)))}

    yield from judge_each_rrset(view, flaws, "supported")


def _is_known(number: int) -> bool:
    row = algorithms.ALGORITHMS.get(number)
    return row is not None and row.implement_validation in ("MUST", "RECOMMENDED")


@check(
    "sig.validation-budget",
    properties=(IOP, SEC),
    asked=SIGNED_ASKS,
    codes={
        "within": "No answer of {zone} needs more than 16 verifications.",
        "over-16": "The answer about {qname} {qtype} at {server} may need {count} verifications; BIND makes 16.",
        "over-30": "The answer about {qname} {qtype} at {server} may need {count} verifications; PowerDNS makes 30.",
        **_CODES,
    },
)
def validation_budget(view: ZoneView) -> Iterator[Outcome]:
    """No answer needs more verifications than resolvers make.

    Why: resolvers stop after a number of verifications (KeyTrap) and answer SERVFAIL.
    Rule: of the answer that costs most, each signature counted once for every key of its tag and algorithm: notice
        over 16, warning over 30.
    Source: CVE-2023-50387; CVE-2023-50868; the limits of BIND (16), PowerDNS Recursor (30), Knot Resolver (32).
    Do: use fewer keys and signatures, and no two keys of the same tag.
    """
    if not signed_servers(view):
        yield from without_keys(view)
        return
    published = view.keys()
    names = {key.rdata: (key.dnskey.key_tag, key.dnskey.algorithm) for key in published}
    named = {address: [names[key.rdata] for key in keys] for address, keys in view.dnskeys().items()}
    costs = [(_cost(one, named.get(one.answer.address, ())), one) for one in view.chain().inventory.different]
    if costs:
        number, worst = max(costs, key=lambda cost: cost[0])
        code = "over-30" if number > 30 else "over-16" if number > 16 else "within"
        answer = worst.answer
        about = {"qname": str(answer.qname), "qtype": str(answer.qtype), "server": view.server_label(answer.address)}
        yield outcome(code, answer.exchange, count=number, **about)
    else:
        yield unknown("none-seen")
    yield from unheard(view, hear(view, "Q4", edns=True), "Q4")


def _cost(one: SignedAnswer, named: Sequence[tuple[int, int]]) -> int:
    """The verifications that an answer may need; `named` are tag and algorithm of each key."""
    fields = [signature.fields for examined in one.rrsets for signature in examined.signatures]
    return sum([named.count((of.key_tag, of.algorithm)) for of in fields if of is not None])


@check(
    "sig.downgrade",
    properties=(SEC, IOP),
    asked=("Q3", "Q4", "Q4N"),
    codes={
        "kept": "No server of {zone} has to be asked without EDNS, where there are no signatures.",
        "edns-refused": "{servers} {servers:gives|give} the DNSKEY of {zone} only when asked without EDNS, so without "
        "signatures.",
        "do-cleared": "{servers} {servers:clears|clear} the DO bit and {servers:sends|send} no signatures (see "
        "dnssec.dnssec-aware).",
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def downgrade(view: ZoneView) -> Iterator[Outcome]:
    """No server has to be asked in a way in which it gives no signatures.

    Why: resolvers go on without EDNS where it fails, and then have no signatures to validate.
    Rule: error for servers that give a DNSKEY only to the question without EDNS. Where DO is cleared and signatures
        are missing, dnssec.dnssec-aware says it.
    Source: RFC 6891 sections 6.1.4 and 7; RFC 4035 section 3.2.1.
    Do: repair EDNS at the server, or what filters it on the way.
    """
    signed_at = signed_servers(view)
    if not signed_at:
        yield from without_keys(view)
        return
    refused = [address for address in signed_at if _only_plain(view, address)]
    inventory = view.chain().inventory
    cleared = [a for a in signed_at if _clears_do(view, a) and sends_no_signatures(inventory, a)]
    for code, at, state in (("edns-refused", refused, outcome), ("do-cleared", cleared, unknown)):
        if at:
            shown = [x for address in at for ask in ("Q4", "Q4N") for x in view.asked(ask, address)]
            yield state(code, shown, servers=labels(view, at))
    heard = hear(view, "Q4")
    if not refused and not cleared:
        yield outcome("kept", heard.shown)
    yield from unheard(view, heard, "Q4")


def _only_plain(view: ZoneView, address: Address) -> bool:
    source = view.apex_answer(DNSKEY, address)
    return source is not None and source.exchange.ask == "Q4N"


def _clears_do(view: ZoneView, address: Address) -> bool:
    answer = view.answer("Q4", address)
    return answer is not None and answer.message.edns is not None and not answer.message.edns.do
