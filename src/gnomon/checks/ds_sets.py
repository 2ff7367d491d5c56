"""The DS RRset against the keys: revoked ones, every algorithm usable, how many, how old."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.base.codes import ALGORITHM_NAMES
from gnomon.checks.chain import CHECKABLE_DIGESTS, matches
from gnomon.checks.entry import NO_DS, ds_records, entries_at, why_no_entry, without_ds
from gnomon.checks.outcome import Outcome, outcome, unknown
from gnomon.checks.registry import IOP, SEC, STA, check
from gnomon.checks.replies import UNHEARD_EDNS, hear, labels, unheard
from gnomon.checks.validation import label_of
from gnomon.checks.view import ZoneView

_NO_MATCH = {"no-match": "No DS of {zone} matches a DNSKEY (see ds.matches-dnskey)."}
_CODES = {
    "no-dnskey": "No server of {zone} has a DNSKEY that the DS could be compared with (see dnssec.ds-without-dnskey).",
    **NO_DS,
    **UNHEARD_EDNS,
}


@check(
    "ds.key-revoked",
    properties=(SEC,),
    asked=("P2", "Q4"),
    codes={
        "not-revoked": "No key that a DS of {zone} names is revoked.",
        "revoked": "The DS of {zone} names the key {key}, which is revoked: it leads no validator into the zone.",
        **_NO_MATCH,
        **_CODES,
    },
)
def key_revoked(view: ZoneView) -> Iterator[Outcome]:
    """No DS names a revoked key.

    Why: validators must not use a revoked key as entry to the zone, so that the DS is as good as absent.
    Rule: error for a DS that matches a key with the REVOKE flag. (The flag changes tag and digest of a key: such a DS
        was made after the revocation.)
    Source: RFC 5011 section 2.1.
    Do: have the parent publish the DS of a key that is not revoked and signs the DNSKEY RRset.
    """
    records = ds_records(view)
    if not records:
        yield from without_ds(view)
        return
    heard, published = hear(view, "Q4"), view.keys()
    shown = [*view.asked("P2"), *(a.exchange for a in heard.answers)]
    named = [key for key in published if any(matches(ds, view.zone, key) for ds in records)]
    revoked = [label_of(key) for key in named if key.dnskey.is_revoked]
    for text in revoked:
        yield outcome("revoked", shown, subject=f"key {text}", key=text)
    if named and not revoked:
        yield outcome("not-revoked", shown)
    elif heard.answers and not named:
        yield unknown("no-match" if published else "no-dnskey", shown)
    yield from unheard(view, heard, "Q4")


@check(
    "ds.alg-coverage",
    properties=(SEC, IOP),
    asked=("P2", "Q4"),
    codes={
        "not-zone-key": "The key that the DS of {zone} names may not sign (see ds.key-zone-flag).",
        "none-signs": "No key that the DS of {zone} names signs the DNSKEY record set (see ds.key-signs-dnskey).",
        "covered": "Each algorithm of the DS of {zone} has a key that signs the DNSKEY record set.",
        "uncovered": "The DS of {zone} has algorithm {algorithm}; no key of it signs the DNSKEY records at {servers}.",
        **_NO_MATCH,
        **_CODES,
    },
)
def alg_coverage(view: ZoneView) -> Iterator[Outcome]:
    """For each algorithm in the DS RRset, a key that a DS names signs the DNSKEY RRset.

    Why: the DS RRset tells validators with which algorithms the zone is signed; some reject a zone that is not signed
        with all of them, as if the signatures had been taken away.
    Rule: error for an algorithm of the DS RRset, with a digest that can be computed, of which no key named by a DS
        has a signature over the DNSKEY RRset at a server. If no DS matches any key, ds.matches-dnskey says it; if no
        signature is by such a key at all, ds.key-signs-dnskey.
    Source: RFC 4035 section 2.2; RFC 6840 section 5.11.
    Do: have the parent remove the DS of that algorithm, or sign with it too.
    """
    records = [ds for ds in ds_records(view) if ds.digest_type in CHECKABLE_DIGESTS]
    if not ds_records(view):
        yield from without_ds(view)
        return
    heard = hear(view, "Q4")
    shown = [*view.asked("P2"), *(a.exchange for a in heard.answers)]
    wanted = {ds.algorithm for ds in records}
    lacking: dict[int, list[str]] = {}
    judged = named = False
    for address, entries in entries_at(view).items():
        signing = {entries.algorithms[label] for label in entries.tried}
        judged, named = judged or bool(signing), named or bool(entries.algorithms)
        for algorithm in wanted - signing if signing else ():
            lacking.setdefault(algorithm, []).extend(labels(view, [address]))
    for algorithm, servers in sorted(lacking.items()):
        text = f"{algorithm} ({ALGORITHM_NAMES[algorithm]})" if algorithm in ALGORITHM_NAMES else str(algorithm)
        yield outcome("uncovered", shown, subject=f"algorithm {algorithm}", algorithm=text, servers=tuple(servers))
    if judged and not lacking:
        yield outcome("covered", shown)
    elif heard.answers and not judged:
        yield unknown("none-signs" if named else why_no_entry(view), shown)
    yield from unheard(view, heard, "Q4")


@check(
    "ds.count",
    properties=(IOP, SEC),
    asked=("P2",),
    codes={
        "few": "{zone} has {count} DS {count:record|records}.",
        "over-4": "{zone} has {count} DS records; Unbound gives up after four that match no key.",
        "over-8": "{zone} has {count} DS records; PowerDNS looks at eight.",
        **NO_DS,
    },
)
def count(view: ZoneView) -> Iterator[Outcome]:
    """The zone has few DS records.

    Why: resolvers look at a limited number only, and may miss the one that matches.
    Rule: notice over 4, warning over 8.
    Source: CVE-2023-50387 (KeyTrap) and the limits of Unbound and PowerDNS Recursor; the notice is Gnomon's proposal.
    Do: keep one DS per key, with SHA-256, and remove those of gone keys.
    """
    number = len(ds_records(view))
    if not number:
        yield from without_ds(view)
        return
    yield outcome("over-8" if number > 8 else "over-4" if number > 4 else "few", view.asked("P2"), count=number)


@check(
    "ds.ghost-age",
    properties=(STA,),
    asked=("P2", "Q4"),
    codes={
        "no-ghost": "Every DS of {zone} that can be compared names a key of the zone.",
        "ghost": "The DS {ds} of {zone} {ds:names|name} no key; surveys at several times would show for how long.",
        **_CODES,
    },
)
def ghost_age(view: ZoneView) -> Iterator[Outcome]:
    """A DS that names no key is there for the time of a rollover only.

    Why: who still has the key, or makes one with the same tag, is let in by it; it also shows that nobody watches.
    Rule: notice if a DS that matches no DNSKEY is there for more than 30 days, warning after 180. One survey sees only
        that it is there: unknown then; ds.matches-dnskey reports the state itself.
    Source: RFC 6781 section 4.1.2; the times are Gnomon's proposal.
    Do: have the parent remove the DS of gone keys.
    """
    records = [ds for ds in ds_records(view) if ds.digest_type in CHECKABLE_DIGESTS]
    if not ds_records(view):
        yield from without_ds(view)
        return
    heard, published = hear(view, "Q4"), view.keys()
    shown = [*view.asked("P2"), *(a.exchange for a in heard.answers)]
    ghosts = [ds for ds in records if not any(matches(ds, view.zone, key) for key in published)]
    if not published:
        if heard.answers:
            yield unknown("no-dnskey", shown)
    elif ghosts:
        yield unknown("ghost", shown, ds=tuple(f"{ds.key_tag}/{ds.algorithm}/{ds.digest_type}" for ds in ghosts))
    else:
        yield outcome("no-ghost", shown)
    yield from unheard(view, heard, "Q4")
