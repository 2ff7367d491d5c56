"""DNSKEY records: algorithms, sizes, form, presence at every server, size of the answer that carries them."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.base.codes import ALGORITHM_NAMES, DNSKEY
from gnomon.checks.each import held
from gnomon.checks.outcome import Outcome, not_applicable, outcome
from gnomon.checks.registry import IOP, REL, SEC, STA, check
from gnomon.checks.replies import UNHEARD_EDNS, UNSIGNED, hear, labels, signed_servers, unheard, without_keys
from gnomon.checks.signed import Key
from gnomon.checks.validation import SignatureState, label_of
from gnomon.checks.view import ZoneView
from gnomon.sources import algorithms

# Smallest and largest modulus in bits that the algorithm allows (RFC 3110 section 2, RFC 5702 section 2).
RSA_BITS = {5: (512, 4096), 7: (512, 4096), 8: (512, 4096), 10: (1024, 4096)}
# Octets of the public key (RFC 5933 section 2, RFC 6605 section 4, RFC 8080 section 3).
KEY_OCTETS = {12: 64, 13: 64, 14: 96, 15: 32, 16: 57}
# ZONE and SEP (RFC 4034 section 2.1.1) and REVOKE (RFC 5011 section 3).
KNOWN_FLAGS = 0x0100 | 0x0001 | 0x0080

_LARGEST_UNFRAGMENTED_OCTETS = 1232
_LARGEST_ETHERNET_OCTETS = 1452


@check(
    "key.alg-allowed",
    properties=(SEC, IOP),
    asked=("Q4",),
    codes={
        "allowed": "{zone} has keys with {algorithms:an algorithm that is|algorithms that are} meant for signing "
        "zones: {algorithms}.",
        "deprecated": "{zone} has {keys:a key|keys} with algorithm {algorithm}, which must not be used for signing: "
        "{keys}.",
        "not-recommended": "{zone} has {keys:a key|keys} with algorithm {algorithm}, which is not recommended for "
        "signing: {keys}.",
        "little-support": "{zone} has {keys:a key|keys} with algorithm {algorithm}, which few validators know: {keys}.",
        "not-zone-sign": "{zone} has {keys:a key|keys} with number {algorithm}, which is no zone signing algorithm: "
        "{keys}.",
        "private": "{zone} has {keys:a key|keys} with algorithm {algorithm}, which is for private use only: {keys}.",
        "reserved": "{zone} has {keys:a key|keys} with algorithm {algorithm}, which is reserved: {keys}.",
        "unassigned": "{zone} has {keys:a key|keys} with algorithm {algorithm}, which is not assigned: {keys}.",
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def alg_allowed(view: ZoneView) -> Iterator[Outcome]:
    """Every key has an algorithm that is meant for signing zones.

    Why: weak algorithms can be broken, and what validators do not know they treat as unsigned.
    Rule: error for algorithms that must not be used for signing (1, 3, 5, 6, 7, 12), are no zone signing algorithms
        (0, 2, 252), private (253, 254), reserved or unassigned; warning where signing is not recommended (10); notice
        for 17 and 23, which validators may leave out; pass for 8, 13, 14, 15 and 16. From the registry's columns.
    Source: RFC 9904 with the IANA registry of DNSSEC algorithm numbers; RFC 9905; RFC 9906.
    Do: roll to algorithm 13 (RFC 6781 section 4.1.4).
    """
    if not signed_servers(view):
        yield from without_keys(view)
        return
    heard = hear(view, "Q4")
    shown = heard.shown
    keys = view.keys()
    numbers = sorted({key.dnskey.algorithm for key in keys})
    good = tuple(_algorithm(number) for number in numbers if algorithm_code(number) == "allowed")
    for number in numbers:
        code = algorithm_code(number)
        if code != "allowed":
            of = tuple(label_of(key) for key in keys if key.dnskey.algorithm == number)
            yield outcome(code, shown, subject=f"algorithm {number}", algorithm=_algorithm(number), keys=of)
    if good:
        yield outcome("allowed", shown, algorithms=good)
    yield from unheard(view, heard, "Q4")


def algorithm_code(number: int) -> str:
    """What the registry says of signing with that algorithm, as a code of key.alg-allowed."""
    row = algorithms.ALGORITHMS.get(number)
    if row is None:
        return "unassigned" if 18 <= number <= 122 else "reserved"
    if number in (253, 254):
        return "private"
    if row.use_signing is None:
        return "not-zone-sign"
    if row.use_signing == "MAY" and row.use_validation == "MAY":
        return "little-support"
    return {"MUST NOT": "deprecated", "NOT RECOMMENDED": "not-recommended"}.get(row.use_signing, "allowed")


@check(
    "key.rsa-size",
    properties=(SEC, IOP),
    asked=("Q4",),
    codes={
        "good": "Every RSA key of {zone} has 2048 to 4096 bits: {keys}.",
        "below-algorithm": "The key {key} of {zone} has {bits} bits; its algorithm starts at {least}.",
        "above-algorithm": "The key {key} of {zone} has {bits} bits; its algorithm ends at {most}.",
        "weak": "The key {key} of {zone} has only {bits} bits: it can be broken.",
        "short": "The key {key} of {zone} has {bits} bits; 2048 are the least that is recommended.",
        "no-rsa": "{zone} has no RSA key.",
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def rsa_size(view: ZoneView) -> Iterator[Outcome]:
    """RSA keys have 2048 to 4096 bits.

    Why: short keys can be factored; too long ones are refused by validators and fill the answers.
    Rule: error outside the algorithm's range (512 to 4096 bits for 5, 7 and 8, 1024 to 4096 for 10) and below 1024;
        warning below 2048. A key whose modulus cannot be read is key.well-formed's finding.
    Source: RFC 3110 section 2; RFC 5702 section 2; NIST SP 800-57 part 1.
    Do: roll to a key of 2048 bits, or to algorithm 13.
    """
    if not signed_servers(view):
        yield from without_keys(view)
        return
    heard = hear(view, "Q4")
    shown, fitting = heard.shown, list[str]()
    published = view.keys()
    rsa = [key for key in published if key.dnskey.algorithm in RSA_BITS]
    sized = [(key, bits) for key in rsa if (bits := key.dnskey.rsa_bits) is not None]
    for key, bits in sized:
        least, most = RSA_BITS[key.dnskey.algorithm]
        code = "below-algorithm" if bits < least else "above-algorithm" if bits > most else _by_size(bits)
        text = label_of(key)
        if code == "good":
            fitting.append(f"{text} with {bits}")
        else:
            yield outcome(code, shown, subject=f"key {text}", key=text, bits=bits, least=least, most=most)
    if not sized:
        yield not_applicable("no-rsa", shown)
    elif len(fitting) == len(sized):
        yield outcome("good", shown, keys=tuple(fitting))
    yield from unheard(view, heard, "Q4")


def _by_size(bits: int) -> str:
    return "weak" if bits < 1024 else "short" if bits < 2048 else "good"


@check(
    "key.well-formed",
    properties=(IOP,),
    asked=("Q4",),
    codes={
        "good": "Every DNSKEY of {zone} is well formed.",
        "unreadable": "{zone} has a DNSKEY record of only {octets} {octets:octet|octets} at {server}.",
        "empty": "The key {key} of {zone} holds no key material.",
        "bad-length": "The key {key} of {zone} has {octets} {octets:octet|octets} of key material; its algorithm has "
        "{expected}.",
        "bad-rsa": "The key {key} of {zone} has no readable RSA exponent and modulus.",
        "bad-protocol": "The key {key} of {zone} has protocol {protocol}; it must be 3.",
        "reserved-flags": "The key {key} of {zone} has reserved flags set (flags {flags}).",
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def well_formed(view: ZoneView) -> Iterator[Outcome]:
    """Every DNSKEY has the form that its algorithm asks for.

    Why: validators ignore or choke on keys that are not what they claim to be.
    Rule: error for a record too short to be a DNSKEY, empty key material, another length than the algorithm's
        (64 octets for 12 and 13, 96 for 14, 32 for 15, 57 for 16), an RSA key without exponent and modulus, or
        a protocol other than 3; notice for reserved flag bits.
    Source: RFC 4034 section 2.1; RFC 3110 section 2; RFC 6605 section 4; RFC 8080 section 3.
    Do: generate the key anew with a maintained signer.
    """
    unreadable, published = _unreadable(view), view.keys()
    if not published and not unreadable:
        yield from without_keys(view)
        return
    heard = hear(view, "Q4")
    shown, clean = heard.shown, not unreadable
    for server, octets in unreadable.items():
        yield outcome("unreadable", shown, subject=server, server=server, octets=octets)
    for key in published:
        for code in _flaws(key):
            clean = False
            of, text = key.dnskey, label_of(key)
            facts = {"octets": len(of.key), "expected": KEY_OCTETS.get(of.algorithm, 0)}
            facts |= {"protocol": of.protocol, "flags": of.flags}
            yield outcome(code, shown, subject=f"key {text}", key=text, **facts)
    if clean:
        yield outcome("good", shown)
    yield from unheard(view, heard, "Q4")


def _unreadable(view: ZoneView) -> dict[str, int]:
    """The servers that have a DNSKEY record under 4 octets, with its length."""
    sets = view.apex_rrset(DNSKEY)
    return {view.server_label(a): len(r) for a, rrset in sets.items() for r in rrset.rdatas if len(r) < 4}


def _flaws(key: Key) -> Iterator[str]:
    of = key.dnskey
    if not of.key:
        yield "empty"
    elif len(of.key) != KEY_OCTETS.get(of.algorithm, len(of.key)):
        yield "bad-length"
    elif of.algorithm in RSA_BITS and of.rsa_bits is None:
        yield "bad-rsa"
    if of.protocol != 3:
        yield "bad-protocol"
    if of.flags & ~KNOWN_FLAGS:
        yield "reserved-flags"


@check(
    "key.on-all-servers",
    properties=(STA, SEC),
    asked=("Q4", "Q2", "Q3", "Q5", "Q6"),
    codes={
        "everywhere": "All servers of {zone} that have a DNSKEY have the same {count:one|#}.",
        "signer-missing": "The key {key} of {zone} makes signatures that servers give, but is missing at {servers}.",
        "unused-missing": "The key {key} of {zone} is missing at {servers}; it signs nothing that was seen.",
        "one-server": "Only one server of {zone} gave a DNSKEY.",
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def on_all_servers(view: ZoneView) -> Iterator[Outcome]:
    """All servers have the same keys.

    Why: a validator may take the keys from one server and the data from another; then it lacks the key.
    Rule: error if a key whose signatures were seen at any server is missing at another that has keys; warning for a
        key that signs nothing seen. Servers without any key are dnssec.ds-without-dnskey's finding.
    Source: RFC 4035 section 2.1; RFC 8901 section 3.
    Do: publish all keys at all servers before any of them signs.
    """
    sets, published = view.dnskeys(), view.keys()
    if not published:
        yield from without_keys(view)
        return
    heard = hear(view, "Q4")
    shown, clean = heard.shown, True
    octets_at = {address: {key.rdata for key in keys} for address, keys in sets.items()}
    valid, orphans = _signing(view)
    for key in published:
        absent = [address for address, of in octets_at.items() if key.rdata not in of]
        if absent:
            clean = False
            text = label_of(key)
            code = "signer-missing" if key.rdata in valid or text in orphans else "unused-missing"
            yield outcome(code, shown, subject=f"key {text}", key=text, servers=labels(view, absent))
    if len(sets) == 1:
        yield not_applicable("one-server", shown)
    elif clean:
        yield outcome("everywhere", shown, count=len(published))
    yield from unheard(view, heard, "Q4")


def _signing(view: ZoneView) -> tuple[set[bytes], set[str]]:
    """The keys that made a valid signature, and the labels of those that a signature names where they are missing."""
    signatures = [signature for one in held(view) for signature in one.examined.signatures]
    valid = {s.key.rdata for s in signatures if s.state is SignatureState.VALID and s.key is not None}
    return valid, {s.label for s in signatures if s.state is SignatureState.NO_KEY}


@check(
    "key.response-size",
    properties=(IOP, REL),
    asked=("Q4",),
    codes={
        "fits": "The largest DNSKEY answer of {zone} has {octets} octets.",
        "over-1232": "The DNSKEY answer of {server} has {octets} octets: more than 1232, so it needs TCP or fragments.",
        "over-1452": "The DNSKEY answer of {server} has {octets} octets: more than fits into one packet on most paths.",
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def response_size(view: ZoneView) -> Iterator[Outcome]:
    """The answer with the keys fits into one unfragmented packet.

    Why: every validator needs this answer; what does not fit costs a second try over TCP, or is lost on the way.
    Rule: measured octets of the whole answer with DO, over TCP where UDP was truncated: notice over 1232, warning
        over 1452. One outcome for the zone, from the largest answer.
    Source: RFC 9715 section 3; DNS Flag Day 2020.
    Do: use fewer or smaller keys: algorithm 13, one key of each kind, short rollovers.
    """
    if not signed_servers(view):
        yield from without_keys(view)
        return
    heard = hear(view, "Q4")
    largest = max(heard.answers, key=lambda answer: len(answer.message.wire), default=None)
    if largest is not None:
        octets, code = len(largest.message.wire), "fits"
        if octets > _LARGEST_UNFRAGMENTED_OCTETS:
            code = "over-1452" if octets > _LARGEST_ETHERNET_OCTETS else "over-1232"
        yield outcome(code, largest.exchange, octets=octets, server=view.server_label(largest.address))
    yield from unheard(view, heard, "Q4")


def _algorithm(number: int) -> str:
    return f"{number} ({ALGORITHM_NAMES[number]})" if number in ALGORITHM_NAMES else str(number)
