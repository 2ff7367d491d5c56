"""DS records: are they well made, do they name keys of the zone, and do these keys let a validator in."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.base import Address
from gnomon.base.codes import DIGEST_NAMES
from gnomon.checks.chain import CHECKABLE_DIGESTS, matches
from gnomon.checks.entry import NO_DS, ds_records, entries_at, why_no_entry, without_ds
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.registry import IOP, REL, SEC, check
from gnomon.checks.replies import UNHEARD_EDNS, hear, labels, unheard
from gnomon.checks.validation import key_label, label_of
from gnomon.checks.view import ZoneView
from gnomon.sources import algorithms
from gnomon.wire.rdata import Ds

# RFC 4034 section 5.1.4, RFC 4509 section 2.1, RFC 5933 section 5.1, RFC 6605 section 2, RFC 9558 section 3, RFC 9563.
DIGEST_OCTETS = {1: 20, 2: 32, 3: 32, 4: 48, 5: 32, 6: 32}

_NO_KEYS = "No server of {zone} has a DNSKEY that the DS could be compared with (see dnssec.ds-without-dnskey)."


@check(
    "ds.digest-alg",
    properties=(SEC, IOP),
    asked=("P2",),
    codes={
        "good": "{zone} has DS records with a digest type that is meant to be used: {digests}.",
        "optional": "The DS {ds} of {zone} {ds:has|have} digest type {digest}, which few validators know.",
        "deprecated": "The DS {ds} of {zone} {ds:has|have} digest type {digest}, which must no longer be used.",
        "not-ds": "The DS {ds} of {zone} {ds:has|have} digest type 0, which is not for DS records.",
        "private": "The DS {ds} of {zone} {ds:has|have} digest type {digest}, which is for private use only.",
        "reserved": "The DS {ds} of {zone} {ds:has|have} digest type {digest}, which is reserved.",
        "unassigned": "The DS {ds} of {zone} {ds:has|have} digest type {digest}, which is not assigned.",
        **NO_DS,
    },
)
def digest_alg(view: ZoneView) -> Iterator[Outcome]:
    """Every DS has a digest type that is meant for use.

    Why: SHA-1 no longer withstands an attacker with means; a type that validators do not know lets them treat the
        zone as unsigned.
    Rule: error for types 0, 1 (SHA-1), 3 (GOST R 34.11-94), private, reserved or unassigned ones; notice for 5 and 6,
        which validators may leave out; pass for 2 and 4. From the column "Use for DNSSEC Delegation" of the registry.
    Source: RFC 9904 with the IANA registry of DS digest types; RFC 9905; RFC 9906; RFC 9157; RFC 9558; RFC 9563.
    Do: add a DS with SHA-256 for the same key at the parent, then remove the others.
    """
    records = ds_records(view)
    if not records:
        yield from without_ds(view)
        return
    shown, good = view.asked("P2"), list[str]()
    for digest_type in sorted({ds.digest_type for ds in records}):
        code = _digest_code(digest_type)
        if code == "good":
            good.append(_digest(digest_type))
        else:
            of = tuple(_label(ds) for ds in records if ds.digest_type == digest_type)
            yield outcome(code, shown, subject=f"digest type {digest_type}", ds=of, digest=_digest(digest_type))
    if good:
        yield outcome("good", shown, digests=tuple(good))


@check(
    "ds.sha256-present",
    version=2,
    properties=(IOP,),
    asked=("P2",),
    codes={
        "present": "Every key that a DS of {zone} names has a DS with SHA-256.",
        "missing": "The DS of {zone} for {keys} {keys:has|have} no SHA-256 digest; every validator knows that one.",
        "weaker-ignored": "The SHA-1 DS of {zone} for {keys} {keys:is|are} ignored by validators beside the one with "
        "SHA-256.",
        "only-sha1": "The DS of {zone} for {keys} {keys:has|have} only a SHA-1 digest.",
        **NO_DS,
    },
)
def sha256_present(view: ZoneView) -> Iterator[Outcome]:
    """Every key that a DS names has a DS with SHA-256.

    Why: it is the one digest type that every validator must know; without it some treat the zone as unsigned.
    Rule: notice for a key that DS records name without digest type 2 among them; warning if SHA-1 is all it has. One
        with SHA-1 beside a stronger one is a fact: validators ignore it.
    Source: RFC 4509 section 3; RFC 9904.
    Do: add a DS with SHA-256 for the same key at the parent.
    """
    records = ds_records(view)
    if not records:
        yield from without_ds(view)
        return
    types: dict[str, set[int]] = {}
    for ds in records:
        types.setdefault(key_label(ds.key_tag, ds.algorithm), set()).add(ds.digest_type)
    shown = view.asked("P2")
    only_sha1 = tuple(key for key, of in types.items() if of == {1})
    missing = tuple(key for key, of in types.items() if 2 not in of and of != {1})
    for code, keys in (("only-sha1", only_sha1), ("missing", missing)):
        if keys:
            yield outcome(code, shown, keys=keys)
    ignored = tuple(key for key, of in types.items() if 1 in of and of & {2, 4})
    if ignored:
        yield outcome("weaker-ignored", shown, keys=ignored)
    if not only_sha1 and not missing:
        yield outcome("present", shown)


@check(
    "ds.digest-length",
    properties=(IOP,),
    asked=("P2",),
    codes={
        "right": "Every DS digest of {zone} has the length of its type.",
        "wrong": "The DS {ds} of {zone} has a digest of {octets} {octets:octet|octets}; {digest} makes {expected}.",
        "unknown-type": "No DS of {zone} has a digest type of known length.",
        **NO_DS,
    },
)
def digest_length(view: ZoneView) -> Iterator[Outcome]:
    """Every DS digest has the length that its type makes.

    Why: a digest of another length can match no key; it is a typing or copying fault.
    Rule: error unless 20, 32, 32, 48, 32, 32 octets for types 1 to 6.
    Source: RFC 4034 section 5.1; RFC 4509 section 2.1; RFC 6605 section 2; RFC 9558; RFC 9563.
    Do: give the parent the DS again, as the signer prints it.
    """
    records = ds_records(view)
    if not records:
        yield from without_ds(view)
        return
    shown = view.asked("P2")
    wrong = [ds for ds in records if not _has_right_length(ds)]
    for ds in wrong:
        octets, expected = len(ds.digest), DIGEST_OCTETS[ds.digest_type]
        made_by = _digest(ds.digest_type)
        yield outcome(
            "wrong", shown, subject=_subject(ds), ds=_label(ds), octets=octets, expected=expected, digest=made_by
        )
    if not any(ds.digest_type in DIGEST_OCTETS for ds in records):
        yield not_applicable("unknown-type", shown)
    elif not wrong:
        yield outcome("right", shown)


@check(
    "ds.matches-dnskey",
    properties=(SEC, REL),
    asked=("P2", "Q4"),
    codes={
        "all-match": "Every DS of {zone} matches a DNSKEY at every server that has one.",
        "none": "No DS of {zone} ({ds}) matches any DNSKEY ({keys}): validators reject every answer.",
        "none-at-some": "No DS of {zone} ({ds}) matches a DNSKEY at {servers}.",
        "digest-differs": "The DS {ds} of {zone} names a key by tag and algorithm, but its digest is of another key.",
        "one-unmatched": "The DS {ds} of {zone} matches no DNSKEY; others do.",
        "not-checkable": "No DS of {zone} ({ds}) has a digest type that can be computed.",
        "no-dnskey": _NO_KEYS,
        **NO_DS,
        **UNHEARD_EDNS,
    },
)
def matches_dnskey(view: ZoneView) -> Iterator[Outcome]:
    """Every DS matches a DNSKEY of the zone.

    Why: a DS that matches nothing shuts validators out; beside one that matches it shows an unfinished rollover, or
        someone's mistake.
    Rule: critical if no DS matches a DNSKEY at any server, error if at some; with another DS that matches, error for
        a DS that agrees in key tag and algorithm but not in the digest, warning for one that names no key at all. A
        digest of the wrong length is ds.digest-length's finding.
    Source: RFC 4035 section 5.2.
    Do: have the parent publish the DS of the key that signs the DNSKEY RRset, and remove those of gone keys.
    """
    records, sets = ds_records(view), view.dnskeys()
    heard = hear(view, "Q4")
    if not records:
        yield from without_ds(view)
        return
    tags, shown = tuple(map(_label, records)), [*view.asked("P2"), *(a.exchange for a in heard.answers)]
    usable = [ds for ds in records if ds.digest_type in CHECKABLE_DIGESTS]
    if not sets or not usable:
        if heard.answers:
            yield unknown("no-dnskey" if not sets else "not-checkable", shown, ds=tags)
        yield from unheard(view, heard, "Q4")
        return
    closed = [a for a, keys in sets.items() if not any(matches(ds, view.zone, k) for ds in usable for k in keys)]
    published = view.keys()
    keys = tuple(map(label_of, published))
    if len(closed) == len(sets):
        yield outcome("none", shown, ds=tags, keys=keys)
        return
    if closed:
        yield outcome("none-at-some", shown, ds=tags, servers=labels(view, closed))
    lost = [ds for ds in usable if not any(matches(ds, view.zone, k) for k in published) and _has_right_length(ds)]
    for ds in lost:
        code = "digest-differs" if key_label(ds.key_tag, ds.algorithm) in keys else "one-unmatched"
        yield outcome(code, shown, subject=_subject(ds), ds=_label(ds))
    if not closed and not lost:
        yield outcome("all-match", shown)
    yield from unheard(view, heard, "Q4")


@check(
    "ds.key-signs-dnskey",
    properties=(SEC, REL),
    asked=("P2", "Q4"),
    codes={
        "signs": "The DNSKEY RRset of {zone} is signed by {keys:a key|keys} that the DS names: {keys}.",
        "none-signs": "No key that the DS of {zone} names ({keys}) signs the DNSKEY RRset at {servers}.",
        "one-does-not": "The DS of {zone} names {key}, which does not sign the DNSKEY RRset; another does.",
        "signature-fails": "The DNSKEY record set at {servers} has no valid signature by {keys} (see sig.dnskey).",
        "not-zone-key": "The key that the DS of {zone} names may not sign (see ds.key-zone-flag).",
        "no-match": "No DS of {zone} matches a DNSKEY (see ds.matches-dnskey).",
        "no-dnskey": _NO_KEYS,
        **NO_DS,
        **UNHEARD_EDNS,
    },
)
def key_signs_dnskey(view: ZoneView) -> Iterator[Outcome]:
    """A key that a DS names signs the DNSKEY RRset.

    Why: that signature is the only way from the parent into the zone.
    Rule: error if at a server no DS-named key has a signature over DNSKEY; warning for single DS-named keys without
        one while another has. A signature that is there but absent elsewhere, expired or wrong is sig.*'s finding.
    Source: RFC 4035 sections 5.2 and 5.3.
    Do: sign the DNSKEY RRset with the key that the parent names, or have the parent name the key that signs.
    """
    if not ds_records(view):
        yield from without_ds(view)
        return
    heard = hear(view, "Q4")
    closed, failing, idle, good = list[Address](), list[Address](), set[str](), set[str]()
    named: set[str] = set()
    for address, entries in entries_at(view).items():
        if not entries.algorithms:
            continue
        named |= entries.algorithms.keys()
        good |= entries.valid
        idle |= entries.algorithms.keys() - entries.tried if entries.valid else set()
        if not entries.valid:
            (failing if entries.tried or not entries.is_signed else closed).append(address)
    shown = heard.shown
    texts = tuple(sorted(named))
    if closed:
        yield outcome("none-signs", shown, keys=texts, servers=labels(view, closed))
    if failing:
        yield unknown("signature-fails", shown, keys=texts, servers=labels(view, failing))
    for key in sorted(idle - good):
        yield outcome("one-does-not", shown, subject=f"key {key}", key=key)
    if good and not closed and not failing and not idle - good:
        yield outcome("signs", shown, keys=tuple(sorted(good)))
    if heard.answers and not named:
        yield unknown(why_no_entry(view), shown)
    yield from unheard(view, heard, "Q4")


@check(
    "ds.key-zone-flag",
    properties=(SEC, IOP),
    asked=("P2", "Q4"),
    codes={
        "set": "Every key that a DS of {zone} names is marked as zone key and secure entry point: {keys}.",
        "not-zone-key": "The DS of {zone} names {key}, which is not marked as a zone key (flags {flags}).",
        "no-sep": "The DS of {zone} names {key}, which is not marked as a secure entry point (flags {flags}).",
        "no-match": "No DS of {zone} matches a DNSKEY (see ds.matches-dnskey).",
        "no-dnskey": _NO_KEYS,
        **NO_DS,
        **UNHEARD_EDNS,
    },
)
def key_zone_flag(view: ZoneView) -> Iterator[Outcome]:
    """Keys that a DS names are zone keys, and marked as secure entry points.

    Why: a key without the zone flag must not validate anything; the entry point flag tells tools which key the parent
        knows.
    Rule: error without the ZONE bit; notice without the SEP bit (a hint that validators must not use).
    Source: RFC 4034 section 2.1.1; RFC 4035 section 5.2.
    Do: make a new key with flags 257 and roll to it.
    """
    records, heard = ds_records(view), hear(view, "Q4")
    if not records:
        yield from without_ds(view)
        return
    published = view.keys()
    named = [key for key in published if any(matches(ds, view.zone, key) for ds in records)]
    shown, clean = heard.shown, True
    for key in named:
        if not key.dnskey.is_zone_key or not key.dnskey.is_sep:
            clean = False
            code, text = "no-sep" if key.dnskey.is_zone_key else "not-zone-key", label_of(key)
            yield outcome(code, shown, subject=f"key {text}", key=text, flags=key.dnskey.flags)
    if named and clean:
        yield outcome("set", shown, keys=tuple(map(label_of, named)))
    elif heard.answers and not named:
        yield unknown("no-match" if published else "no-dnskey", shown)
    yield from unheard(view, heard, "Q4")


def _digest_code(digest_type: int) -> str:
    row = algorithms.DIGESTS.get(digest_type)
    if row is None:  # RFC 9157 section 3
        return "reserved" if 128 <= digest_type <= 252 else "private" if digest_type in (253, 254) else "unassigned"
    if row.use_delegation == "MUST NOT":
        return "not-ds" if digest_type == 0 else "deprecated"
    return "good" if "RECOMMENDED" in (row.use_delegation, row.use_validation) else "optional"


def _has_right_length(ds: Ds) -> bool:
    return len(ds.digest) == DIGEST_OCTETS.get(ds.digest_type, len(ds.digest))


def _digest(digest_type: int) -> str:
    return f"{digest_type} ({DIGEST_NAMES[digest_type]})" if digest_type in DIGEST_NAMES else str(digest_type)


def _label(ds: Ds) -> str:
    return f"{ds.key_tag}/{ds.algorithm}/{ds.digest_type}"


def _subject(ds: Ds) -> str:
    return f"DS {_label(ds)}"
