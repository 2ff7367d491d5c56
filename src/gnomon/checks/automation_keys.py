"""CDS and CDNSKEY records against the keys: whose are they, and who signed them."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.base import Address
from gnomon.base.codes import CDNSKEY, CDS, DNSKEY
from gnomon.checks.entry import NO_DS, ds_records, entry_keys, without_ds
from gnomon.checks.inventory import apex
from gnomon.checks.outcome import Outcome, outcome, unknown
from gnomon.checks.registry import SEC, check
from gnomon.checks.replies import labels
from gnomon.checks.requests import NO_REQUEST, Request, asking, is_of, shown, without_request
from gnomon.checks.signed import Key
from gnomon.checks.validation import ExaminedRRset, SignatureState, key_label, label_of
from gnomon.checks.view import ZoneView

_ASKS = ("Q8", "Q8K", "Q6", "Q4")
_KINDS = (("cds", CDS), ("cdnskey", CDNSKEY))


def _report(view: ZoneView, found: dict[str, dict[Address, list[str]]], good: str) -> Iterator[Outcome]:
    """One outcome for each code with its servers and keys; `good` without any."""
    of = asking(view)
    for code, at in sorted(found.items()):
        keys = tuple(dict.fromkeys(text for texts in at.values() for text in texts))
        exchanges = shown(view, tuple(one for one in of if one.address in at))
        yield outcome(code, exchanges, servers=labels(view, list(at)), keys=keys)
    if not found:
        yield outcome(good, shown(view, of))


@check(
    "auto.cds-matches-dnskey",
    properties=(SEC,),
    asked=_ASKS,
    codes={
        "match": "Every CDS and CDNSKEY of {zone} is of a DNSKEY that may sign the zone.",
        "cds-no-match": "The CDS records of {zone} for {keys} match no DNSKEY at {servers}.",
        "cds-digest-differs": "The CDS records of {zone} name {keys} at {servers}, but with "
        "{keys:the digest of another key|the digests of other keys}.",
        "cds-non-zone": "The CDS records of {zone} name {keys} at {servers}, without the ZONE flag.",
        "cds-non-sep": "The CDS records of {zone} name {keys} at {servers}, without the SEP flag.",
        "cds-without-dnskey": "{servers} {servers:has|have} CDS records of {zone}, but no DNSKEY.",
        "cdnskey-no-match": "The CDNSKEY {keys:record|records} of {zone} for {keys} {keys:is|are} not among its "
        "DNSKEYs at {servers}.",
        "cdnskey-non-zone": "The CDNSKEY {keys:record|records} {keys} of {zone} at {servers} {keys:lacks|lack} the "
        "ZONE flag.",
        "cdnskey-non-sep": "The CDNSKEY {keys:record|records} {keys} of {zone} at {servers} {keys:lacks|lack} the SEP "
        "flag.",
        "cdnskey-without-dnskey": "{servers} {servers:has|have} CDNSKEY records of {zone}, but no DNSKEY.",
        **NO_REQUEST,
    },
)
def cds_matches_dnskey(view: ZoneView) -> Iterator[Outcome]:
    """Every CDS and CDNSKEY is of a key of the zone.

    Why: the parent would publish a DS of a key that nobody has seen, or that may not sign.
    Rule: error for a zone without DNSKEY, for a key without the ZONE flag, and for a CDS that agrees with a key in tag
        and algorithm but not in the digest; warning for one that names no key in the DNSKEY RRset of the same server;
        notice for one without the SEP flag.
    Source: RFC 7344 section 4.1; RFC 4034 section 2.1.1.
    Do: make the CDS and CDNSKEY records from the keys in the DNSKEY RRset.
    """
    of = asking(view)
    if not of:
        yield from without_request(view)
        return
    published = view.dnskeys()
    found: dict[str, dict[Address, list[str]]] = {}
    for one in of:
        for code, text in _mismatches(view, one, published.get(one.address, ())):
            texts = found.setdefault(code, {}).setdefault(one.address, [])
            texts += [text] if text else []
    yield from _report(view, found, "match")


def _mismatches(view: ZoneView, one: Request, keys: tuple[Key, ...]) -> Iterator[tuple[str, str]]:
    if not keys:
        yield from ((f"{kind}-without-dnskey", "") for kind, rrset in _sets(one) if rrset)
        return
    for ds in one.ds:
        named = [k for k in keys if (k.dnskey.key_tag, k.dnskey.algorithm) == (ds.key_tag, ds.algorithm)]
        key = next((key for key in named if is_of(view, ds, key)), named[0] if named else None)
        if key is None:
            yield "cds-no-match", key_label(ds.key_tag, ds.algorithm)
            continue
        if not is_of(view, ds, key):
            yield "cds-digest-differs", label_of(key)
        if not key.dnskey.is_zone_key:
            yield "cds-non-zone", label_of(key)
        elif not key.dnskey.is_sep:
            yield "cds-non-sep", label_of(key)
    for wanted in one.keys:
        if not wanted.dnskey.is_zone_key:
            yield "cdnskey-non-zone", label_of(wanted)
            continue
        if not wanted.dnskey.is_sep:
            yield "cdnskey-non-sep", label_of(wanted)
        if wanted.rdata not in {key.rdata for key in keys}:
            yield "cdnskey-no-match", label_of(wanted)


def _sets(one: Request) -> tuple[tuple[str, bool], tuple[str, bool]]:
    return ("cds", one.cds is not None), ("cdnskey", one.cdnskey is not None)


_SIGNED_CODES = {
    f"{kind}-{word}": sentence.replace("KIND", kind.upper())
    for kind in ("cds", "cdnskey")
    for word, sentence in {
        "unsigned": "{servers} {servers:gives|give} the KIND records of {zone} without a signature.",
        "unknown-key": "The KIND records of {zone} are signed by {keys} at {servers}, which {keys:is|are} not among "
        "the keys.",
        "invalid": "The {keys:signature|signatures} of {keys} over the KIND records of {zone} {keys:is|are} not valid "
        "at {servers}.",
        "not-by-own": "The KIND records of {zone} are not signed by the {keys:key|keys} that they name ({keys}) at "
        "{servers}.",
        "key-idle": "The KIND records of {zone} name {keys}, which {keys:does|do} not sign the DNSKEY records at "
        "{servers}.",
    }.items()
}


@check(
    "auto.cds-signed",
    properties=(SEC,),
    asked=_ASKS,
    codes={
        "signed": "The CDS and CDNSKEY records of {zone} are validly signed, also by the keys that they name.",
        "no-dnskey": "{servers} {servers:has|have} such records of {zone} without any DNSKEY (see "
        "auto.cds-matches-dnskey).",
        **_SIGNED_CODES,
        **NO_REQUEST,
    },
)
def cds_signed(view: ZoneView) -> Iterator[Outcome]:
    """CDS and CDNSKEY records have valid signatures.

    Why: a parent must not act on records that anybody could have sent.
    Rule: error if the records have no signature, one by a key that is not in the DNSKEY RRset, or one that is not
        valid; warning if a key that they name signs the DNSKEY RRset at no server, so that its DS would lead nowhere;
        notice if it does not sign the records themselves at a server where it signs the keys: of several operators each
        signs with its own. A server that has no DNSKEY is auto.cds-matches-dnskey's.
    Source: RFC 7344 section 4.1; RFC 8901 section 2.1.2.
    Do: sign these records with the keys that sign the DNSKEY RRset, and name only such keys in them.
    """
    of, published = asking(view), view.dnskeys()
    if not of:
        yield from without_request(view)
        return
    found: dict[str, dict[Address, list[str]]] = {}
    bare = [one.address for one in of if not published.get(one.address)]
    for one in of:
        keys = published.get(one.address, ())
        for kind, rtype in _KINDS if keys else ():
            for code, text in _signature_flaws(view, one, kind, rtype, keys):
                texts = found.setdefault(f"{kind}-{code}", {}).setdefault(one.address, [])
                texts += [text] if text else []
    if bare:
        yield unknown("no-dnskey", shown(view, of), servers=labels(view, bare))
    if found or len(bare) < len(of):
        yield from _report(view, found, "signed")


def _signature_flaws(
    view: ZoneView, one: Request, kind: str, rtype: int, keys: tuple[Key, ...]
) -> Iterator[tuple[str, str]]:
    inventory = view.chain().inventory
    answer = inventory.get(("Q8" if kind == "cds" else "Q8K", one.address))
    examined = next((e for e in answer.positive if e.rrset.rtype == rtype), None) if answer is not None else None
    if examined is None:
        return
    if not examined.signatures:
        yield "unsigned", ""
    for signature in examined.signatures:
        if signature.state is SignatureState.NO_KEY and (signature.reason != "other-algorithm" or not examined.valid):
            yield "unknown-key", signature.label
        elif signature.state not in (SignatureState.VALID, SignatureState.NOT_CHECKABLE, SignatureState.NO_KEY):
            yield "invalid", signature.label
    named = {key.rdata for key in one.keys} if kind == "cdnskey" else set()
    of_cds = one.ds if kind == "cds" else ()
    own = [k for k in keys if k.rdata in named or any(is_of(view, ds, k) for ds in of_cds)]
    over_keys = _signers(apex(inventory, view.zone, DNSKEY, one.address))
    for key in (
        key for key in own if key.dnskey.is_zone_key and (key.rdata in over_keys or not _signs_keys(view, key))
    ):
        if key.rdata not in over_keys:
            yield "key-idle", label_of(key)
        if examined.signatures and key.rdata not in _signers(examined):
            yield "not-by-own", label_of(key)


def _signs_keys(view: ZoneView, key: Key) -> bool:
    """Whether a signature over the DNSKEY record set of any server names the key."""
    inventory = view.chain().inventory
    return any(key.rdata in _signers(apex(inventory, view.zone, DNSKEY, address)) for address in view.dnskeys())


def _signers(examined: ExaminedRRset | None) -> set[bytes]:
    """The keys that signatures over the record set name, valid or not."""
    return {s.key.rdata for s in examined.signatures if s.key is not None} if examined is not None else set()


@check(
    "auto.cds-continuity",
    properties=(SEC,),
    asked=(*_ASKS, "P2"),
    codes={
        "continuous": "The CDS and CDNSKEY records of {zone} are signed by a key that its DS names.",
        "cds-broken": "The CDS records of {zone} at {servers} are signed by no key that its DS names.",
        "cdnskey-broken": "The CDNSKEY records of {zone} at {servers} are signed by no key that its DS names.",
        "no-match": "No DS of {zone} matches a DNSKEY (see ds.matches-dnskey).",
        **NO_DS,
        **NO_REQUEST,
    },
)
def cds_continuity(view: ZoneView) -> Iterator[Outcome]:
    """CDS and CDNSKEY records are signed by a key that the present DS names.

    Why: only that shows the parent that the request comes from whom it trusts already; otherwise it must refuse.
    Rule: error for servers that have a DS-named key whose CDS or CDNSKEY records carry no signature of such a key.
        Whether the signature is valid is auto.cds-signed's matter.
    Source: RFC 7344 section 4.1.
    Do: sign these records with the key that the parent names now, until the rollover is done.
    """
    of = asking(view)
    if not of:
        yield from without_request(view)
        return
    if not ds_records(view):
        yield from without_ds(view)
        return
    found: dict[str, dict[Address, list[str]]] = {}
    judged = False
    for one in of:
        entries = {key.rdata for key in entry_keys(view, view.dnskeys().get(one.address, ()))}
        judged = judged or bool(entries)
        for kind, rtype in _KINDS if entries else ():
            answer = view.chain().inventory.get(("Q8" if kind == "cds" else "Q8K", one.address))
            sets = [e for e in answer.positive if e.rrset.rtype == rtype] if answer is not None else []
            if any(not entries & _signers(examined) for examined in sets):
                found.setdefault(f"{kind}-broken", {})[one.address] = []
    if judged:
        yield from _report(view, found, "continuous")
    else:
        yield unknown("no-match", shown(view, of))
