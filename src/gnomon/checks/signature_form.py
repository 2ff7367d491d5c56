"""Each RRSIG record for itself: does it verify, and is it made as the protocol asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from functools import lru_cache

from gnomon.base import Name
from gnomon.base.codes import CDNSKEY, CDS, NSEC, NSEC3, RRSIG, SOA
from gnomon.checks.each import NONE_SEEN, Flaw, Held, has_own_check, judge_each_rrset
from gnomon.checks.inventory import SIGNED_ASKS
from gnomon.checks.outcome import Outcome
from gnomon.checks.registry import IOP, SEC, STA, check
from gnomon.checks.replies import UNHEARD_EDNS, UNSIGNED
from gnomon.checks.validation import ExaminedSignature, SignatureState, label_count
from gnomon.checks.view import ZoneView
from gnomon.wire import Message

_CODES = {**NONE_SEEN, **UNSIGNED, **UNHEARD_EDNS}

# Octets of a signature (RFC 5933 section 3, RFC 6605 section 4, RFC 8080 section 4); of RSA, those of the modulus.
SIGNATURE_OCTETS = {12: 64, 13: 64, 14: 96, 15: 64, 16: 114}


@check(
    "sig.verifies",
    properties=(SEC,),
    asked=SIGNED_ASKS,
    codes={
        "verifies": "Every signature of {zone} that is in time and names a key of the zone verifies.",
        "invalid": "No signature of {key} over {rrsets} verifies at {servers}.",
        "beside-invalid": "A signature of {key} over {rrsets} does not verify at {servers}; another one does.",
        "told-elsewhere": "{rrsets} at {servers}: see sig.length, sig.dnskey, sig.soa, denial.signed, auto.cds-signed.",
        **_CODES,
    },
)
def verifies(view: ZoneView) -> Iterator[Outcome]:
    """Every signature that is in time and names a key of the zone verifies with that key.

    Why: a signature that does not verify makes validators reject the data, or try the next one at their cost.
    Rule: error for a record set with a signature that fails while no other of the same algorithm verifies; warning if
        another verifies. The first is left to sig.dnskey, sig.soa, denial.signed and auto.cds-signed for their
        records; a signature of a wrong length is sig.length's, one that cannot be read hdr.wellformed's.
    Source: RFC 4035 section 5.3.3.
    Do: sign the zone again; if only some servers are wrong, see what changes the records on the way to them.
    """

    def flaws(one: Held) -> Iterator[Flaw]:
        verified = {s.fields.algorithm for s in one.examined.valid if s.fields is not None}
        for signature in one.examined.signatures:
            if signature.state is SignatureState.INVALID and signature.fields is not None:
                if _wrong_length(signature):
                    yield "told-elsewhere", {}
                elif signature.fields.algorithm in verified:
                    yield "beside-invalid", {"key": signature.label}
                else:
                    yield "told-elsewhere" if has_own_check(view, one) else "invalid", {"key": signature.label}

    yield from judge_each_rrset(view, flaws, "verifies", elsewhere=("told-elsewhere",))


@check(
    "sig.length",
    properties=(IOP,),
    asked=SIGNED_ASKS,
    codes={
        "right": "Every signature of {zone} has the length of its algorithm.",
        "wrong": "The {rrsets:signature|signatures} of {key} over {rrsets} {rrsets:has|have} {octets} octets at "
        "{servers}; {expected} are due.",
        **_CODES,
    },
)
def length(view: ZoneView) -> Iterator[Outcome]:
    """Every signature has the length that its algorithm makes.

    Why: no validator can verify one of another length.
    Rule: error unless 64 octets for algorithms 12, 13 and 15, 96 for 14, 114 for 16, and those of the modulus for RSA.
    Source: RFC 6605 section 4; RFC 8080 section 4; RFC 3110 section 3; RFC 5933 section 3.
    Do: sign the zone again with a maintained signer.
    """

    def flaws(one: Held) -> Iterator[Flaw]:
        for signature in one.examined.signatures:
            wrong = _wrong_length(signature)
            if wrong:
                yield "wrong", {"key": signature.label, "octets": wrong[0], "expected": wrong[1]}

    yield from judge_each_rrset(view, flaws, "right")


def _wrong_length(one: ExaminedSignature) -> tuple[int, int] | None:
    """Octets of a signature and what they should be, if these differ and that is known."""
    if one.fields is None:
        return None
    expected = SIGNATURE_OCTETS.get(one.fields.algorithm)
    if expected is None and one.key is not None and one.key.dnskey.rsa_bits is not None:
        expected = (one.key.dnskey.rsa_bits + 7) // 8
    octets = len(one.fields.signature)
    return None if expected in (None, octets) or expected is None else (octets, expected)


@check(
    "sig.signer",
    properties=(SEC,),
    asked=SIGNED_ASKS,
    codes={
        "apex": "Every signature of {zone} names the zone as its signer.",
        "other": "The {rrsets:signature|signatures} of {key} over {rrsets} {rrsets:names|name} {signer} as "
        "{rrsets:its|their} signer at {servers}.",
        **_CODES,
    },
)
def signer(view: ZoneView) -> Iterator[Outcome]:
    """Every signature names the zone as its signer.

    Why: validators look for the key in the zone that the signature names, and must not use any other.
    Rule: error for a signature over data of the zone with another signer's name than the apex.
    Source: RFC 4035 section 5.3.1.
    Do: sign the zone under its own name, and see that no records of a parent or child zone are mixed in.
    """

    def flaws(one: Held) -> Iterator[Flaw]:
        for signature in one.examined.signatures:
            if signature.fields is not None and signature.fields.signer != view.zone:
                yield "other", {"key": signature.label, "signer": str(signature.fields.signer)}

    yield from judge_each_rrset(view, flaws, "apex")


@check(
    "sig.labels",
    properties=(IOP,),
    asked=SIGNED_ASKS,
    codes={
        "fit": "No signature of {zone} counts more labels than its name has.",
        "too-many": "The {rrsets:signature|signatures} of {key} over {rrsets} {rrsets:counts|count} {count} "
        "{count:label|labels} at {servers}; the name has fewer.",
        **_CODES,
    },
)
def signature_labels(view: ZoneView) -> Iterator[Outcome]:
    """No signature counts more labels than the name that it is for.

    Why: validators ignore such a signature.
    Rule: error if the Labels field is larger than the number of labels of the owner, the root and a leading asterisk
        not counted. A smaller one says that the answer was made from a wildcard: denial.wildcard judges that.
    Source: RFC 4034 section 3.1.3; RFC 4035 section 5.3.1.
    Do: sign the zone again with a maintained signer.
    """

    def flaws(one: Held) -> Iterator[Flaw]:
        most = label_count(one.examined.rrset.owner)
        for signature in one.examined.signatures:
            if signature.fields is not None and signature.fields.labels > most:
                yield "too-many", {"key": signature.label, "count": signature.fields.labels}

    yield from judge_each_rrset(view, flaws, "fit")


@check(
    "sig.orphan-tag",
    properties=(STA,),
    asked=SIGNED_ASKS,
    codes={
        "none": "Every signature of {zone} names a key of the zone.",
        "only": "{rrsets} {rrsets:is|are} signed only by {key} at {servers}, which is not among the keys there.",
        "beside": "{rrsets} {rrsets:has|have} a signature by {key} at {servers}, which is not among the keys there, "
        "beside another.",
        "other-algorithm": "{rrsets} {rrsets:has|have} a signature by {key} at {servers}, beside another; there is no "
        "key of that algorithm there, as at the start and at the end of an algorithm rollover.",
        "not-zone-key": "{rrsets} {rrsets:has|have} a signature by {key} at {servers}, a key that may not sign: its "
        "ZONE flag is not set, or its protocol is not 3.",
        "told-elsewhere": "{rrsets} at {servers}: see sig.dnskey, sig.soa, denial.signed and auto.cds-signed.",
        **_CODES,
    },
)
def orphan_tag(view: ZoneView) -> Iterator[Outcome]:
    """Every signature names a key that the zone has.

    Why: a signature by a key that is gone, or not yet there, cannot be verified: the key was rolled too fast.
    Rule: error if all signatures over a record set are by absent keys, warning if one is beside others. The first is
        left to sig.dnskey, sig.soa, denial.signed and auto.cds-signed for their records, the second to the latter two.
        Error for a signature by a key that is no zone key. One by an absent key of an algorithm that no key has, beside
        others, is a fact: before the keys of a new algorithm come, and after those of the old one went, there are only
        signatures of it.
    Source: RFC 4035 section 5.3.1; RFC 6781 sections 4.1 and 4.1.4.
    Do: keep old keys published until all their signatures are gone from caches, and new keys before they sign; with a
        new algorithm the signatures come first.
    """

    def flaws(one: Held) -> Iterator[Flaw]:
        signatures = one.examined.signatures
        orphans = [signature for signature in signatures if signature.state is SignatureState.NO_KEY]
        if not orphans:
            return
        own, alone = has_own_check(view, one), len(orphans) == len(signatures)
        told = one.examined.rrset.rtype in (NSEC, NSEC3, CDS, CDNSKEY) or (own and alone)
        for orphan in {one.reason: one for one in reversed(orphans)}.values():
            if orphan.reason == "other-algorithm" and not alone:
                yield orphan.reason, {"key": orphan.label}
            elif told:
                yield "told-elsewhere", {"key": orphan.label}
            else:
                yield (
                    orphan.reason if orphan.reason == "not-zone-key" else "only" if alone else "beside",
                    {"key": orphan.label},
                )

    yield from judge_each_rrset(view, flaws, "none", elsewhere=("told-elsewhere",))


@check(
    "sig.ttl-fields",
    properties=(IOP,),
    asked=SIGNED_ASKS,
    codes={
        "agree": "TTL, TTL of the signature and original TTL agree in every answer of {zone}.",
        "rrset-over-original": "{rrsets} {rrsets:has|have} a TTL of {ttl_s} s at {servers}, the signature {original_s} "
        "s.",
        "signature-over-original": "The {rrsets:RRSIG|RRSIGs} of {rrsets} {rrsets:has|have} a TTL of {ttl_s} s at "
        "{servers}, over {original_s} s.",
        "differ": "{rrsets} and {rrsets:its|their} signatures have different TTLs at {servers} ({ttls}).",
        **_CODES,
    },
)
def ttl_fields(view: ZoneView) -> Iterator[Outcome]:
    """A record set, its signatures and their Original TTL field agree on the TTL.

    Why: validators cut a larger TTL down; caches that keep signatures for another time than data miss one of them.
    Rule: error if the TTL of the record set or of an RRSIG is over the Original TTL of that RRSIG; warning if the
        record set and an RRSIG over it have different TTLs (the SOA of a negative answer may: RFC 2308 section 3).
    Source: RFC 4034 section 3; RFC 4035 sections 2.2 and 5.3.3.
    Do: let the signer set the TTLs, and look for what changes them afterwards.
    """

    def flaws(one: Held) -> Iterator[Flaw]:
        rrset = one.examined.rrset
        covered = int(rrset.rtype).to_bytes(2, "big")
        originals = [s.fields.original_ttl_s for s in one.examined.signatures if s.fields is not None]
        if not originals:
            return
        least = min(originals)
        if rrset.ttl_s > least:
            yield "rrset-over-original", {"ttl_s": rrset.ttl_s, "original_s": least}
        for message in {id(a.answer.message): a.answer.message for a in one.answers}.values():
            ttls = _signature_ttls_s(message).get((covered, rrset.owner), frozenset())
            if ttls and max(ttls) > least:
                yield "signature-over-original", {"ttl_s": max(ttls), "original_s": least}
            elif ttls - {rrset.ttl_s} and rrset.ttl_s <= least and rrset.rtype != SOA:
                yield "differ", {"ttls": (rrset.ttl_s, *sorted(ttls))}

    yield from judge_each_rrset(view, flaws, "agree")


@lru_cache(maxsize=1024)
def _signature_ttls_s(message: Message) -> Mapping[tuple[bytes, Name], Set[int]]:
    """The TTLs of the RRSIG records in the answer and authority section by the type that they cover, and by owner."""
    found: dict[tuple[bytes, Name], set[int]] = {}
    for record in (*message.answer, *message.authority):
        if record.rtype == RRSIG:
            found.setdefault((record.rdata[:2], record.owner), set()).add(record.ttl_s)
    return found
